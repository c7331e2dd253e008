//! Settings that several engines have.

use chrono::{DateTime, Utc};
use maas_model::document::parse_date;
use maas_model::message::RoutingKey;
use maas_model::plugin::SettingError;

/// The date of `min_doi`.
pub(super) fn min_date(min_doi: Option<&str>) -> Option<DateTime<Utc>> {
    parse_date(&min_doi?.into()).ok()
}

/// What is wrong with `min_doi`.
pub(super) fn min_date_errors(min_doi: Option<&str>) -> Vec<SettingError> {
    let error = min_doi.and_then(|text| parse_date(&text.into()).err());
    let error = error.map(|error| {
        SettingError::new("min_doi", error.to_string())
            .hint("write a date as `2024-01-01T00:00:00.000Z`")
    });
    error.into_iter().collect()
}

/// A key that a setting names.
pub(super) fn routing_key(setting: &str, key: &str) -> Result<RoutingKey, SettingError> {
    RoutingKey::new(key).map_err(|error| SettingError::new(setting, error.to_string()))
}

/// What is wrong with a key that a setting names.
pub(super) fn routing_key_errors(setting: &str, key: &str) -> Option<SettingError> {
    routing_key(setting, key).err()
}
