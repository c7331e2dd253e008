//! The settings of a plugin: read strictly from the tree that the file gave, with all errors.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::shape::{Shape, path_text};
use crate::model::Models;

/// The settings of a plugin: the struct is the plugin's reference page.
///
/// Derive `Deserialize` with `#[serde(deny_unknown_fields)]` and `JsonSchema`; the doc comment of the
/// struct describes the plugin, that of each field the setting. No `#[serde(flatten)]`: it would let
/// unknown keys pass.
pub trait Settings: DeserializeOwned + JsonSchema + 'static {
    /// The word that selects the plugin in YAML.
    const NAME: &'static str;
    /// Settings that work, as YAML.
    const EXAMPLE: &'static str;

    /// Looks at fields that the type allows and that are wrong all the same, alone or together. No I/O.
    fn check(&self) -> Vec<SettingError> {
        Vec::new()
    }
}

/// What is wrong with one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingError {
    /// Path below the plugin's settings: `paths[1]`; empty for all of them.
    pub path: String,
    /// What is wrong: ``unknown key `pth` ``.
    pub message: String,
    /// What to do: ``did you mean `paths`?``.
    pub hint: Option<String>,
}

impl SettingError {
    /// An error of the setting at `path`, without hint.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
            hint: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Reads settings. All errors: unknown and missing keys and wrong types everywhere in them, or, where
/// there are none, what [`Settings::check`] finds.
pub fn read<S: Settings>(value: &Value) -> Result<S, Vec<SettingError>> {
    let settings: S = read_as(value)?;
    let errors = settings.check();
    if errors.is_empty() {
        Ok(settings)
    } else {
        Err(errors)
    }
}

/// [`read`] without [`Settings::check`], for any strict type.
pub(crate) fn read_as<T: DeserializeOwned + JsonSchema + 'static>(
    value: &Value,
) -> Result<T, Vec<SettingError>> {
    let shape_errors = shape_of::<T>().errors(value);
    let mut errors: Vec<SettingError> = shape_errors.into_iter().map(SettingError::from).collect();
    match serde_path_to_error::deserialize(value) {
        Ok(settings) if errors.is_empty() => return Ok(settings),
        // A rule that the schema has and serde does not: a length, a pattern, a range.
        Ok(_) => {}
        Err(error) => {
            let path = path_text(&segments(error.path()));
            // Mostly the first of those that the schema found too.
            if errors.is_empty() || !errors.iter().any(|known| related(&known.path, &path)) {
                errors.push(SettingError::new(path, error.into_inner().to_string()));
            }
        }
    }
    Err(errors)
}

fn related(a: &str, b: &str) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

fn segments(path: &serde_path_to_error::Path) -> Vec<super::Segment> {
    use serde_path_to_error::Segment;
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(super::Segment::Index(*index)),
            Segment::Map { key } => Some(super::Segment::Key(key.clone())),
            Segment::Enum { variant } => Some(super::Segment::Key(variant.clone())),
            Segment::Unknown => None,
        })
        .collect()
}

/// Making a schema costs more than reading settings; each is made once.
pub(crate) fn shape_of<T: JsonSchema + 'static>() -> Arc<Shape> {
    static SHAPES: OnceLock<Mutex<HashMap<TypeId, Arc<Shape>>>> = OnceLock::new();
    let shapes = SHAPES.get_or_init(Mutex::default);
    let mut shapes = shapes.lock().unwrap_or_else(PoisonError::into_inner);
    let shape = shapes
        .entry(TypeId::of::<T>())
        .or_insert_with(|| Arc::new(Shape::new(schemars::schema_for!(T))));
    Arc::clone(shape)
}

pub(super) fn schema_of<S: Settings>() -> schemars::Schema {
    schemars::schema_for!(S)
}

pub(super) fn check_of<S: Settings>(value: &Value) -> Vec<SettingError> {
    read::<S>(value).err().unwrap_or_default()
}

pub(super) fn fits_any_models(_settings: &Value, _models: &Models) -> Vec<SettingError> {
    Vec::new()
}

pub(super) fn yields_anything(_settings: &Value) -> Option<Vec<String>> {
    None
}
