//! The engine `DOUBLE`: twice a number, in a document of another model.

use async_trait::async_trait;
use maas_engine::engine::{
    Announcement, Batch, BuildContext, BuildError, Change, Engine, EngineConfig, EngineContext,
    EngineError, EnginePlugin, Output,
};
use maas_model::document::Document;
use maas_model::plugin::Settings;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// Writes twice the number of each document into a document with the same id.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DoubleConfig {
    /// The model of the documents that are written; it declares `number` and `twice`.
    target_model: String,
}

impl Settings for DoubleConfig {
    const NAME: &'static str = "DOUBLE";
    const EXAMPLE: &'static str = "{ target_model: Doubled }";
}

impl EngineConfig for DoubleConfig {
    fn build(self, cx: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError> {
        cx.model("target_model", &self.target_model)?;
        Ok(Box::new(Double {
            target: self.target_model,
        }))
    }
}

inventory::submit! {
    EnginePlugin::of::<DoubleConfig>(module_path!()).version(env!("CARGO_PKG_VERSION"))
}

struct Double {
    target: String,
}

#[async_trait]
impl Engine for Double {
    async fn run(&self, batch: &Batch, cx: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        let target = cx.model(&self.target)?;
        let numbers = cx.input(batch).await?;
        let stored = cx.get_many(&target.alias, &batch.ids).await?;
        let mut stored: std::collections::HashMap<_, _> = stored
            .into_iter()
            .flatten()
            .map(|found| (found.id.clone(), found))
            .collect();
        let mut output = Output::default();
        for number in numbers {
            let Some(value) = number.source.get("number").and_then(|value| value.as_i64()) else {
                continue;
            };
            let before = stored.remove(&number.id);
            let mut document = before.clone().unwrap_or_else(|| {
                Document::new(target.alias.clone(), number.id.clone(), Default::default())
            });
            document.set("number", json!(value));
            document.set("twice", json!(2 * value));
            let before = before.map(|found| found.source);
            let change = Change::write(document, before, vec![number.id.clone()]);
            output.changes.push(change.announced(Announcement {
                subject: target.alias.to_string(),
                document_class: target.name.clone(),
            }));
        }
        Ok(output)
    }
}
