//! The index template of a model.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::Field;

impl super::Model {
    /// The mapping of the declared fields: `{"properties": {...}}`.
    pub fn mapping(&self) -> Value {
        json!({ "properties": properties(&self.fields) })
    }

    /// The legacy index template (`PUT _template/template_ALIAS`): every partition is an index that the
    /// alias reads. Without partition the one index has the name of the alias, so there is no alias.
    ///
    /// Dates have no `format` unless the model gives one: the stored form is what `date` takes by default.
    pub fn template(&self) -> Value {
        let alias = self.alias.as_str();
        let (pattern, aliases) = match &self.partition {
            Some(_) => (format!("{alias}-*"), json!({ alias: {} })),
            None => (alias.to_owned(), json!({})),
        };
        let mut mappings = json!({ "properties": properties(&self.fields) });
        if let Some(partition) = &self.partition {
            let field = match partition.fields.as_slice() {
                [field] => json!(field),
                fields => json!(fields),
            };
            mappings["_meta"] = json!({
                "partition_field": field,
                "partition_format": partition.format,
            });
        }
        json!({
            "aliases": aliases,
            "index_patterns": [pattern],
            "settings": { "index": self.index_settings() },
            "mappings": mappings,
        })
    }

    /// The name under which [`Model::template`] is installed.
    pub fn template_name(&self) -> String {
        format!("template_{}", self.alias)
    }

    fn index_settings(&self) -> Map<String, Value> {
        let mut settings = Map::new();
        settings.insert("number_of_shards".to_owned(), json!(1));
        settings.insert("number_of_replicas".to_owned(), json!(1));
        for (name, value) in &self.settings {
            settings.insert(name.clone(), value.clone());
        }
        settings
    }
}

fn properties(fields: &IndexMap<String, Field>) -> Map<String, Value> {
    fields
        .iter()
        .map(|(name, field)| (name.clone(), property(field)))
        .collect()
}

fn property(field: &Field) -> Value {
    let mut property = Map::new();
    property.insert("type".to_owned(), json!(field.kind.name()));
    for (name, value) in &field.parameters {
        property.insert(name.clone(), value.clone());
    }
    if !field.fields.is_empty() {
        property.insert("properties".to_owned(), properties(&field.fields).into());
    }
    property.into()
}
