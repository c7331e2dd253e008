//! Compares a tree with a JSON Schema as schemars makes it, and tells all differences.
//!
//! serde stops at its first error; a person wants all of them, with the name that was probably meant.
//! The keywords are those that schemars derives; a test compares the verdict with a full validator.

mod choice;
mod path;
mod schema;
mod secret;
mod walk;
mod words;

use serde_json::Value;

pub(crate) use self::path::{Segment, lookup_mut, path_text};
use self::walk::Walk;
use super::SettingError;

/// How deep schemas and trees are followed; deeper ones are refused by the YAML budget already.
const MAX_DEPTH: usize = 128;

/// A JSON Schema to compare trees with.
#[derive(Debug)]
pub(crate) struct Shape {
    root: Value,
}

/// One difference.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ShapeError {
    /// Where.
    pub(crate) path: Vec<Segment>,
    /// Of what sort.
    pub(crate) fault: Fault,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) hint: Option<String>,
}

/// The sort of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The path leads to a key that does not belong there.
    Unknown,
    /// The path leads to a map that lacks a key.
    Missing,
    /// A value of the wrong type.
    Type,
    /// A value of the right type that is not allowed.
    Value,
}

impl From<ShapeError> for SettingError {
    fn from(error: ShapeError) -> Self {
        Self {
            path: path_text(&error.path),
            message: error.message,
            hint: error.hint,
        }
    }
}

impl Shape {
    pub(crate) fn new(schema: schemars::Schema) -> Self {
        Self {
            root: schema.to_value(),
        }
    }

    /// All differences, in the order of the tree.
    pub(crate) fn errors(&self, value: &Value) -> Vec<ShapeError> {
        Walk::at(&self.root, Vec::new()).errors(&self.root, value)
    }

    /// Adds the defaults that the schema tells for keys that are not there.
    pub(crate) fn fill_defaults(&self, value: &mut Value) {
        let (Value::Object(fields), Some(Value::Object(properties))) =
            (value, self.root.get("properties"))
        else {
            return;
        };
        for (name, property) in properties {
            if let Some(default) = property.get("default").filter(|default| !default.is_null()) {
                fields.entry(name).or_insert_with(|| default.clone());
            }
        }
    }
}
