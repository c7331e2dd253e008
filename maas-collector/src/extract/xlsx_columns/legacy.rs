//! The old class that `xlsx_columns` stands for.

use maas_model::plugin::{SettingError, Translation};
use serde_json::Value;

use crate::extract::legacy::{Arguments, old_class};
use crate::extract::xlsx::legacy::{header_rows, over_values};

inventory::submit! { old_class("XLSXColumnExtractor", translate) }

fn translate(old: &Value) -> Result<Translation, Vec<SettingError>> {
    let mut arguments = Arguments::of(old);
    for (old, new) in [
        ("header_field", "header_field"),
        ("column_field", "cell_field"),
    ] {
        match arguments.text(old) {
            Some(field) => {
                arguments.settings.insert(new.into(), field.into());
            }
            None => arguments.refuse(old, "a text is wanted"),
        }
    }
    match arguments.take("attr_map") {
        None => {}
        Some(Value::Object(attr_map)) => arguments.fields(attr_map, |arguments, field, entry| {
            arguments.lambda(field, &over_values(&entry))
        }),
        Some(_) => arguments.refuse("attr_map", "an object is wanted"),
    }
    match arguments.take("sheet_id") {
        None => {}
        Some(sheet @ Value::Number(_)) => {
            arguments.settings.insert("sheet".into(), sheet);
        }
        Some(_) => arguments.refuse("sheet_id", "this class takes positions only"),
    }
    header_rows(&mut arguments);
    arguments.partial();
    arguments.converters();
    arguments.finish("xlsx_columns")
}
