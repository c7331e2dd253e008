//! The old class that local folders stand for.

use maas_model::plugin::{LegacyName, SettingError, Translation};
use serde_json::{Map, Value, json};

inventory::submit! {
    LegacyName { kind: "collector", class: "FileCollectorConfiguration", translate }
}

/// The old collector was told its folders on the command line.
const FOLDERS: &str = "${MAAS_INBOX:-inbox}";

fn translate(old: &Value) -> Result<Translation, Vec<SettingError>> {
    let mut settings = Map::new();
    settings.insert("paths".to_owned(), json!([FOLDERS]));
    if let Some(pattern) = old.get("file_pattern") {
        settings.insert("pattern".to_owned(), pattern.clone());
    }
    Ok(Translation {
        plugin: "file",
        settings: settings.into(),
        warnings: Vec::new(),
    })
}
