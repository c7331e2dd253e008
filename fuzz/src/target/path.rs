//! Paths: old ones translated, new ones read, both followed.

use maas_collector::extract::json::path::{Dialect, JsonPath, from_legacy};
use serde_json::{Value, json};

use super::{choice, says_something};

/// A path; behind a NUL a JSON value to follow it in.
pub(super) fn path(bytes: &[u8]) {
    let (number, bytes) = choice(bytes);
    let (text, value) = match bytes.iter().position(|byte| *byte == 0) {
        Some(end) => (
            &bytes[..end],
            serde_json::from_slice(&bytes[end + 1..]).ok(),
        ),
        None => (bytes, None),
    };
    let text = String::from_utf8_lossy(text);
    let value: Value =
        value.unwrap_or_else(|| json!({ "a": [{ "n": "x", "v": 1 }, 2, null], "b": { "c": "d" } }));
    follow(&text, &value);
    let dialect = match number % 2 {
        0 => Dialect::Standard,
        _ => Dialect::Extended,
    };
    match from_legacy(&text, dialect) {
        Ok(new) => {
            // What is translated is a path of ours.
            assert!(JsonPath::parse(&new).is_ok(), "`{text}` becomes `{new}`");
            follow(&new, &value);
        }
        Err(error) => says_something(&error.reason),
    }
}

fn follow(text: &str, value: &Value) {
    match JsonPath::parse(text) {
        Ok(path) => {
            if let Err(reason) = path.value(value) {
                says_something(&reason);
            }
        }
        Err(error) => says_something(&error.reason),
    }
}
