//! The registry of collectors: settings, constructor and description of each, by name.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use maas_model::plugin::{self, PluginInfo, PluginKind, SettingError, Settings};
use serde_json::Value;

use super::Collector;

/// The settings of one collector, and how it is made of them.
pub trait CollectorConfig: Settings {
    /// Makes the collector. No I/O.
    fn build(self, cx: CollectorContext) -> Result<Box<dyn Collector>, Vec<SettingError>>;
}

/// What a collector is given beside its settings.
#[derive(Clone)]
pub struct CollectorContext {
    /// The interface it works for.
    pub interface: String,
    /// What relative paths are relative to: the folder of the pipeline.
    pub base: PathBuf,
    /// Which items were taken before, by any process.
    pub taken: Arc<dyn Taken>,
}

/// Remembers the items of one interface that are done.
#[async_trait]
pub trait Taken: Send + Sync {
    /// One answer per key, in the order asked. Waits while the memory cannot be reached.
    async fn taken(&self, keys: &[String]) -> Result<Vec<bool>, maas_model::BoxError>;
}

/// Remembers nothing: every item is new.
#[derive(Debug, Clone, Copy)]
pub struct NothingTaken;

#[async_trait]
impl Taken for NothingTaken {
    async fn taken(&self, keys: &[String]) -> Result<Vec<bool>, maas_model::BoxError> {
        Ok(vec![false; keys.len()])
    }
}

/// One collector that is linked into the program.
pub struct CollectorPlugin {
    info: PluginInfo,
    build: fn(&Value, CollectorContext) -> Built,
}

type Built = Result<Box<dyn Collector>, Vec<SettingError>>;

inventory::collect!(CollectorPlugin);

inventory::submit! {
    PluginKind {
        kind: KIND,
        list: || CollectorPlugin::all().map(|plugin| plugin.info.clone()).collect(),
    }
}

const KIND: &str = "collector";

impl CollectorPlugin {
    /// Registers the collector with settings `C`; `module` is `module_path!()`.
    pub const fn of<C: CollectorConfig>(module: &'static str) -> Self {
        Self {
            info: PluginInfo::of::<C>(KIND, module),
            build: |settings, cx| plugin::read::<C>(settings)?.build(cx),
        }
    }

    /// All that are linked, in any order.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        inventory::iter::<Self>.into_iter()
    }

    /// The one with this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        Self::all().find(|plugin| plugin.info.name == name)
    }

    /// What is known of it.
    pub fn info(&self) -> &PluginInfo {
        &self.info
    }

    /// Makes a collector from settings. No I/O.
    pub fn build(
        &self,
        settings: &Value,
        cx: CollectorContext,
    ) -> Result<Box<dyn Collector>, Vec<SettingError>> {
        (self.build)(settings, cx)
    }
}
