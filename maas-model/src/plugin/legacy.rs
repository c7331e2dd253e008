//! Plugins by the names that they have in configurations of the Python system.
//!
//! Each plugin registers the old names that it stands for beside itself; whoever reads an old
//! configuration asks here and needs to know no plugin.

use serde_json::Value;

use super::{SettingError, suggestion};

/// An old name of a plugin, submitted by the file of the plugin.
pub struct LegacyName {
    /// `collector`, `extractor`, `engine`.
    pub kind: &'static str,
    /// The class or the engine id there: `JSONExtractor`.
    pub class: &'static str,
    /// Old settings in words of ours. Paths of errors are those of the old settings.
    pub translate: fn(&Value) -> Result<Translation, Vec<SettingError>>,
}

inventory::collect!(LegacyName);

/// What old settings are here.
#[derive(Debug, Clone, PartialEq)]
pub struct Translation {
    /// The name of the plugin.
    pub plugin: &'static str,
    /// Its settings.
    pub settings: Value,
    /// What the old settings hold and nothing obeys, with its path in the old settings.
    pub warnings: Vec<SettingError>,
}

/// Why old settings cannot be translated.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LegacyError {
    /// No plugin that is linked stands for the class.
    #[error("no {kind} stands for `{class}`")]
    UnknownClass {
        /// The kind that was asked for.
        kind: &'static str,
        /// The old name.
        class: String,
        /// What may be meant.
        hint: Option<String>,
    },
    /// The settings are wrong; paths are those of the old settings.
    #[error("{}", .0.iter().map(|error| format!("`{}`: {}", error.path, error.message)).collect::<Vec<_>>().join("; "))]
    Settings(Vec<SettingError>),
}

/// The plugin of ours that does the work of `class`, with its settings.
///
/// `settings`: for an extractor the `extractor` object (`class`, `args`, `converter_map`), for a collector
/// the object of the collector, for an engine its arguments.
pub fn translate_legacy(
    kind: &'static str,
    class: &str,
    settings: &Value,
) -> Result<Translation, LegacyError> {
    match legacy_names(kind).find(|name| name.class == class) {
        Some(name) => (name.translate)(settings).map_err(LegacyError::Settings),
        None => Err(LegacyError::UnknownClass {
            kind,
            class: class.to_owned(),
            hint: suggestion(class, legacy_names(kind).map(|name| name.class)),
        }),
    }
}

/// The old names of one kind, in any order.
pub fn legacy_names(kind: &str) -> impl Iterator<Item = &'static LegacyName> {
    let names = inventory::iter::<LegacyName>.into_iter();
    names.filter(move |name| name.kind == kind)
}
