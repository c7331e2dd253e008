//! The registry of extractors: settings, constructor and description of each, by name.

use maas_model::plugin::{self, PluginInfo, PluginKind, SettingError, Settings};
use serde_json::Value;

use super::Extractor;

/// The settings of one extractor, and how it is made of them.
pub trait ExtractorConfig: Settings {
    /// Compiles every path and expression. No I/O. All errors, not the first one only.
    ///
    /// [`Settings::check`] may leave that to this method: the registry builds to check.
    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>>;

    /// The fields that every record may have, so that an id or a partition of others can be refused;
    /// `None` where the settings do not tell. `reportName` and `reportFolder` go without saying.
    fn yields(&self) -> Option<Vec<String>> {
        None
    }
}

/// One extractor that is linked into the program.
pub struct ExtractorPlugin {
    info: PluginInfo,
    build: fn(&Value) -> Built,
}

type Built = Result<Box<dyn Extractor>, Vec<SettingError>>;

inventory::collect!(ExtractorPlugin);

inventory::submit! {
    PluginKind {
        kind: KIND,
        list: || ExtractorPlugin::all().map(|plugin| plugin.info.clone()).collect(),
    }
}

const KIND: &str = "extractor";

impl ExtractorPlugin {
    /// Registers the extractor with settings `C`; `module` is `module_path!()`.
    pub const fn of<C: ExtractorConfig>(module: &'static str) -> Self {
        let mut info = PluginInfo::of::<C>(KIND, module).yielding(|settings| {
            let config = plugin::read::<C>(settings).ok()?;
            config.yields()
        });
        // Building is pure and cheap, and the only full check of paths and expressions.
        info.check = |settings| {
            let built = plugin::read::<C>(settings).and_then(C::build);
            built.err().unwrap_or_default()
        };
        Self {
            info,
            build: |settings| plugin::read::<C>(settings)?.build(),
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
