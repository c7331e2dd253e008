//! `INFLATE`: a document of a size that its input asks for, with fields that a store may refuse.

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
use serde_json::Value;

/// Keeps one document for each document of a message: `size` bytes of filler, and its `extra`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InflateConfig {
    /// The model of the documents that are written.
    target_model: String,
}

impl Settings for InflateConfig {
    const NAME: &'static str = "INFLATE";
    const EXAMPLE: &'static str = "{ target_model: Product }";
}

impl EngineConfig for InflateConfig {
    fn build(self, cx: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError> {
        let target = Arc::clone(cx.model("target_model", &self.target_model)?);
        Ok(Box::new(Inflate { target }))
    }

    fn emits(&self, cx: &EmitContext<'_>) -> Vec<Emission> {
        let target = cx.models.get(&self.target_model);
        target
            .and_then(|target| Emission::of_writes(target.alias.as_str(), &target.name).ok())
            .unwrap_or_default()
    }
}

inventory::submit! { EnginePlugin::of::<InflateConfig>(module_path!()) }

struct Inflate {
    target: Arc<Model>,
}

#[async_trait]
impl Engine for Inflate {
    async fn run(&self, batch: &Batch, cx: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        let inputs = cx.input(batch).await?;
        let stored = cx.get_many(&self.target.alias, &batch.ids).await?;
        let stored = stored.into_iter().flatten();
        let mut stored: HashMap<DocumentId, Document> =
            stored.map(|found| (found.id.clone(), found)).collect();
        let mut output = Output::default();
        for input in inputs {
            let before = stored.remove(&input.id);
            output.changes.push(self.change(&input, before));
        }
        Ok(output)
    }
}

impl Inflate {
    fn change(&self, input: &Document, stored: Option<Document>) -> Change {
        let before = stored.as_ref().map(|stored| stored.source.clone());
        let mut document = stored.unwrap_or_else(|| {
            let alias = self.target.alias.clone();
            Document::new(alias, input.id.clone(), Default::default())
        });
        let size = input
            .source
            .get("size")
            .and_then(Value::as_u64)
            .unwrap_or(0);
        let filler = "x".repeat(usize::try_from(size).unwrap_or(0));
        document.set("filler", Value::String(filler));
        if let Some(extra) = input.source.get("extra") {
            document.set("extra", extra.clone());
        }
        Change::write(document, before, vec![input.id.clone()]).announced(Announcement {
            subject: self.target.alias.to_string(),
            document_class: self.target.name.clone(),
        })
    }
}
