//! Plugins by name: what is linked into the program, with settings, example and checks.
//!
//! A plugin crate registers each plugin with `inventory::submit!`; it is linked only when the program
//! names the crate (`use my_plugins as _;`). Each kind of plugin (collector, extractor, engine) submits
//! one [`PluginKind`], so that this crate can list and check plugins without knowing the kinds.

use serde_json::Value;

/// One kind of plugin, submitted by the crate that owns the kind.
pub struct PluginKind {
    /// `collector`, `extractor`, `engine`.
    pub kind: &'static str,
    /// All plugins of this kind that are linked, in any order.
    pub list: fn() -> Vec<PluginInfo>,
}

inventory::collect!(PluginKind);

/// What is known of one plugin without building it.
#[derive(Clone)]
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
    /// For engines: what it may publish with these settings; empty for other kinds.
    pub emits: fn(&Value, &EmitContext<'_>) -> Vec<Emission>,
}

/// What is wrong with one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingError {
    /// Path below the plugin's settings: `paths[1]`; empty for all of them.
    pub path: String,
    /// What is wrong: ``unknown field `pth` ``.
    pub message: String,
    /// What to do: ``did you mean `path`?``.
    pub hint: Option<String>,
}

/// What an engine needs to know to tell what it may publish.
pub struct EmitContext<'a> {
    /// The models of the pipeline.
    pub models: &'a crate::model::Models,
    /// The raw or consolidated class of the messages, where the queue tells.
    pub document_class: Option<&'a str>,
}

/// Messages that an engine may publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emission {
    /// Their routing key, or a pattern of it.
    pub key: crate::message::KeyPattern,
    /// Whether only documents that changed are announced, so that a cycle through it comes to an end.
    pub only_changed: bool,
}
