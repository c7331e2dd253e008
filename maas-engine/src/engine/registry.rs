//! Engines by name: which are linked, and how one is made from its settings.

use std::sync::Arc;

use maas_model::model::{Model, Models};
use maas_model::pipeline::PluginUse;
use maas_model::plugin::{
    self, Emission, EmitContext, PluginInfo, PluginKind, SettingError, Settings,
};
use serde_json::Value;

use super::Engine;

/// The settings of one kind of engine, and how they become an [`Engine`].
pub trait EngineConfig: Settings {
    /// Makes the engine. No I/O: what it needs from the store it reads when it runs.
    fn build(self, cx: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError>;

    /// Everything it may publish with these settings, so that the wiring of a pipeline can be checked
    /// before it runs.
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
    pub fn model(&self, setting: &str, name: &str) -> Result<&'a Arc<Model>, BuildError> {
        self.models.get(name).ok_or_else(|| BuildError::Setting {
            path: setting.to_owned(),
            reason: match plugin::suggestion(name, self.models.keys().map(String::as_str)) {
                Some(hint) => format!("there is no model `{name}`; {hint}"),
                None => format!("there is no model `{name}`"),
            },
        })
    }
}

/// Why an engine could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No engine of this name is linked.
    #[error("there is no such engine{}", .hint.as_deref().map(|hint| format!("; {hint}")).unwrap_or_default())]
    Unknown {
        /// What may be meant.
        hint: Option<String>,
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
    build: Build,
}

type Build = fn(&Value, &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError>;

inventory::collect!(EnginePlugin);
inventory::submit! { PluginKind { kind: KIND, list: linked } }

const KIND: &str = "engine";

impl EnginePlugin {
    /// The plugin whose settings are `C`; `module` is `module_path!()` at the place of the call.
    pub const fn of<C: EngineConfig>(module: &'static str) -> Self {
        Self {
            info: PluginInfo::of::<C>(KIND, module).emitting(emits::<C>),
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
            hint: plugin::unknown_name(KIND, &plugin.name),
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

fn emits<C: EngineConfig>(settings: &Value, cx: &EmitContext<'_>) -> Vec<Emission> {
    plugin::read::<C>(settings).map_or_else(|_| Vec::new(), |config| config.emits(cx))
}

fn build_from<C: EngineConfig>(
    settings: &Value,
    cx: &BuildContext<'_>,
) -> Result<Box<dyn Engine>, BuildError> {
    match plugin::read::<C>(settings) {
        Ok(config) => config.build(cx),
        Err(errors) => Err(refused(errors)),
    }
}

/// The first error; a pipeline was checked with all of them before.
fn refused(errors: Vec<SettingError>) -> BuildError {
    let first = errors.into_iter().next();
    let error = first.unwrap_or_else(|| SettingError::new("", "the settings are wrong"));
    BuildError::Setting {
        path: error.path,
        reason: match error.hint {
            Some(hint) => format!("{}; {hint}", error.message),
            None => error.message,
        },
    }
}
