//! The wire format, the same as the Python system's, so that both can live on one broker.

use serde::{Deserialize, Serialize};

use crate::document::DocumentId;

/// Tells which documents are new. JSON object; every key may be absent, an unknown key is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Message {
    /// When it was made, in the stored date form.
    pub date: String,
    /// UUID.
    pub message_id: String,
    /// The messages it follows from, oldest first.
    pub ancestor_ids: Vec<String>,
    /// Collector and engine ids crossed.
    pub pipeline: Vec<String>,
    /// Carried along; always true in the Python system, and read by no engine.
    pub force: bool,
    /// The documents.
    pub document_ids: Vec<DocumentId>,
    /// The indices they stand in, where known.
    pub document_indices: Vec<String>,
    /// Name of their model.
    pub document_class: String,
}

/// Why bytes are no message.
#[derive(Debug, thiserror::Error)]
#[error("malformed message: {0}")]
pub struct MessageError(#[from] serde_json::Error);

impl Default for Message {
    fn default() -> Self {
        Self {
            date: String::new(),
            message_id: String::new(),
            ancestor_ids: Vec::new(),
            pipeline: Vec::new(),
            force: true,
            document_ids: Vec::new(),
            document_indices: Vec::new(),
            document_class: String::new(),
        }
    }
}

impl Message {
    /// Reads a message; ids that come twice are kept once, in order.
    pub fn parse(body: &[u8]) -> Result<Self, MessageError> {
        let mut message: Self = serde_json::from_slice(body)?;
        let mut seen = std::collections::HashSet::new();
        message.document_ids.retain(|id| seen.insert(id.clone()));
        Ok(message)
    }

    /// The JSON text, keys in the order of the original.
    pub fn to_body(&self) -> Vec<u8> {
        // Texts, booleans and lists of texts always serialize.
        serde_json::to_vec(self).unwrap_or_default()
    }
}
