//! How intents are stored.

use indexmap::IndexMap;
use maas_model::document::{IndexName, IndexNameError};
use maas_model::model::{Field, FieldType, Model};
use serde_json::{Value, json};

use super::INDEX;

/// The model of the intents: read by id, and by date when they are old, so nothing of their plan is indexed.
pub fn intents_model() -> Result<Model, IndexNameError> {
    let field = |kind, parameters: Value| Field {
        kind,
        parameters: parameters.as_object().cloned().unwrap_or_default(),
        fields: IndexMap::new(),
    };
    let keyword = || field(FieldType::Keyword, json!({}));
    Ok(Model {
        name: "MaasIntent".to_owned(),
        alias: IndexName::new(INDEX)?,
        fields: IndexMap::from([
            ("pool".to_owned(), keyword()),
            ("message_id".to_owned(), keyword()),
            ("engine".to_owned(), keyword()),
            ("date".to_owned(), field(FieldType::Date, json!({}))),
            (
                "plan".to_owned(),
                field(FieldType::Object, json!({"enabled": false})),
            ),
        ]),
        partition: None,
        settings: [("number_of_shards".to_owned(), json!(1))].into(),
    })
}
