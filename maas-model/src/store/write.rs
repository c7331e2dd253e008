//! What can be asked of a store for one document, and what came of it.

use crate::document::{DocumentId, IndexName, Source, Version};

/// One document to write.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteAction {
    /// The concrete index. Never an alias.
    pub index: IndexName,
    /// The document.
    pub id: DocumentId,
    /// What to do.
    pub op: WriteOp,
}

/// What to do with one document.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteOp {
    /// Writes a document that must not exist; otherwise [`WriteOutcome::Conflict`].
    Create(Source),
    /// Writes the whole document; with a version only while the stored one still has it, otherwise
    /// (also when it is gone) [`WriteOutcome::Conflict`].
    Index(Source, Option<Version>),
    /// Removes it; with a version only while the stored one still has it.
    Delete(Option<Version>),
}

/// What came of one [`WriteAction`].
#[derive(Debug, Clone, PartialEq)]
pub enum WriteOutcome {
    /// It did not exist and does now, at this version.
    Created(Version),
    /// It existed and was replaced; this is its version now.
    Updated(Version),
    /// It is gone.
    Deleted,
    /// There was nothing to delete.
    NotFound,
    /// The stored document is not at the version named, or exists when it must not. Read it again.
    Conflict,
    /// The store will never take this document as it is (type of a field, size).
    Refused {
        /// The field at fault, where the store names it.
        field: Option<String>,
        /// The store's own words.
        reason: String,
    },
    /// The store has no room for it now, and did nothing: the same action may be sent again later.
    Busy {
        /// The store's own words.
        reason: String,
    },
    /// The answer is lost, or is none: it may have been done or not. Read again before you send it again;
    /// what is found done need not be somebody else's work.
    Unknown {
        /// What happened.
        reason: String,
    },
}

impl WriteOutcome {
    /// Whether the document is in the state asked for.
    pub fn is_done(&self) -> bool {
        matches!(
            self,
            Self::Created(_) | Self::Updated(_) | Self::Deleted | Self::NotFound
        )
    }
}
