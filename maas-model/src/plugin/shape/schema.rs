//! Looking around in a schema.

use serde_json::Value;

use super::MAX_DEPTH;

/// Follows `$ref` within the schema.
pub(super) fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..MAX_DEPTH {
        let target = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| reference.strip_prefix('#'))
            .and_then(|pointer| root.pointer(pointer));
        match target {
            Some(target) => schema = target,
            None => return schema,
        }
    }
    schema
}

pub(super) fn list<'a>(schema: &'a Value, keyword: &str) -> &'a [Value] {
    schema
        .get(keyword)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

pub(super) fn member<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    let declared = schema
        .get("properties")
        .and_then(|properties| properties.get(key));
    declared.or_else(|| {
        schema
            .get("additionalProperties")
            .filter(|rest| !rest.is_boolean())
    })
}

pub(super) fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The first sentence.
pub(super) fn description(root: &Value, schema: &Value) -> Option<String> {
    let text = schema
        .get("description")
        .or_else(|| resolve(root, schema).get("description"))?;
    let lines: Vec<&str> = text.as_str()?.lines().map(str::trim).collect();
    let paragraph = lines.split(|line| line.is_empty()).next()?.join(" ");
    let sentence = paragraph
        .split_once(". ")
        .map(|(first, _)| first.to_owned());
    Some(sentence.unwrap_or_else(|| paragraph.trim_end_matches('.').to_owned()))
}
