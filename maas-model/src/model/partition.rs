//! How the documents of a model are spread over indices.

use crate::document::{IndexName, Source};

/// What makes the suffix of the index name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// One field and a strftime format (a format without `%` is literal), or several and a `{name}` template.
    pub fields: Vec<String>,
    /// The format.
    pub format: String,
}

/// Why a document has no index.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("no index for a `{model}`: {reason}")]
pub struct PartitionError {
    /// The model.
    pub model: String,
    /// What is wrong with the partition field.
    pub reason: String,
}

impl super::Model {
    /// The concrete index of a (coerced) document.
    pub fn index_of(&self, _source: &Source) -> Result<IndexName, PartitionError> {
        Ok(self.alias.clone())
    }
}
