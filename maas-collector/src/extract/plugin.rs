//! The registry of extractors: settings, constructor and description of each, by name.

use maas_model::plugin::{PluginInfo, PluginKind, SettingError};
use serde_json::Value;

use super::Extractor;
use crate::registry;

/// The settings of one extractor: its reference page, its check and its constructor.
pub trait ExtractorConfig: serde::de::DeserializeOwned + schemars::JsonSchema {
    /// The word that selects it in YAML.
    const NAME: &'static str;
    /// Settings that work, as YAML.
    const EXAMPLE: &'static str;

    /// Compiles every path and expression of the settings. No I/O. All errors, not the first one only.
    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>>;
}

/// One extractor that is linked into the program.
pub struct ExtractorPlugin {
    info: PluginInfo,
    build: fn(&Value) -> Result<Box<dyn Extractor>, Vec<SettingError>>,
}

inventory::collect!(ExtractorPlugin);

inventory::submit! {
    PluginKind {
        kind: "extractor",
        list: || ExtractorPlugin::all().map(|plugin| plugin.info.clone()).collect(),
    }
}

impl ExtractorPlugin {
    /// Registers the extractor with settings `C`; `module` is `module_path!()`.
    pub const fn of<C: ExtractorConfig>(module: &'static str) -> Self {
        Self {
            info: PluginInfo {
                kind: "extractor",
                name: C::NAME,
                module,
                example: C::EXAMPLE,
                schema: || schemars::schema_for!(C),
                // Building is pure and cheap, and the only full check of paths and expressions.
                check: |settings| {
                    let built = registry::read::<C>(settings).and_then(C::build);
                    built.err().unwrap_or_default()
                },
                emits: |_, _| Vec::new(),
            },
            build: |settings| registry::read::<C>(settings).and_then(C::build),
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

    /// Makes an extractor from settings. No I/O.
    pub fn build(&self, settings: &Value) -> Result<Box<dyn Extractor>, Vec<SettingError>> {
        (self.build)(settings)
    }
}
