//! Counts and times what a store is asked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use metrics::{counter, histogram};

use crate::document::{Document, DocumentId, IndexName};
use crate::model::Model;
use crate::store::{
    Aggregation, Bucket, DocumentStore, IndexInfo, Pages, Query, Search, StoreError, StoreStatus,
    WriteAction, WriteOutcome,
};

/// A store whose calls are counted, by operation and outcome; never by index or id, which have no end.
///
/// | metric | labels |
/// |---|---|
/// | `maas_store_calls_total` | `operation`, `outcome` (`ok`, `temporary`, `permanent`) |
/// | `maas_store_call_seconds` | `operation` |
/// | `maas_store_read_documents_total` | `operation` |
/// | `maas_store_written_documents_total` | `outcome` (`created`, `updated`, `deleted`, `not_found`, `conflict`, `refused`, `busy`, `unknown`) |
#[derive(Debug)]
pub struct MeteredStore {
    inner: Arc<dyn DocumentStore>,
}

impl MeteredStore {
    /// Wraps `inner`.
    pub fn new(inner: Arc<dyn DocumentStore>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl DocumentStore for MeteredStore {
    async fn get_many(
        &self,
        index: &IndexName,
        ids: &[DocumentId],
    ) -> Result<Vec<Option<Document>>, StoreError> {
        let found = measure("get_many", self.inner.get_many(index, ids)).await?;
        count_read("get_many", found.iter().flatten().count());
        Ok(found)
    }

    async fn write(&self, actions: Vec<WriteAction>) -> Result<Vec<WriteOutcome>, StoreError> {
        let outcomes = measure("write", self.inner.write(actions)).await?;
        let mut written = BTreeMap::<&'static str, u64>::new();
        for outcome in &outcomes {
            *written.entry(label(outcome)).or_default() += 1;
        }
        for (outcome, documents) in written {
            counter!("maas_store_written_documents_total", "outcome" => outcome)
                .increment(documents);
        }
        Ok(outcomes)
    }

    async fn search(
        &self,
        index: &IndexName,
        search: &Search,
    ) -> Result<Vec<Document>, StoreError> {
        let found = measure("search", self.inner.search(index, search)).await?;
        count_read("search", found.len());
        Ok(found)
    }

    async fn scan(&self, index: &IndexName, search: &Search) -> Result<Box<dyn Pages>, StoreError> {
        let inner = measure("scan", self.inner.scan(index, search)).await?;
        Ok(Box::new(MeteredPages { inner }))
    }

    async fn count(&self, index: &IndexName, query: &Query) -> Result<u64, StoreError> {
        measure("count", self.inner.count(index, query)).await
    }

    async fn aggregate(
        &self,
        index: &IndexName,
        aggregation: &Aggregation,
    ) -> Result<Vec<Bucket>, StoreError> {
        measure("aggregate", self.inner.aggregate(index, aggregation)).await
    }

    async fn refresh(&self, index: &IndexName) -> Result<(), StoreError> {
        measure("refresh", self.inner.refresh(index)).await
    }

    async fn install(&self, model: &Model) -> Result<(), StoreError> {
        measure("install", self.inner.install(model)).await
    }

    async fn indices(&self, pattern: &str) -> Result<Vec<IndexInfo>, StoreError> {
        measure("indices", self.inner.indices(pattern)).await
    }

    async fn drop_index(&self, index: &IndexName) -> Result<(), StoreError> {
        measure("drop_index", self.inner.drop_index(index)).await
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        measure("status", self.inner.status()).await
    }

    async fn close(&self) -> Result<(), StoreError> {
        measure("close", self.inner.close()).await
    }
}

struct MeteredPages {
    inner: Box<dyn Pages>,
}

#[async_trait]
impl Pages for MeteredPages {
    async fn next(&mut self) -> Result<Option<Vec<Document>>, StoreError> {
        let page = measure("page", self.inner.next()).await?;
        count_read("page", page.as_ref().map_or(0, Vec::len));
        Ok(page)
    }
}

async fn measure<T>(
    operation: &'static str,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let start = Instant::now();
    let answer = call.await;
    let outcome = match &answer {
        Ok(_) => "ok",
        Err(error) if error.is_temporary() => "temporary",
        Err(_) => "permanent",
    };
    histogram!("maas_store_call_seconds", "operation" => operation).record(start.elapsed());
    counter!("maas_store_calls_total", "operation" => operation, "outcome" => outcome).increment(1);
    answer
}

fn count_read(operation: &'static str, documents: usize) {
    counter!("maas_store_read_documents_total", "operation" => operation)
        .increment(documents as u64);
}

fn label(outcome: &WriteOutcome) -> &'static str {
    match outcome {
        WriteOutcome::Created(_) => "created",
        WriteOutcome::Updated(_) => "updated",
        WriteOutcome::Deleted => "deleted",
        WriteOutcome::NotFound => "not_found",
        WriteOutcome::Conflict => "conflict",
        WriteOutcome::Refused { .. } => "refused",
        WriteOutcome::Busy { .. } => "busy",
        WriteOutcome::Unknown { .. } => "unknown",
    }
}
