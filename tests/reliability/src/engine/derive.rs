//! `DERIVE`: a document from each document, which goes when that one is withdrawn.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use maas_engine::engine::{
    Announcement, Batch, BuildContext, BuildError, Change, Engine, EngineConfig, EngineContext,
    EngineError, EnginePlugin, Output,
};
use maas_model::document::{Document, DocumentId};
use maas_model::model::Model;
use maas_model::plugin::{Emission, EmitContext, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// Keeps one document for each document of a message, with twice its value; deletes it when the value is
/// negative.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeriveConfig {
    /// The model of the documents that are written; it declares `site` and `value`.
    target_model: String,
}

impl Settings for DeriveConfig {
    const NAME: &'static str = "DERIVE";
    const EXAMPLE: &'static str = "{ target_model: Derived }";
}

impl EngineConfig for DeriveConfig {
    fn build(self, cx: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError> {
        let target = Arc::clone(cx.model("target_model", &self.target_model)?);
        Ok(Box::new(Derive { target }))
    }

    fn emits(&self, cx: &EmitContext<'_>) -> Vec<Emission> {
        cx.of_model(&self.target_model)
    }
}

inventory::submit! { EnginePlugin::of::<DeriveConfig>(module_path!()) }

struct Derive {
    target: Arc<Model>,
}

#[async_trait]
impl Engine for Derive {
    async fn run(&self, batch: &Batch, cx: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        let inputs = cx.input(batch).await?;
        let stored = cx.get_many(&self.target.alias, &batch.ids).await?;
        let mut stored: HashMap<DocumentId, Document> = stored
            .into_iter()
            .flatten()
            .map(|found| (found.id.clone(), found))
            .collect();
        let mut output = Output::default();
        for input in inputs {
            let change = self.change(&input, stored.remove(&input.id));
            output.changes.extend(change);
        }
        Ok(output)
    }
}

impl Derive {
    fn change(&self, input: &Document, stored: Option<Document>) -> Option<Change> {
        let value = input.source.get("value")?.as_i64()?;
        let inputs = vec![input.id.clone()];
        let change = match stored {
            Some(stored) if value < 0 => Change::delete(stored, inputs),
            None if value < 0 => return None,
            stored => {
                let before = stored.as_ref().map(|stored| stored.source.clone());
                let mut document = stored.unwrap_or_else(|| {
                    Document::new(
                        self.target.alias.clone(),
                        input.id.clone(),
                        Default::default(),
                    )
                });
                document.set("site", input.source.get("site").cloned());
                document.set("value", json!(2 * value));
                Change::write(document, before, inputs)
            }
        };
        Some(change.announced(Announcement {
            subject: self.target.alias.to_string(),
            document_class: self.target.name.clone(),
        }))
    }
}
