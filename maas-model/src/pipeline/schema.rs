//! JSON Schema of a pipeline file, with the settings of all linked plugins, for editors.
//!
//! It accepts what [`Pipeline::load`](super::Pipeline::load) accepts, as far as one file tells: names
//! that must exist elsewhere and the wiring are beyond it.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::text::{InterfaceText, OutsideText, PoolText};
use crate::model::ModelSpec;
use crate::plugin::{PluginInfo, plugins};

/// The schema. Depends on what is linked into the program.
pub fn schema() -> Value {
    let mut generator = SchemaGenerator::default();
    let interface = generator.subschema_for::<InterfaceText>().to_value();
    let model = generator.subschema_for::<ModelSpec>().to_value();
    let pool = generator.subschema_for::<PoolText>().to_value();
    let outside = generator.subschema_for::<OutsideText>().to_value();
    let mut definitions = generator.take_definitions(true);
    for plugin in plugins(None) {
        definitions.insert(definition(plugin), settings(plugin));
    }
    choose_plugins(&mut definitions);
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "MaaS pipeline",
        "type": ["object", "null"],
        "properties": {
            "interfaces": { "type": ["array", "null"], "items": interface },
            "models": { "type": ["object", "null"], "additionalProperties": model },
            "engine_defaults": {
                "type": ["object", "null"],
                "properties": uses("engine", true),
                "additionalProperties": false,
            },
            "pools": { "type": ["array", "null"], "items": pool },
            "outside": { "anyOf": [outside, { "type": "null" }] },
        },
        "patternProperties": { "^x-": true },
        "additionalProperties": false,
        "$defs": definitions,
    });
    allow_variables(&mut schema);
    schema
}

fn definition(plugin: &PluginInfo) -> String {
    format!("{}.{}", plugin.kind, plugin.name)
}

/// The settings of a plugin, with its own definitions inside.
fn settings(plugin: &PluginInfo) -> Value {
    let mut schema = (plugin.schema)().to_value();
    // A key of the whole document only.
    if let Some(schema) = schema.as_object_mut() {
        schema.shift_remove("$schema");
    }
    let own = format!("#/$defs/{}/$defs/", definition(plugin));
    rename_references(&mut schema, &own);
    schema
}

fn rename_references(schema: &mut Value, own: &str) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(target) if key == "$ref" => {
                        if let Some(name) = target.strip_prefix("#/$defs/") {
                            *target = format!("{own}{name}");
                        }
                    }
                    value => rename_references(value, own),
                }
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| rename_references(item, own)),
        _ => {}
    }
}

/// The plugins of a kind as keys. `partial`: keys may be missing, for they may stand elsewhere.
fn uses(kind: &str, partial: bool) -> Map<String, Value> {
    let used = plugins(Some(kind)).map(|plugin| {
        let reference = json!({ "$ref": format!("#/$defs/{}", definition(plugin)) });
        let settings = if partial {
            without_required(plugin)
        } else {
            reference
        };
        (
            plugin.name.to_owned(),
            json!({ "anyOf": [settings, { "type": "null" }] }),
        )
    });
    used.collect()
}

fn without_required(plugin: &PluginInfo) -> Value {
    let mut schema = settings(plugin);
    if let Some(schema) = schema.as_object_mut() {
        schema.shift_remove("required");
        schema.shift_remove("$defs");
    }
    schema
}

/// Puts the plugins where the schema of the sections has "any one plugin".
fn choose_plugins(definitions: &mut Map<String, Value>) {
    let one_of = |kind: &str| {
        json!({
            "type": "object",
            "properties": uses(kind, false),
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        })
    };
    if let Some(Value::Object(fields)) = definitions
        .get_mut("InterfaceText")
        .and_then(|interface| interface.get_mut("properties"))
    {
        fields.insert("collect".to_owned(), one_of("collector"));
        let extract = json!({ "anyOf": [one_of("extractor"), { "type": "null" }] });
        fields.insert("extract".to_owned(), extract);
    }
    if let Some(Value::Object(step)) = definitions.get_mut("StepMap") {
        if let Some(Value::Object(fields)) = step.get_mut("properties") {
            fields.extend(uses("engine", true));
        }
        step.insert("additionalProperties".to_owned(), Value::Bool(false));
        step.insert("minProperties".to_owned(), json!(1));
    }
    let names: Vec<&str> = plugins(Some("engine")).map(|plugin| plugin.name).collect();
    if let Some(Value::Object(step)) = definitions.get_mut("StepText") {
        step.insert(
            "anyOf".to_owned(),
            json!([{ "enum": names }, { "$ref": "#/$defs/StepMap" }]),
        );
        step.shift_remove("oneOf");
    }
}

/// `"${NAME}"` may stand for every number, truth value and word.
fn allow_variables(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(allow_variables);
            if takes_variable(fields) {
                let inner = Value::Object(std::mem::take(fields));
                fields.insert(
                    "anyOf".to_owned(),
                    json!([inner, { "type": "string", "pattern": "\\$\\{" }]),
                );
            }
        }
        Value::Array(items) => items.iter_mut().for_each(allow_variables),
        _ => {}
    }
}

fn takes_variable(schema: &Map<String, Value>) -> bool {
    let is = |wanted: &str| match schema.get("type") {
        Some(Value::String(name)) => name == wanted,
        Some(Value::Array(names)) => names.iter().any(|name| name == wanted),
        _ => false,
    };
    let narrow = schema.contains_key("pattern") || schema.contains_key("enum");
    ["integer", "number", "boolean"].into_iter().any(is) || (is("string") && narrow)
}
