//! The index template of a model.

use serde_json::{Value, json};

impl super::Model {
    /// The mapping of the declared fields: `{"properties": {...}}`.
    pub fn mapping(&self) -> Value {
        json!({"properties": {}})
    }

    /// The legacy index template (`PUT _template/template_ALIAS`).
    pub fn template(&self) -> Value {
        json!({})
    }
}
