//! The old class that log stands for.

use maas_model::plugin::{SettingError, Translation};
use serde_json::Value;

use crate::extract::legacy::{Arguments, old_class};

inventory::submit! { old_class("LogExtractor", translate) }

fn translate(old: &Value) -> Result<Translation, Vec<SettingError>> {
    let mut arguments = Arguments::of(old);
    match arguments.text("pattern") {
        Some(pattern) => {
            arguments.settings.insert("pattern".into(), pattern.into());
        }
        None => arguments.refuse("pattern", "a text is wanted"),
    }
    arguments.converters();
    arguments.finish("log")
}
