//! Plugins by name: what is linked into the program, with settings, example and checks.
//!
//! A plugin crate registers each plugin with `inventory::submit!`; it is linked only when the program
//! names the crate (`use my_plugins as _;`). Each kind of plugin (collector, extractor, engine) submits
//! one [`PluginKind`], so that this crate can list and check plugins without knowing the kinds.

mod emission;
mod legacy;
mod near;
mod original;
mod registry;
mod settings;
mod shape;

pub use emission::{Emission, EmissionCause, EmitContext};
pub use legacy::{LegacyError, LegacyName, Translation, legacy_names, translate_legacy};
pub use near::{nearest, suggestion};
pub use original::is_of_original;
pub use registry::{DuplicatePlugin, check_registry, find, plugins, unknown_name};
pub use settings::{SettingError, Settings, read};
pub(crate) use settings::{read_as, shape_of};
pub(crate) use shape::{Fault, Segment, Shape, ShapeError, lookup_mut, path_text};

use serde_json::Value;

use crate::model::Models;

/// One kind of plugin, submitted by the crate that owns the kind.
pub struct PluginKind {
    /// `collector`, `extractor`, `engine`.
    pub kind: &'static str,
    /// All plugins of this kind that are linked, in any order.
    pub list: fn() -> Vec<PluginInfo>,
}

inventory::collect!(PluginKind);

/// What is known of one plugin without building it.
#[derive(Debug, Clone)]
pub struct PluginInfo {
    /// The kind it belongs to.
    pub kind: &'static str,
    /// The word that selects it in YAML: `file`, `json`, `CONSOLIDATE_PRODUCT`.
    pub name: &'static str,
    /// The Rust module it comes from (its first part is the crate).
    pub module: &'static str,
    /// Settings that work, as YAML.
    pub example: &'static str,
    /// JSON Schema of its settings; its `description` is the plugin's.
    pub schema: fn() -> schemars::Schema,
    /// Reads and checks settings; no I/O. All errors, not the first one only.
    pub check: fn(&Value) -> Vec<SettingError>,
    /// For engines: what it may publish with these (checked) settings; nothing for other kinds.
    pub emits: fn(&Value, &EmitContext<'_>) -> Vec<Emission>,
    /// Checks what (checked) settings say of the models of the pipeline: their names, their fields; no I/O.
    pub check_in: fn(&Value, &Models) -> Vec<SettingError>,
    /// For extractors: the fields that records have with these (checked) settings; `None` where the
    /// settings do not tell, and for other kinds.
    pub yields: fn(&Value) -> Option<Vec<String>>,
}

impl PluginInfo {
    /// What [`Settings`] tell of a plugin. `module` is the caller's `module_path!()`.
    ///
    /// The registration type of a kind is this, its constructor, and nothing else:
    ///
    /// ```
    /// # use maas_model::plugin::{PluginInfo, Settings};
    /// struct CollectorPlugin {
    ///     info: PluginInfo,
    /// }
    ///
    /// impl CollectorPlugin {
    ///     const fn of<S: Settings>(module: &'static str) -> Self {
    ///         Self { info: PluginInfo::of::<S>("collector", module) }
    ///     }
    /// }
    /// ```
    pub const fn of<S: Settings>(kind: &'static str, module: &'static str) -> Self {
        Self {
            kind,
            name: S::NAME,
            module,
            example: S::EXAMPLE,
            schema: settings::schema_of::<S>,
            check: settings::check_of::<S>,
            emits: emission::nothing,
            check_in: settings::fits_any_models,
            yields: settings::yields_anything,
        }
    }

    /// The same plugin, publishing what `emits` tells.
    pub const fn emitting(mut self, emits: fn(&Value, &EmitContext<'_>) -> Vec<Emission>) -> Self {
        self.emits = emits;
        self
    }

    /// The same plugin, whose settings name models or fields of them, which `check_in` looks up.
    pub const fn checking_in(mut self, check_in: fn(&Value, &Models) -> Vec<SettingError>) -> Self {
        self.check_in = check_in;
        self
    }

    /// The same plugin, whose records have the fields that `yields` tells.
    pub const fn yielding(mut self, yields: fn(&Value) -> Option<Vec<String>>) -> Self {
        self.yields = yields;
        self
    }

    /// The crate it comes from.
    pub fn crate_name(&self) -> &'static str {
        self.module.split("::").next().unwrap_or(self.module)
    }
}
