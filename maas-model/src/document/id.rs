//! Document ids, and how they are made from a record.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Source;

/// The id of a document within its index: not empty, at most 512 bytes (OpenSearch's limit).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DocumentId(Arc<str>);

/// What an id is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdFields {
    /// The value of one field as it is.
    Field(String),
    /// Lower-case hex MD5 of the concatenated texts of several fields, as the Python system makes it.
    Digest(Vec<String>),
}

/// Why a text or record gives no id.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdError {
    /// The text itself.
    #[error("`{text}` is no document id: {reason}")]
    Text {
        /// The text.
        text: String,
        /// The rule it breaks.
        reason: &'static str,
    },
    /// A field of the id is not in the record.
    #[error("the record lacks `{field}`, which its id is made of")]
    Missing {
        /// The field.
        field: String,
    },
    /// A single-field id is neither text nor number.
    #[error("`{field}` cannot be an id: it is {found}")]
    Kind {
        /// The field.
        field: String,
        /// What it is.
        found: &'static str,
    },
}

impl DocumentId {
    /// Checks `id`.
    pub fn new(id: impl Into<String>) -> Result<Self, IdError> {
        let id = id.into();
        let reason = if id.is_empty() {
            "it is empty"
        } else if id.len() > 512 {
            "it is longer than 512 bytes"
        } else {
            return Ok(Self(id.into()));
        };
        Err(IdError::Text { text: id, reason })
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl IdFields {
    /// The id of a record, from its values before coercion.
    pub fn id_of(&self, _record: &Source) -> Result<DocumentId, IdError> {
        DocumentId::new("")
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl Borrow<str> for DocumentId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DocumentId {
    type Error = IdError;

    fn try_from(id: String) -> Result<Self, IdError> {
        Self::new(id)
    }
}

impl From<DocumentId> for String {
    fn from(id: DocumentId) -> Self {
        id.0.as_ref().to_owned()
    }
}
