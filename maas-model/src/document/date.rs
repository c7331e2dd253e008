//! Dates: UTC, stored as `YYYY-MM-DDTHH:MM:SS.mmmZ`.

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use serde_json::Value;

/// Why a value is no date.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{value}` is no date: {reason}")]
pub struct DateError {
    /// The value.
    pub value: String,
    /// What is wrong.
    pub reason: String,
}

/// The stored text form; milliseconds are truncated.
pub fn zulu(instant: DateTime<Utc>) -> String {
    instant
        .trunc_subsecs(3)
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Reads a date in any form that the Python system reads.
pub fn parse_date(value: &Value) -> Result<DateTime<Utc>, DateError> {
    let error = |reason: &str| DateError {
        value: value.to_string(),
        reason: reason.to_owned(),
    };
    let text = value.as_str().ok_or_else(|| error("it is no text"))?;
    DateTime::parse_from_rfc3339(text)
        .map(|date| date.to_utc())
        .map_err(|source| error(&source.to_string()))
}
