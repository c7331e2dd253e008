//! Values as the declared types want them.

use crate::document::Source;

/// Why a value does not fit its field.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("field `{field}` ({kind}) cannot take `{value}`: {reason}")]
pub struct CoerceError {
    /// Path of the field.
    pub field: String,
    /// Its type.
    pub kind: String,
    /// The value, shortened.
    pub value: String,
    /// What is wrong.
    pub reason: String,
}

impl super::Model {
    /// Brings every declared field into the form of its type and drops what is empty. All errors.
    pub fn coerce(&self, _source: &mut Source) -> Result<(), Vec<CoerceError>> {
        Ok(())
    }
}
