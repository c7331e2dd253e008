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

    /// The name under which [`template`](super::Model::template) is installed.
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::{Map, Value};

    use crate::model::ModelSpec;

    /// A template of the original as our YAML would say it.
    fn spec(alias: &str, template: &Value) -> ModelSpec {
        let mappings = &template["mappings"];
        let mut spec = Map::new();
        spec.insert("index".to_owned(), alias.into());
        spec.insert("fields".to_owned(), mappings["properties"].clone());
        spec.insert("settings".to_owned(), template["settings"]["index"].clone());
        let meta = &mappings["_meta"];
        let mut partition = Map::new();
        match &meta["partition_field"] {
            Value::Null => {}
            Value::String(field) => {
                partition.insert("field".to_owned(), field.as_str().into());
            }
            fields => {
                partition.insert("fields".to_owned(), fields.clone());
            }
        }
        if !partition.is_empty() {
            partition.insert("format".to_owned(), meta["partition_format"].clone());
            spec.insert("partition".to_owned(), partition.into());
        }
        serde_json::from_value(spec.into()).unwrap()
    }

    #[test]
    fn templates_of_the_original_come_out_equal() {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../shared/original/templates"
        );
        let folder = std::env::var_os("MAAS_CASES").map_or_else(
            || folder.into(),
            |cases| PathBuf::from(cases).join("../original/templates"),
        );
        let Ok(files) = std::fs::read_dir(&folder) else {
            assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "no templates");
            println!("the templates of the original are not there; set MAAS_CASES");
            return;
        };
        let (mut passed, mut failed) = (0, 0);
        for file in files {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            let Some(alias) = name.strip_suffix("_template.json") else {
                continue;
            };
            let text = std::fs::read(file.path()).unwrap();
            let mut wanted: Value = serde_json::from_slice(&text).unwrap();
            let model = spec(alias, &wanted).build(alias).unwrap();
            // Four patterns lack the dash, which makes no difference to the names that are used; one
            // template has a partition format without a field: its documents go to the alias itself.
            wanted["index_patterns"] = serde_json::json!([format!("{alias}-*")]);
            for unused in ["description", "class_name"] {
                wanted["mappings"]["_meta"]
                    .as_object_mut()
                    .unwrap()
                    .remove(unused);
            }
            let got = model.template();
            let equal = match model.partition {
                Some(_) => got == wanted,
                None => got["mappings"]["properties"] == wanted["mappings"]["properties"],
            };
            if equal {
                passed += 1;
            } else {
                failed += 1;
                println!("{name}: {got}, not {wanted}");
            }
        }
        println!("{passed} passed, {failed} failed");
        assert!(passed > 0 && failed == 0);
    }
}
