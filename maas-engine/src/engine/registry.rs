//! Engines by name: which are linked, and how one is made from its settings.

use std::sync::Arc;

use maas_model::model::{Field, Model, Models};
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

    /// Looks up what the settings say of the models of the pipeline: all mistakes, so that they are told
    /// before it runs. Where this finds none, [`build`](Self::build) is tried too: an engine that only
    /// names models need not write this.
    fn check_in(&self, _cx: &BuildContext<'_>) -> Vec<SettingError> {
        Vec::new()
    }

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
    /// The model named by a setting; `setting` is empty for one that the engine needs whatever the
    /// settings are.
    pub fn model(&self, setting: &str, name: &str) -> Result<&'a Arc<Model>, SettingError> {
        let describe = || format!("describe `{name}` under `models`");
        self.models.get(name).ok_or_else(|| match setting {
            "" => SettingError::new(
                "",
                format!("it needs the model `{name}`, which is not there"),
            )
            .hint(describe()),
            setting => SettingError::new(setting, format!("unknown model `{name}`")).hint(
                plugin::suggestion(name, self.models.keys().map(String::as_str))
                    .unwrap_or_else(describe),
            ),
        })
    }

    /// Models that the engine needs whatever the settings are and that are not there: for
    /// [`EngineConfig::check_in`], so that not only the first one is told.
    pub fn missing(&self, names: &[&str]) -> Vec<SettingError> {
        let found = names.iter().map(|name| self.model("", name));
        found.filter_map(Result::err).collect()
    }

    /// The field of a model at the path that a setting names. Documents may have undeclared fields, but
    /// stores treat them as they like: what settings work with is to be declared.
    pub fn field<'m>(
        &self,
        setting: &str,
        model: &'m Model,
        path: &str,
    ) -> Result<&'m Field, SettingError> {
        model.field(path).ok_or_else(|| {
            let message = format!("`{}` has no field `{path}`", model.name);
            let hint = plugin::suggestion(path, model.fields.keys().map(String::as_str));
            SettingError {
                hint,
                ..SettingError::new(setting, message)
            }
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
    #[error("{}", told(.0))]
    Setting(SettingError),
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

impl From<SettingError> for BuildError {
    fn from(error: SettingError) -> Self {
        Self::Setting(error)
    }
}

fn told(error: &SettingError) -> String {
    let place = match error.path.as_str() {
        "" => String::new(),
        path => format!("setting `{path}`: "),
    };
    let hint = error.hint.as_deref().map(|hint| format!("; {hint}"));
    format!("{place}{}{}", error.message, hint.unwrap_or_default())
}

/// One linked engine. Submitted with
/// `inventory::submit! { EnginePlugin::of::<Settings>(module_path!()) }`.
pub struct EnginePlugin {
    /// What is known of it without building it.
    pub info: PluginInfo,
    build: Build,
    version: Option<&'static str>,
}

type Build = fn(&Value, &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError>;

inventory::collect!(EnginePlugin);
inventory::submit! { PluginKind { kind: KIND, list: linked } }

const KIND: &str = "engine";

impl EnginePlugin {
    /// The plugin whose settings are `C`; `module` is `module_path!()` at the place of the call.
    pub const fn of<C: EngineConfig>(module: &'static str) -> Self {
        Self {
            info: PluginInfo::of::<C>(KIND, module)
                .emitting(emits::<C>)
                .checking_in(check_in::<C>),
            build: build_from::<C>,
            version: None,
        }
    }

    /// The same plugin, whose crate has this version: `.version(env!("CARGO_PKG_VERSION"))`. Dead letters that
    /// it caused name it.
    #[must_use]
    pub const fn version(mut self, version: &'static str) -> Self {
        self.version = Some(version);
        self
    }

    /// Its crate, with the version where that is told: `maas-cds 1.2.0`.
    pub fn maker(&self) -> String {
        let name = self.info.crate_name();
        match self.version {
            Some(version) => format!("{name} {version}"),
            None => name.to_owned(),
        }
    }
}

/// The crate of a linked engine, with its version where that is told.
pub(crate) fn maker(name: &str) -> String {
    let mut engines = inventory::iter::<EnginePlugin>();
    let found = engines.find(|engine| engine.info.name == name);
    found.map(EnginePlugin::maker).unwrap_or_default()
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

fn check_in<C: EngineConfig>(settings: &Value, models: &Models) -> Vec<SettingError> {
    // Settings that cannot be read were refused before.
    let Ok(config) = plugin::read::<C>(settings) else {
        return Vec::new();
    };
    let cx = BuildContext { models };
    let errors = config.check_in(&cx);
    if !errors.is_empty() {
        return errors;
    }
    match config.build(&cx) {
        Ok(_) => Vec::new(),
        Err(BuildError::Setting(error)) => vec![error],
        Err(other) => vec![SettingError::new("", other.to_string())],
    }
}

/// The first error; a pipeline was checked with all of them before.
fn refused(errors: Vec<SettingError>) -> BuildError {
    let first = errors.into_iter().next();
    first
        .unwrap_or_else(|| SettingError::new("", "the settings are wrong"))
        .into()
}
