//! What both registries share: reading the settings of a plugin.

use maas_model::plugin::SettingError;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads settings into the plugin's own struct.
pub(crate) fn read<C: DeserializeOwned>(settings: &Value) -> Result<C, Vec<SettingError>> {
    serde_json::from_value(settings.clone()).map_err(|error| vec![wrong("", error)])
}

/// The settings, if `check` finds nothing wrong with them.
pub(crate) fn checked<C>(
    config: C,
    check: fn(&C) -> Vec<SettingError>,
) -> Result<C, Vec<SettingError>> {
    let errors = check(&config);
    if errors.is_empty() {
        Ok(config)
    } else {
        Err(errors)
    }
}

/// A setting at `path` that is wrong.
pub(crate) fn wrong(path: impl Into<String>, message: impl ToString) -> SettingError {
    SettingError {
        path: path.into(),
        message: message.to_string(),
        hint: None,
    }
}
