//! The old class that `xlsx` stands for.

use maas_model::plugin::{SettingError, Translation};
use serde_json::{Map, Value, json};

use crate::extract::legacy::{Arguments, old_class};

inventory::submit! { old_class("XLSXExtractor", translate) }

fn translate(old: &Value) -> Result<Translation, Vec<SettingError>> {
    let mut arguments = Arguments::of(old);
    arguments.columns(positions, over_values);
    match arguments.take("sheet_id") {
        None => {}
        Some(sheet @ (Value::String(_) | Value::Number(_))) => {
            arguments.settings.insert("sheet".into(), sheet);
        }
        Some(_) => arguments.refuse("sheet_id", "a number or a text is wanted"),
    }
    header_rows(&mut arguments);
    arguments.partial();
    arguments.converters();
    arguments.finish("xlsx")
}

/// `data_row_offset`, and how days are counted there.
pub(in crate::extract) fn header_rows(arguments: &mut Arguments) {
    if let Some(rows) = arguments.take("data_row_offset") {
        arguments.settings.insert("header_rows".into(), rows);
    }
    arguments.settings.insert("dates".into(), "from1900".into());
}

/// Every entry has a cell, those with a lambda too.
fn positions(arguments: &mut Arguments, entries: Vec<Value>) {
    let mut fields = Map::new();
    for (position, entry) in entries.into_iter().enumerate() {
        if let Value::String(field) = entry {
            fields.insert(field, position.into());
            continue;
        }
        let Some(field) = entry["field"].as_str() else {
            arguments.refuse(&format!("attr_map[{position}]"), "a lambda without `field`");
            continue;
        };
        if let Some(source) = arguments.lambda(field, &over_values(&entry)) {
            fields.insert(field.to_owned(), source);
        }
    }
    arguments.settings.insert("fields".into(), fields.into());
}

/// A lambda sees cells there, and their values here: `row[0].value` is `row[0]`.
pub(in crate::extract) fn over_values(entry: &Value) -> Value {
    let Some(lambda) = entry.get("python").and_then(Value::as_str) else {
        return entry.clone();
    };
    let mut values = String::new();
    let mut rest = lambda;
    while let Some((before, behind)) = rest.split_once(".value") {
        values.push_str(before);
        if behind.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            values.push_str(".value");
        }
        rest = behind;
    }
    json!({"python": values + rest})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambdas_see_values() {
        for (old, new) in [
            ("lambda row: row[0].value[:3]", "lambda row: row[0][:3]"),
            ("lambda r: [c.value for c in r]", "lambda r: [c for c in r]"),
            ("lambda r: r.values()", "lambda r: r.values()"),
        ] {
            assert_eq!(over_values(&json!({"python": old}))["python"], new);
        }
    }
}
