//! Types, in words of a person.

use serde_json::Value;

pub(super) fn is_a(value: &Value, wanted: &str) -> bool {
    match wanted {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        // serde takes no `1.0` for an integer, and neither does this.
        "integer" => value.is_i64() || value.is_u64(),
        _ => true,
    }
}

pub(super) fn expected(types: &[&str]) -> String {
    let words: Vec<&str> = types
        .iter()
        .filter(|name| **name != "null" || types.len() == 1)
        .map(|name| match *name {
            "null" => "nothing",
            "boolean" => "true or false",
            "object" => "a map",
            "array" => "a list",
            "string" => "text",
            "number" => "a number",
            "integer" => "a whole number",
            other => other,
        })
        .collect();
    if words.is_empty() {
        "something else".to_owned()
    } else {
        words.join(" or ")
    }
}

/// Never the value: it may be a secret.
pub(super) fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number with decimals",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
