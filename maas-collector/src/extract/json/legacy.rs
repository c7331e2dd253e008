//! The old classes that JSON stands for.

use maas_model::plugin::{SettingError, Translation};
use serde_json::Value;

use super::path::{Dialect, from_legacy};
use crate::extract::legacy::{Arguments, old_class};

inventory::submit! { old_class("JSONExtractor", |old| translate(old, Dialect::Standard)) }
inventory::submit! { old_class("JSONExtractorExtended", |old| translate(old, Dialect::Extended)) }

fn translate(old: &Value, dialect: Dialect) -> Result<Translation, Vec<SettingError>> {
    let mut arguments = Arguments::of(old);
    if let Some(path) = arguments.text("iterate_nodes") {
        match from_legacy(&path, dialect) {
            Ok(path) => {
                arguments.settings.insert("records".into(), path.into());
            }
            Err(error) => arguments.refuse("iterate_nodes", error),
        }
    }
    let attr_map = arguments.object("attr_map");
    arguments.fields(attr_map, |arguments, field, entry| match &entry {
        Value::String(path) => match from_legacy(path, dialect) {
            Ok(path) => Some(path.into()),
            Err(error) => {
                arguments.refuse(&format!("attr_map.{field}"), error);
                None
            }
        },
        _ => arguments.lambda(field, &entry),
    });
    arguments.partial();
    arguments.converters();
    arguments.finish("json")
}
