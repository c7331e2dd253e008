//! Dates: UTC, stored as `YYYY-MM-DDTHH:MM:SS.mmmZ`.

mod free;
mod iso;
mod stored;

use chrono::{DateTime, Datelike, Utc};
use serde_json::Value;

pub(crate) use free::month_number;
pub use stored::zulu;
pub(crate) use stored::{is_stored, local};

use super::moment::Moment;

/// Why a value is no date.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{value}` is no date: {reason}")]
pub struct DateError {
    /// The value.
    pub value: String,
    /// What is wrong.
    pub reason: String,
}

/// A date is short; the free reader keeps a list of words.
const MAX_LENGTH: usize = 256;
const TOO_LONG: &str = "it is longer than 256 bytes";

/// Reads a date in any form that the Python system reads: see [`parse_date_at`].
///
/// What a text does not say is taken from the current day; stored dates say all.
pub fn parse_date(value: &Value) -> Result<DateTime<Utc>, DateError> {
    match value {
        Value::String(text) => parse_date_text(text),
        _ => parse_date_at(value, Utc::now()),
    }
}

/// As [`parse_date`], for a text.
pub fn parse_date_text(text: &str) -> Result<DateTime<Utc>, DateError> {
    match stored::read(text) {
        Some(date) => Ok(date),
        None => parse_text_at(text, Utc::now()),
    }
}

/// Reads a date:
/// - a text that ends in `Z` as ISO 8601, in the extended, compact or week form;
/// - any other text freely: month before day (`01/02/2024` is 2 January), month names, RFC 2822,
///   offsets; parts it does not name are those of `now`, without an offset it is UTC;
/// - an integer as milliseconds since 1970.
///
/// Years 1 to 9999; empty text, floats, seconds of 60 and hours of 24 are refused.
pub fn parse_date_at(value: &Value, now: DateTime<Utc>) -> Result<DateTime<Utc>, DateError> {
    let error = |reason: &str| DateError {
        value: value.to_string(),
        reason: reason.to_owned(),
    };
    match value {
        Value::String(text) => parse_text_at(text, now),
        Value::Number(number) => match number.as_i64() {
            Some(millis) => from_millis(millis).ok_or_else(|| error("its year is not 1 to 9999")),
            None => Err(error("a number must be whole milliseconds since 1970")),
        },
        // Python counts booleans as integers.
        Value::Bool(flag) => from_millis(i64::from(*flag)).ok_or_else(|| error("it is a boolean")),
        Value::Null => Err(error("it is null")),
        Value::Array(_) => Err(error("it is a list")),
        Value::Object(_) => match Moment::from_value(value) {
            Some(moment) => {
                in_range(moment.to_utc()).ok_or_else(|| error("its year is not 1 to 9999"))
            }
            None => Err(error("it is an object")),
        },
    }
}

fn parse_text_at(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, DateError> {
    let error = |reason: &str| DateError {
        value: text.to_owned(),
        reason: reason.to_owned(),
    };
    if let Some(date) = stored::read(text) {
        return Ok(date);
    }
    if text.trim().is_empty() {
        return Err(error("it is empty"));
    }
    if text.len() > MAX_LENGTH {
        return Err(error(TOO_LONG));
    }
    let utc = text.strip_suffix('Z').and_then(iso::read);
    let date = match utc {
        Some(date) => date.and_utc(),
        None => free::read(text, now).map_err(error)?,
    };
    in_range(date).ok_or_else(|| error("its year is not 1 to 9999"))
}

/// A date-time in a free form, with the offset that the text names, if it names one.
pub(crate) fn read_moment(text: &str, now: DateTime<Utc>) -> Result<Moment, DateError> {
    let read = match text.len() {
        0 => Err("it is empty"),
        1..=MAX_LENGTH => free::read_moment(text, now),
        _ => Err(TOO_LONG),
    };
    read.map_err(|reason| DateError {
        value: text.chars().take(MAX_LENGTH).collect(),
        reason: reason.to_owned(),
    })
}

fn from_millis(millis: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(millis).and_then(in_range)
}

fn in_range(date: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (1..=9999).contains(&date.year()).then_some(date)
}

#[cfg(test)]
mod tests;
