//! Documents as they stand in answers.

use std::borrow::Cow;

use serde::Deserialize;

use crate::document::{Document, DocumentId, IndexName, Source, Version};

/// A document of a search, or of a read by id.
#[derive(Deserialize)]
pub(super) struct Hit<'a> {
    #[serde(rename = "_index", borrow)]
    index: Cow<'a, str>,
    #[serde(rename = "_id", borrow)]
    id: Cow<'a, str>,
    #[serde(rename = "_seq_no")]
    seq_no: Option<u64>,
    #[serde(rename = "_primary_term")]
    primary_term: Option<u64>,
    #[serde(rename = "_source")]
    source: Option<Source>,
}

impl Hit<'_> {
    /// The document. `last_index` saves checking the same name again for every document.
    pub(super) fn document(self, last_index: &mut Option<IndexName>) -> Result<Document, String> {
        let version = self.version();
        let index = match last_index {
            Some(index) if index.as_str() == self.index => index.clone(),
            _ => {
                let index = IndexName::new(self.index).map_err(|error| error.to_string())?;
                last_index.insert(index).clone()
            }
        };
        Ok(Document {
            index,
            version,
            id: DocumentId::new(self.id).map_err(|error| error.to_string())?,
            source: self.source.unwrap_or_default(),
        })
    }

    fn version(&self) -> Option<Version> {
        Some(Version {
            seq_no: self.seq_no?,
            primary_term: self.primary_term?,
        })
    }
}
