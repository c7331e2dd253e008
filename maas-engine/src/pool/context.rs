//! What an engine may read while it works on a message.

use std::sync::Arc;

use maas_model::clock::Clock;
use maas_model::document::{Document, DocumentId, IndexName};
use maas_model::layer::Visibility;
use maas_model::model::{Model, Models};
use maas_model::pipeline::MissingInput;
use maas_model::planted;
use maas_model::store::{Aggregation, Bucket, DocumentStore, Pages, Query, Search, StoreError};
use tokio::time::Instant;

use super::session::Session;
use crate::engine::{Batch, EngineError};

/// Where engines read: shared by all messages of a pool.
#[derive(Debug, Clone)]
pub struct Reads {
    /// The documents.
    pub store: Arc<dyn DocumentStore>,
    /// The models of the pipeline, by name.
    pub models: Arc<Models>,
    /// The time.
    pub clock: Clock,
    visibility: Arc<Visibility>,
}

/// The store, the models, the clock, and the session that the engines of one message share.
///
/// Reads by id see every write at once. Searches see everything that was written before the message
/// was published, what earlier engines of the same message wrote, and on a repetition everything
/// that was written before it began.
#[derive(Debug)]
pub struct EngineContext<'a> {
    reads: &'a Reads,
    session: &'a mut Session,
    missing: MissingInput,
    since: Instant,
}

impl Reads {
    /// Reads from `store`. Clone it for every pool of a process, so that they share refreshes.
    pub fn new(store: Arc<dyn DocumentStore>, models: Arc<Models>, clock: Clock) -> Self {
        Self {
            visibility: Arc::new(Visibility::new(Arc::clone(&store))),
            store,
            models,
            clock,
        }
    }
}

impl<'a> EngineContext<'a> {
    /// For the pool, and for tests of engines: searches see what was written before `since`.
    pub fn new(
        reads: &'a Reads,
        session: &'a mut Session,
        missing: MissingInput,
        since: Instant,
    ) -> Self {
        Self {
            reads,
            session,
            missing,
            since,
        }
    }

    /// The time.
    pub fn clock(&self) -> &Clock {
        &self.reads.clock
    }

    /// The models of the pipeline, by name.
    pub fn models(&self) -> &'a Models {
        &self.reads.models
    }

    /// A model that a message or setting names.
    pub fn model(&self, name: &str) -> Result<&'a Arc<Model>, EngineError> {
        self.reads.models.get(name).ok_or_else(|| {
            EngineError::Refused(format!("there is no model `{name}` in the pipeline"))
        })
    }

    /// The value of this type that the engines of this message share; made on first use.
    pub fn session<T: Default + Send + Sync + 'static>(&mut self) -> &mut T {
        self.session.value()
    }

    /// The value of this type, if an engine of this message left one.
    pub fn shared<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.session.peek()
    }

    /// The documents of the batch, in its order, from all indices of the class the message names.
    ///
    /// Each is read once per message, however many engines ask for it. Ids without a document are
    /// named in the log; what else happens to them the step says (`missing`): with `retry` this is
    /// an error and the message is tried again later, else they are left out.
    pub async fn input(&mut self, batch: &Batch) -> Result<Vec<Arc<Document>>, EngineError> {
        let alias = &self.model(&batch.message.document_class)?.alias;
        self.input_of(alias, batch).await
    }

    /// The same from an index or alias of the engine's own choice: for classes that share one.
    pub async fn input_of(
        &mut self,
        alias: &IndexName,
        batch: &Batch,
    ) -> Result<Vec<Arc<Document>>, EngineError> {
        let unread: Vec<DocumentId> = batch
            .ids
            .iter()
            .filter(|id| self.session.input(alias, id).is_none())
            .cloned()
            .collect();
        if !unread.is_empty() {
            let found = self.reads.store.get_many(alias, &unread).await?;
            for document in found.into_iter().flatten() {
                self.session.keep_input(alias, Arc::new(document));
            }
        }
        let (mut documents, mut absent) = (Vec::with_capacity(batch.ids.len()), Vec::new());
        for id in &batch.ids {
            match self.session.input(alias, id) {
                Some(document) => documents.push(Arc::clone(document)),
                None => absent.push(id.clone()),
            }
        }
        self.miss(alias, absent)?;
        Ok(documents)
    }

    fn miss(&mut self, alias: &IndexName, mut absent: Vec<DocumentId>) -> Result<(), EngineError> {
        absent.retain(|id| self.session.miss(id) || self.missing == MissingInput::Retry);
        if absent.is_empty() {
            return Ok(());
        }
        /// Enough to look for, few enough to read.
        const NAMED: usize = 20;
        let named = &absent[..absent.len().min(NAMED)];
        tracing::warn!(index = %alias, count = absent.len(), ids = ?named, "input documents are missing");
        match self.missing {
            MissingInput::Skip | MissingInput::DeadLetter => Ok(()),
            MissingInput::Retry => Err(EngineError::NotYet(format!(
                "{} input documents are missing in `{alias}`: {named:?}",
                absent.len(),
            ))),
        }
    }

    /// One entry per id, in the order asked; `None` where there is no such document. `index` may be an alias.
    pub async fn get_many(
        &self,
        index: &IndexName,
        ids: &[DocumentId],
    ) -> Result<Vec<Option<Document>>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.reads.store.get_many(index, ids).await
    }

    /// At most `search.limit` documents, in the order asked.
    pub async fn search(
        &self,
        index: &IndexName,
        search: &Search,
    ) -> Result<Vec<Document>, StoreError> {
        self.see(index).await?;
        self.reads.store.search(index, search).await
    }

    /// All documents that match, page by page.
    pub async fn scan(
        &self,
        index: &IndexName,
        search: &Search,
    ) -> Result<Box<dyn Pages>, StoreError> {
        self.see(index).await?;
        self.reads.store.scan(index, search).await
    }

    /// How many documents match.
    pub async fn count(&self, index: &IndexName, query: &Query) -> Result<u64, StoreError> {
        self.see(index).await?;
        self.reads.store.count(index, query).await
    }

    /// Groups and measures.
    pub async fn aggregate(
        &self,
        index: &IndexName,
        aggregation: &Aggregation,
    ) -> Result<Vec<Bucket>, StoreError> {
        self.see(index).await?;
        self.reads.store.aggregate(index, aggregation).await
    }

    async fn see(&self, index: &IndexName) -> Result<(), StoreError> {
        planted!(SearchWithoutRefresh, return Ok(()));
        let written = self.session.written(index);
        let since = written.map_or(self.since, |written| written.max(self.since));
        self.reads
            .visibility
            .see_everything_before(index, since)
            .await
    }
}
