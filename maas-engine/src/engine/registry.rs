//! Engines by name: which are linked, and how one is made from its settings.

use maas_model::model::Models;
use maas_model::pipeline::PluginUse;
use maas_model::plugin::{Emission, EmitContext, PluginInfo, PluginKind, SettingError};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Engine;

/// The settings of one kind of engine, and how they become an [`Engine`].
///
/// The doc comment of the type and of its fields are the reference page of the engine.
pub trait EngineConfig: DeserializeOwned + JsonSchema + Send + Sync + Sized + 'static {
    /// The word that selects it in YAML: `CONSOLIDATE_PRODUCT`.
    const NAME: &'static str;
    /// Settings that work, as YAML.
    const EXAMPLE: &'static str;

    /// Checks fields against each other. No I/O. All errors, not the first one only.
    fn check(&self) -> Vec<SettingError> {
        Vec::new()
    }

    /// Makes the engine. Still no I/O: what it needs from the store it reads when it runs.
    fn build(self, cx: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError>;

    /// Everything it may publish with these settings when its step sends reports, so that the wiring
    /// of a pipeline can be checked before it runs.
    fn emits(&self, _cx: &EmitContext<'_>) -> Vec<Emission> {
        Vec::new()
    }
}

/// What is known when an engine is built.
#[derive(Debug, Clone, Copy)]
pub struct BuildContext<'a> {
    /// The models of the pipeline.
    pub models: &'a Models,
}

impl<'a> BuildContext<'a> {
    /// The model named by a setting.
    pub fn model(
        &self,
        setting: &str,
        name: &str,
    ) -> Result<&'a std::sync::Arc<maas_model::model::Model>, BuildError> {
        self.models.get(name).ok_or_else(|| BuildError::Setting {
            path: setting.to_owned(),
            reason: format!("there is no model `{name}` in the pipeline"),
        })
    }
}

/// Why an engine could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No engine of this name is linked.
    #[error("there is no engine `{name}`; linked are: {known}")]
    Unknown {
        /// The name.
        name: String,
        /// Those that are there.
        known: String,
    },
    /// A setting is wrong.
    #[error("setting `{path}`: {reason}")]
    Setting {
        /// Path below the engine's settings; empty for all of them.
        path: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// The engine of a step could not be made.
    #[error("{place}: engine `{name}`")]
    Step {
        /// Where the step stands in the pipeline.
        place: String,
        /// The engine.
        name: String,
        /// Why.
        #[source]
        source: Box<BuildError>,
    },
}

/// One linked engine. Submitted with
/// `inventory::submit! { EnginePlugin::of::<Settings>(module_path!()) }`.
pub struct EnginePlugin {
    /// What is known of it without building it.
    pub info: PluginInfo,
    build: fn(&Value, &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError>,
}

inventory::collect!(EnginePlugin);
inventory::submit! { PluginKind { kind: KIND, list: linked } }

const KIND: &str = "engine";

impl EnginePlugin {
    /// The plugin whose settings are `C`; `module` is `module_path!()` at the place of the call.
    pub const fn of<C: EngineConfig>(module: &'static str) -> Self {
        Self {
            info: PluginInfo {
                kind: KIND,
                name: C::NAME,
                module,
                example: C::EXAMPLE,
                schema: schema::<C>,
                check: check::<C>,
                emits: emits::<C>,
            },
            build: build_from::<C>,
        }
    }
}

/// Makes the engine that a step of a queue names.
pub fn build(plugin: &PluginUse, cx: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError> {
    let found = inventory::iter::<EnginePlugin>().find(|engine| engine.info.name == plugin.name);
    let result = match found {
        Some(engine) => (engine.build)(&plugin.settings, cx),
        None => Err(BuildError::Unknown {
            name: plugin.name.clone(),
            known: names().join(", "),
        }),
    };
    result.map_err(|error| BuildError::Step {
        place: plugin.place.clone(),
        name: plugin.name.clone(),
        source: Box::new(error),
    })
}

fn linked() -> Vec<PluginInfo> {
    inventory::iter::<EnginePlugin>()
        .map(|engine| engine.info.clone())
        .collect()
}

fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = inventory::iter::<EnginePlugin>()
        .map(|engine| engine.info.name)
        .collect();
    names.sort_unstable();
    names
}

fn schema<C: EngineConfig>() -> schemars::Schema {
    schemars::schema_for!(C)
}

fn read<C: EngineConfig>(settings: &Value) -> Result<C, SettingError> {
    // An engine without settings may be written as a bare name.
    let settings = match settings {
        Value::Null => Value::Object(serde_json::Map::new()),
        settings => settings.clone(),
    };
    serde_path_to_error::deserialize(settings).map_err(|error| SettingError {
        path: match error.path().to_string() {
            path if path == "." => String::new(),
            path => path,
        },
        message: error.inner().to_string(),
        hint: None,
    })
}

fn check<C: EngineConfig>(settings: &Value) -> Vec<SettingError> {
    match read::<C>(settings) {
        Ok(config) => config.check(),
        Err(error) => vec![error],
    }
}

fn emits<C: EngineConfig>(settings: &Value, cx: &EmitContext<'_>) -> Vec<Emission> {
    read::<C>(settings).map_or_else(|_| Vec::new(), |config| config.emits(cx))
}

fn build_from<C: EngineConfig>(
    settings: &Value,
    cx: &BuildContext<'_>,
) -> Result<Box<dyn Engine>, BuildError> {
    let config = read::<C>(settings).map_err(refused)?;
    match config.check().into_iter().next() {
        Some(error) => Err(refused(error)),
        None => config.build(cx),
    }
}

fn refused(error: SettingError) -> BuildError {
    BuildError::Setting {
        path: error.path,
        reason: match error.hint {
            Some(hint) => format!("{}; {hint}", error.message),
            None => error.message,
        },
    }
}
