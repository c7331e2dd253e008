//! `extractor` objects, as extractors of ours with native expressions.

use serde_json::Value;

use super::make;
use super::told::Told;
use crate::expression::{self, NativeLambda};
use crate::pipeline::tree::{Entry, Kind, Node, Place};
use crate::plugin::{self, LegacyError, Translation};

/// The extractor as one plugin with its settings. What is wrong is told.
pub(super) fn translate(file: usize, old: &Node, told: &mut Told) -> Option<Node> {
    let class_at = old.get("class").unwrap_or(old).place;
    let class = old.get("class").and_then(Node::text).unwrap_or_default();
    let found = match plugin::translate_legacy("extractor", class, &old.to_value()) {
        Ok(found) => found,
        Err(LegacyError::Settings(errors)) => {
            for error in errors {
                let place = old.locate(&error.path).value;
                told.error(file, place, error.message, error.hint);
            }
            return None;
        }
        Err(LegacyError::UnknownClass { hint, .. }) => {
            let message = format!("unknown extractor class `{class}`");
            told.error(file, class_at, message, hint);
            return None;
        }
    };
    let Translation {
        plugin,
        settings,
        warnings,
    } = found;
    for warning in warnings {
        let place = old.locate(&warning.path).key;
        told.warning(
            file,
            place,
            warning.message,
            warning.hint.unwrap_or_default(),
        );
    }
    let settings = placed(settings, variable_of(plugin), old);
    Some(make::single(class_at, plugin, make::escaped(&settings)))
}

/// What the expressions of fields speak of, by extractor.
fn variable_of(extractor: &str) -> &'static str {
    match extractor {
        "csv" | "xlsx" | "xlsx_columns" => "row",
        _ => "record",
    }
}

/// The settings with native expressions, each where the old setting stands that it comes from.
fn placed(settings: Value, variable: &str, old: &Node) -> Node {
    let Value::Object(settings) = settings else {
        return make::value(old.place, settings);
    };
    let entries = settings.into_iter().map(|(key, value)| {
        let (path, of_each, variable) = match key.as_str() {
            "fields" => ("args.attr_map", true, variable),
            "convert" if old.get("converter_map").is_some() => ("converter_map", true, "value"),
            "convert" => ("args.converter_map", true, "value"),
            "records" => ("args.iterate_nodes", false, variable),
            "partial" => ("args.allow_partial", false, variable),
            _ => ("args", false, variable),
        };
        let around = match path {
            "args" => old.locate(&format!("args.{key}")),
            path => old.locate(path),
        };
        let value = match (of_each, value) {
            (true, Value::Object(fields)) => {
                let fields = fields.into_iter().map(|(field, source)| {
                    let (place, value) = place_of(around.node, &field, around.value);
                    Entry {
                        key: field,
                        place,
                        value: make::value(value, native(source, variable)),
                    }
                });
                make::map(around.value, fields.collect())
            }
            (_, value) => make::value(around.value, value),
        };
        Entry {
            key,
            place: around.key,
            value,
        }
    });
    make::map(old.place, entries.collect())
}

/// Where a field stands, its key and its value: in a map, or in a list of names and of objects that have
/// a `field`.
fn place_of(around: Option<&Node>, field: &str, otherwise: Place) -> (Place, Place) {
    let known = match around.map(|node| &node.kind) {
        Some(Kind::Map(entries)) => entries
            .iter()
            .find(|entry| entry.key == field)
            .map(|entry| (entry.place, entry.value.place)),
        Some(Kind::List(items)) => items
            .iter()
            .find(|item| {
                let name = item.text().or_else(|| item.get("field")?.text());
                name == Some(field)
            })
            .map(|item| (item.place, item.place)),
        _ => None,
    };
    known.unwrap_or((otherwise, otherwise))
}

/// A source or a converter, without lambda: a constant, or an expression over `variable`.
fn native(mut source: Value, variable: &str) -> Value {
    if let Value::String(text) = &source {
        return match lambda(text, variable) {
            Some(NativeLambda::Expression(text)) => text.into(),
            _ => source,
        };
    }
    let text = source.get("expr").and_then(Value::as_str);
    match text.and_then(|text| lambda(text, variable)) {
        Some(NativeLambda::Constant(value)) if !value.is_null() => {
            if let Some(fields) = source.as_object_mut() {
                fields.shift_remove("expr");
                fields.insert("value".to_owned(), value);
            }
        }
        Some(NativeLambda::Constant(_)) => source["expr"] = "None".into(),
        Some(NativeLambda::Expression(text)) => source["expr"] = text.into(),
        None => {}
    }
    source
}

/// The lambda in native words, if it is one.
fn lambda(text: &str, variable: &str) -> Option<NativeLambda> {
    if !text.trim_start().starts_with("lambda") {
        return None;
    }
    expression::native_lambda(text, variable).ok()
}
