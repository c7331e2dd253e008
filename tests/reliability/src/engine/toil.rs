//! `TOIL`: takes its time, and notes that it did.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use maas_engine::engine::{
    Batch, BuildContext, BuildError, Engine, EngineConfig, EngineContext, EngineError,
    EnginePlugin, Output,
};
use maas_model::plugin::Settings;
use schemars::JsonSchema;
use serde::Deserialize;

/// Sleeps as long as the name of each document says (`2500-a`: two and a half seconds), then writes the name
/// to a file: an effect that doing it twice does not hide.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ToilConfig {
    /// The file, made when it is missing.
    log: PathBuf,
}

impl Settings for ToilConfig {
    const NAME: &'static str = "TOIL";
    const EXAMPLE: &'static str = "{ log: toil.log }";
}

impl EngineConfig for ToilConfig {
    fn build(self, _: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError> {
        Ok(Box::new(Toil { log: self.log }))
    }
}

inventory::submit! { EnginePlugin::of::<ToilConfig>(module_path!()) }

struct Toil {
    log: PathBuf,
}

#[async_trait]
impl Engine for Toil {
    async fn run(&self, batch: &Batch, _: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        for id in &batch.ids {
            let millis = id.as_str().split('-').next().unwrap_or_default();
            tokio::time::sleep(Duration::from_millis(millis.parse().unwrap_or(0))).await;
            self.note(id.as_str())
                .map_err(|error| EngineError::NotYet(error.to_string()))?;
        }
        Ok(Output::default())
    }
}

impl Toil {
    /// One write of one line, which others do not cut.
    fn note(&self, id: &str) -> std::io::Result<()> {
        let mut log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)?;
        log.write_all(format!("{id}\n").as_bytes())
    }
}
