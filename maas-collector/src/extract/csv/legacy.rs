//! The old class that CSV stands for.

use maas_model::plugin::{SettingError, Translation};
use serde_json::{Map, Value};

use crate::extract::legacy::{Arguments, old_class};

inventory::submit! { old_class("CSVExtractor", translate) }

fn translate(old: &Value) -> Result<Translation, Vec<SettingError>> {
    let mut arguments = Arguments::of(old);
    arguments.columns(positions, Value::clone);
    if arguments.flag("autodetect_encoding") {
        arguments
            .settings
            .insert("encoding".into(), "detect".into());
    }
    arguments.partial();
    arguments.converters();
    arguments.finish("csv")
}

/// Names take cells in order, lambdas take none.
fn positions(arguments: &mut Arguments, entries: Vec<Value>) {
    let mut fields = Map::new();
    let mut position = 0_u64;
    for (number, entry) in entries.into_iter().enumerate() {
        if let Value::String(field) = entry {
            fields.insert(field, position.into());
            position += 1;
        } else if entry.get("python").is_some() {
            let Some(field) = entry["field"].as_str() else {
                arguments.refuse(&format!("attr_map[{number}]"), "a lambda without `field`");
                continue;
            };
            if let Some(source) = arguments.lambda(field, &entry) {
                fields.insert(field.to_owned(), source);
            }
        }
    }
    arguments.settings.insert("header".into(), false.into());
    arguments.settings.insert("fields".into(), fields.into());
}
