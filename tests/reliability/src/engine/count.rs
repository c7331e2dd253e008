//! `COUNT`: adds one to every document of a message. Not harmless when it is done twice, on purpose.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use maas_engine::engine::{
    Batch, BuildContext, BuildError, Change, Engine, EngineConfig, EngineContext, EngineError,
    EnginePlugin, Output,
};
use maas_model::plugin::{Emission, EmitContext, Settings};
use schemars::JsonSchema;
use serde::Deserialize;

/// Adds one to `count` of every document of a message.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CountConfig {}

impl Settings for CountConfig {
    const NAME: &'static str = "COUNT";
    const EXAMPLE: &'static str = "{}";
}

impl EngineConfig for CountConfig {
    fn build(self, _: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError> {
        Ok(Box::new(Count))
    }

    fn emits(&self, _: &EmitContext<'_>) -> Vec<Emission> {
        Vec::new()
    }
}

inventory::submit! { EnginePlugin::of::<CountConfig>(module_path!()) }

/// What was asked of all engines of this kind in this process.
#[derive(Debug, Default, Clone)]
pub struct Runs {
    /// How often each message came for the first time.
    pub begun: BTreeMap<String, usize>,
    /// How often a message was run again because somebody else was faster.
    pub repetitions: usize,
    /// Documents that were counted again for it.
    pub repeated: usize,
}

static RUNS: Mutex<Runs> = Mutex::new(Runs {
    begun: BTreeMap::new(),
    repetitions: 0,
    repeated: 0,
});

/// What was asked since the last call.
pub fn take_runs() -> Runs {
    std::mem::take(&mut *RUNS.lock().unwrap_or_else(PoisonError::into_inner))
}

struct Count;

#[async_trait]
impl Engine for Count {
    async fn run(&self, batch: &Batch, cx: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        note(batch);
        let mut output = Output::default();
        for input in cx.input(batch).await? {
            let before = input.source.clone();
            let count = before.get("count").and_then(serde_json::Value::as_u64);
            let mut document = (*input).clone();
            document.set("count", serde_json::json!(count.unwrap_or(0) + 1));
            let inputs = vec![input.id.clone()];
            output
                .changes
                .push(Change::write(document, Some(before), inputs));
        }
        Ok(output)
    }
}

fn note(batch: &Batch) {
    let mut runs = RUNS.lock().unwrap_or_else(PoisonError::into_inner);
    match batch.repetition {
        0 => {
            let id = batch.message.message_id.clone();
            *runs.begun.entry(id).or_default() += 1;
        }
        _ => {
            runs.repetitions += 1;
            runs.repeated += batch.ids.len();
        }
    }
}
