//! Where documents are kept: one trait, two adapters.
//!
//! `embedded` keeps everything in one local folder; `opensearch` talks to a cluster. Both pass the
//! contract suite in `testing::store`, so that a pipeline behaves the same on both.

mod aggregate;
mod embedded;
mod error;
mod evaluate;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
mod open;
mod opensearch;
mod query;
mod rule;
mod write;

pub use aggregate::{Aggregation, Bucket, Group, Interval, Measure, MeasureKind};
pub use embedded::EmbeddedStore;
pub use error::StoreError;
pub(crate) use evaluate::is_stored_date;
pub use evaluate::{Kinds, matches};
pub use open::{StoreUrl, open};
pub use opensearch::{
    BulkPace, ClientCertificate, OpenSearchOptions, OpenSearchStore, OpenSearchUrl,
    OpenSearchUrlError,
};
pub use query::{Order, Query, Search, Sort};
pub use write::{WriteAction, WriteOp, WriteOutcome};

use std::fmt::Debug;

use async_trait::async_trait;

use crate::document::{Document, DocumentId, IndexName};
use crate::model::Model;

/// Keeps documents. Safe to share; every method may be called from many tasks at once.
///
/// An index is made by the first write to it, from the template of the model whose alias it belongs
/// to. Wherever a method takes an index to read from, an alias stands for all its indices, and an
/// index or alias that does not exist is the same as an empty one.
///
/// A method returns `Err` only when the whole call failed; what concerns one document is in its
/// outcome. After `Err` nobody knows what was done: the same call may be made again (a write whose
/// error is [`Refused`](StoreError::Refused) did nothing).
#[async_trait]
pub trait DocumentStore: Debug + Send + Sync {
    /// One entry per id, in the order asked; `None` where there is no such document.
    ///
    /// Sees every write that has returned, at once and without a refresh. A document that stands in
    /// several indices of an alias is returned once, from the index whose name sorts last.
    async fn get_many(
        &self,
        index: &IndexName,
        ids: &[DocumentId],
    ) -> Result<Vec<Option<Document>>, StoreError>;

    /// One outcome per action, in the order given. Actions on the same document take effect in that
    /// order too. What `Ok` reports as done survives a crash of the store.
    async fn write(&self, actions: Vec<WriteAction>) -> Result<Vec<WriteOutcome>, StoreError>;

    /// At most `search.limit` documents, in the order asked. Sees what was visible at the last refresh.
    async fn search(&self, index: &IndexName, search: &Search)
    -> Result<Vec<Document>, StoreError>;

    /// All documents that match, page by page, however many; `search.limit` is the size of a page.
    /// What is written meanwhile may or may not be seen, nothing is seen twice.
    async fn scan(&self, index: &IndexName, search: &Search) -> Result<Box<dyn Pages>, StoreError>;

    /// How many documents match. Sees what was visible at the last refresh.
    async fn count(&self, index: &IndexName, query: &Query) -> Result<u64, StoreError>;

    /// Groups and measures, all buckets, sorted by their keys.
    async fn aggregate(
        &self,
        index: &IndexName,
        aggregation: &Aggregation,
    ) -> Result<Vec<Bucket>, StoreError>;

    /// Makes everything written before the call visible to searches.
    async fn refresh(&self, index: &IndexName) -> Result<(), StoreError>;

    /// Makes or updates what the store needs to know of a model: template, alias, field types. New
    /// indices follow it; existing ones get the fields they lack. Idempotent.
    async fn install(&self, model: &Model) -> Result<(), StoreError>;

    /// The indices whose name matches `pattern` (`*` stands for any text), by name.
    async fn indices(&self, pattern: &str) -> Result<Vec<IndexInfo>, StoreError>;

    /// Removes one index with its documents. An alias is refused; a missing index is no error.
    async fn drop_index(&self, index: &IndexName) -> Result<(), StoreError>;

    /// Reaches the store and tells what it says of itself.
    async fn status(&self) -> Result<StoreStatus, StoreError>;

    /// Writes what is still in memory and lets go of files and connections; nothing may be called after.
    async fn close(&self) -> Result<(), StoreError>;
}

/// The pages of a scan.
#[async_trait]
pub trait Pages: Send {
    /// The next page, never empty; `None` when all were given. After a temporary error, or when the
    /// future was dropped, the same page may be asked for again.
    async fn next(&mut self) -> Result<Option<Vec<Document>>, StoreError>;
}

/// What the store knows of one index.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct IndexInfo {
    /// The concrete name.
    pub name: IndexName,
    /// The aliases it belongs to, sorted.
    pub aliases: Vec<IndexName>,
    /// Documents, as of the last refresh.
    pub documents: u64,
    /// Size on disk, in bytes.
    pub bytes: u64,
}

/// What the store says of itself.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct StoreStatus {
    /// Product and where it is, without credentials: `OpenSearch at http://localhost:9200`.
    pub name: String,
    /// Version of the server or library.
    pub version: String,
    /// Whether reads and writes can be expected to work.
    pub healthy: bool,
    /// Free space for data in bytes, where the store tells.
    pub free_bytes: Option<u64>,
    /// Names of the aliases that have been installed.
    pub installed: Vec<String>,
    /// What is wrong, or more detail, for a person.
    pub detail: String,
}
