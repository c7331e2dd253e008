//! The engine contract, the registry of engines, and the engines that belong to no domain.

use std::sync::Arc;

use async_trait::async_trait;
use maas_model::document::{Document, DocumentId, IndexName, Source};
use maas_model::message::{Message, RoutingKey};

pub mod aggregate;
pub mod consolidate;
pub mod query;
pub mod registry;
pub mod replicate;
pub mod sink;

pub use crate::pool::context::{EngineContext, Reads};
pub use crate::pool::session::Session;
pub use registry::{BuildContext, BuildError, EngineConfig, EnginePlugin};

/// Computes. Reads through `cx`; never writes, never publishes: the pool does both from [`Output`].
///
/// Built once per pool and shared by its workers; what it keeps over messages lives in it behind a lock.
/// Run once per message, and again for the documents alone whose version was overtaken by another
/// worker. Same input and same store, same output: doing it twice changes nothing the second time.
///
/// Two rules make concurrent workers end as if they had worked one after the other: a document that
/// is written was read *before* the searches its new content is made from, and every document the
/// engine is in charge of is returned, changed or not (the pool writes only what changed).
#[async_trait]
pub trait Engine: Send + Sync {
    /// Works on all documents of the batch together.
    async fn run(&self, batch: &Batch, cx: &mut EngineContext<'_>) -> Result<Output, EngineError>;

    /// Whether its reports are merged with those of the same key of the engines beside it. `false`:
    /// each of its reports becomes messages of its own.
    fn merge_reports(&self) -> bool {
        true
    }
}

/// What one engine is to work on.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The message that woke the pool.
    pub message: Arc<Message>,
    /// Its key.
    pub routing_key: RoutingKey,
    /// The documents to work on: those of the message, each once, in its order; on a repetition after a
    /// conflict only the inputs of the documents in conflict.
    pub ids: Vec<DocumentId>,
    /// 0, and more on a repetition after a conflict.
    pub repetition: u32,
}

/// What an engine wants done.
#[derive(Debug, Default)]
pub struct Output {
    /// Documents to write or delete, each at most once.
    pub changes: Vec<Change>,
    /// Messages that follow from no write.
    pub notices: Vec<Notice>,
    /// Inputs that could not be used: each becomes a dead letter, the rest goes on.
    pub failures: Vec<Failure>,
    /// What is published first.
    pub order: ReportOrder,
}

/// In which order the messages of one engine are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReportOrder {
    /// What was written, then the notices.
    #[default]
    WritesFirst,
    /// The notices, then what was written.
    NoticesFirst,
}

/// One document to write or delete.
#[derive(Debug)]
pub struct Change {
    /// The document as it shall be. With a version: as read, changed only if nobody was faster; without:
    /// created, and in conflict if it exists. Null, `[]` and `{}` at its top level are not stored;
    /// `updateTime` is set by the pool where the model declares it.
    pub document: Document,
    /// Write or delete.
    pub kind: ChangeKind,
    /// Its content as it was read; `None` for a new one. The pool writes only if something changed.
    pub before: Option<Source>,
    /// The ids of the batch it was made from: what is run again after a conflict. Empty: all of them.
    pub inputs: Vec<DocumentId>,
    /// How it is announced; `None`: not at all.
    pub report: Option<Announcement>,
}

impl Change {
    /// Creates or replaces `document`, whose content was `before`, made from `inputs`.
    pub fn write(document: Document, before: Option<Source>, inputs: Vec<DocumentId>) -> Self {
        Self {
            document,
            kind: ChangeKind::Write,
            before,
            inputs,
            report: None,
        }
    }

    /// Deletes `document` as it was read.
    pub fn delete(document: Document, inputs: Vec<DocumentId>) -> Self {
        Self {
            document,
            kind: ChangeKind::Delete,
            before: None,
            inputs,
            report: None,
        }
    }

    /// Announced like this.
    #[must_use]
    pub fn announced(mut self, report: impl Into<Option<Announcement>>) -> Self {
        self.report = report.into();
        self
    }
}

/// Write or delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// Create or replace.
    Write,
    /// Delete.
    Delete,
}

/// How a written document is announced.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Announcement {
    /// What follows `new.`, `update.` or `delete.` (from the write outcome): `cds-product-s1`.
    pub subject: String,
    /// The class named in the message.
    pub document_class: String,
}

/// A message to publish that follows from no write: the key is the engine's own.
///
/// An id that is also the id of a [`Change`] of the same engine is named only if that document was
/// written (changed, or forced): what did not change wakes nobody.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// Its key.
    pub routing_key: RoutingKey,
    /// The class named in it.
    pub document_class: String,
    /// The documents named in it.
    pub ids: Vec<DocumentId>,
    /// Indices named in it beside those that the documents of the same output stand in.
    pub indices: Vec<IndexName>,
    /// Most ids in one message; 0: no limit.
    pub chunk_size: usize,
}

/// An input that could not be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// The input.
    pub id: DocumentId,
    /// What is wrong with it.
    pub reason: String,
}

/// Why an engine could not work on its batch.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] maas_model::store::StoreError),
    /// Something is not there yet; the message is tried again later.
    #[error("not yet: {0}")]
    NotYet(String),
    /// The message can never be done.
    #[error("{0}")]
    Refused(String),
}
