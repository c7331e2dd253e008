//! `SINK`: takes messages and does nothing with them.

use async_trait::async_trait;
use maas_model::plugin::Settings;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Batch, BuildContext, BuildError, Engine, EngineConfig, EngineContext, EngineError,
    EnginePlugin, Output,
};

/// Takes messages and does nothing with them: a queue that is only to be counted, or is not served yet.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SinkConfig {}

impl Settings for SinkConfig {
    const NAME: &'static str = "SINK";
    const EXAMPLE: &'static str = "{}";
}

impl EngineConfig for SinkConfig {
    fn build(self, _cx: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError> {
        Ok(Box::new(Sink))
    }
}

inventory::submit! {
    EnginePlugin::of::<SinkConfig>(module_path!()).version(env!("CARGO_PKG_VERSION"))
}

struct Sink;

#[async_trait]
impl Engine for Sink {
    async fn run(&self, batch: &Batch, _cx: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        tracing::debug!(key = %batch.routing_key, documents = batch.ids.len(), "message taken");
        Ok(Output::default())
    }
}
