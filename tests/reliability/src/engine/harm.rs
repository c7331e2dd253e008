//! `HARM`: copies documents, and does to its process what one of them says.

use std::sync::Arc;

use async_trait::async_trait;
use maas_engine::engine::{
    Announcement, Batch, BuildContext, BuildError, Change, Engine, EngineConfig, EngineContext,
    EngineError, EnginePlugin, Output,
};
use maas_model::document::Document;
use maas_model::model::Model;
use maas_model::plugin::{Emission, EmitContext, Settings};
use schemars::JsonSchema;
use serde::Deserialize;

/// Copies each document of a message, unless the field `harm` of one names what the engine is to suffer from it:
/// `abort`, `overflow`, `memory`, `loop`, `panic` or `fail`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HarmConfig {
    /// The model of the documents that are written; it declares `value` and `healthy`.
    target_model: String,
}

impl Settings for HarmConfig {
    const NAME: &'static str = "HARM";
    const EXAMPLE: &'static str = "{ target_model: Done }";
}

impl EngineConfig for HarmConfig {
    fn build(self, cx: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError> {
        let target = Arc::clone(cx.model("target_model", &self.target_model)?);
        Ok(Box::new(Harm { target }))
    }

    fn emits(&self, cx: &EmitContext<'_>) -> Vec<Emission> {
        let Some(target) = cx.models.get(&self.target_model) else {
            return Vec::new();
        };
        Emission::of_writes(target.alias.as_str(), &target.name).unwrap_or_default()
    }
}

inventory::submit! {
    EnginePlugin::of::<HarmConfig>(module_path!()).version(env!("CARGO_PKG_VERSION"))
}

struct Harm {
    target: Arc<Model>,
}

#[async_trait]
impl Engine for Harm {
    async fn run(&self, batch: &Batch, cx: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        let inputs = cx.input(batch).await?;
        let stored = cx.get_many(&self.target.alias, &batch.ids).await?;
        let mut output = Output::default();
        for (input, stored) in inputs.iter().zip(stored) {
            suffer(input.text("harm").unwrap_or_default())?;
            let before = stored.as_ref().map(|stored| stored.source.clone());
            let (index, id) = (self.target.alias.clone(), input.id.clone());
            let mut document =
                stored.unwrap_or_else(|| Document::new(index, id, Default::default()));
            for field in ["value", "healthy"] {
                document.set(field, input.source.get(field).cloned());
            }
            let change = Change::write(document, before, vec![input.id.clone()]);
            output.changes.push(change.announced(Announcement {
                subject: self.target.alias.to_string(),
                document_class: self.target.name.clone(),
            }));
        }
        Ok(output)
    }
}

#[allow(clippy::panic)] // What it is for.
fn suffer(harm: &str) -> Result<(), EngineError> {
    match harm {
        "abort" => std::process::abort(),
        "overflow" => {
            std::hint::black_box(deep(&[0; 512]));
        }
        "memory" => {
            std::hint::black_box(vec![1_u8; 4 << 30]);
        }
        "loop" => loop {
            std::hint::spin_loop();
        },
        "panic" => panic!("as the document says"),
        "fail" => return Err(EngineError::Refused("as the document says".to_owned())),
        _ => {}
    }
    Ok(())
}

/// Deeper than any stack.
#[allow(unconditional_recursion)]
fn deep(above: &[u8; 512]) -> u64 {
    let mut here = *above;
    here[0] = here[0].wrapping_add(1);
    deep(std::hint::black_box(&here)) + u64::from(here[0])
}
