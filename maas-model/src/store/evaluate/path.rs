//! Finding the values of a path in a document.

use serde_json::Value;

use crate::document::Source;

/// All values under `path`, those of lists one by one. A dot separates members of objects, and may
/// also stand in the name of a member: `{"a": {"b": 1}}` and `{"a.b": 1}` both have `a.b`.
pub(crate) fn values<'a>(source: &'a Source, path: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    collect(source, path, &mut found);
    found
}

fn collect<'a>(source: &'a Source, path: &str, found: &mut Vec<&'a Value>) {
    if let Some(value) = source.get(path) {
        flatten(value, found);
    }
    for (dot, _) in path.match_indices('.') {
        if let Some(value) = source.get(&path[..dot]) {
            descend(value, &path[dot + 1..], found);
        }
    }
}

fn descend<'a>(value: &'a Value, rest: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => collect(members, rest, found),
        Value::Array(items) => items.iter().for_each(|item| descend(item, rest, found)),
        _ => {}
    }
}

fn flatten<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| flatten(item, found)),
        value => found.push(value),
    }
}

/// Whether a value counts as there: not null, not empty, not made of such only.
pub(crate) fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => items.iter().any(is_present),
        Value::Object(members) => members.values().any(is_present),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// The part of `source` that `fields` name; all of it when they name nothing.
pub(crate) fn select(mut source: Source, fields: &[String]) -> Source {
    if fields.is_empty() {
        return source;
    }
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    prune(&mut source, &fields);
    source
}

fn prune(source: &mut Source, fields: &[&str]) {
    source.retain(|name, value| {
        if fields.contains(&name.as_str()) {
            return true;
        }
        let inner: Vec<&str> = fields
            .iter()
            .filter_map(|field| field.strip_prefix(name.as_str())?.strip_prefix('.'))
            .collect();
        !inner.is_empty() && prune_value(value, &inner)
    });
}

fn prune_value(value: &mut Value, fields: &[&str]) -> bool {
    match value {
        Value::Object(members) => {
            prune(members, fields);
            !members.is_empty()
        }
        Value::Array(items) => {
            items.retain_mut(|item| prune_value(item, fields));
            !items.is_empty()
        }
        _ => false,
    }
}
