//! What a JSON text weighs once it is read: a value takes many times the two bytes that it may have as text.

use serde_json::Value;

/// Most values of one text, and of what one path finds: about 130 MiB in memory.
pub(super) const MOST_VALUES: usize = 1_000_000;
/// A shorter text cannot have more, whatever is in it.
const LIGHT: usize = MOST_VALUES;

/// Refuses a text with too many values before they are made.
pub(super) fn check(text: &[u8]) -> Result<(), String> {
    if text.len() <= LIGHT || values(text) <= MOST_VALUES {
        return Ok(());
    }
    Err(format!(
        "it holds more than {MOST_VALUES} values, too many to be read as one"
    ))
}

/// At least as many as there are: each but the first follows a comma or an opening bracket.
fn values(text: &[u8]) -> usize {
    let (mut count, mut quoted, mut escaped) = (1, false, false);
    for &byte in text {
        match (quoted, byte) {
            _ if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => quoted = !quoted,
            (false, b',' | b'[' | b'{') => count += 1,
            _ => {}
        }
    }
    count
}

/// Whether these are more values in all than one text may have; what is in two of them counts twice.
pub(super) fn too_many<'v>(found: impl Iterator<Item = &'v Value>) -> bool {
    let mut left = MOST_VALUES;
    found.into_iter().any(|value| !take(value, &mut left))
}

/// Not deeper than the reader of JSON goes.
fn take(value: &Value, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(1) else {
        return false;
    };
    *left = rest;
    match value {
        Value::Array(items) => items.iter().all(|item| take(item, left)),
        Value::Object(members) => members.values().all(|member| take(member, left)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_counted_outside_of_texts_only() {
        for text in [
            json!([1, 2, [3], {"a": 4, "b": {}}]),
            json!("a, [b] \" {c} \\"),
            json!(null),
        ] {
            let mut left = MOST_VALUES;
            assert!(take(&text, &mut left));
            let bytes = text.to_string().into_bytes();
            assert!(values(&bytes) >= MOST_VALUES - left, "{text}");
            assert!(values(&bytes) <= MOST_VALUES - left + 2, "{text}");
        }
    }

    #[test]
    fn a_long_text_of_short_values_is_refused_and_one_of_long_values_is_not() {
        let short = format!("[{}0]", "0,".repeat(MOST_VALUES));
        assert!(check(short.as_bytes()).is_err());
        let long = format!("[\"{}\"]", ",".repeat(2 * MOST_VALUES));
        assert!(check(long.as_bytes()).is_ok());
    }
}
