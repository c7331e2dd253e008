//! The store on an OpenSearch cluster.
//!
//! Every index of a model is read through its alias; new ones are made by the first write, from the
//! template. Nothing here is tried again and nothing is refreshed unasked: that is done around the store
//! (`layer`).

mod absent;
mod admin;
mod aggregate;
mod bulk;
mod chunk;
mod client;
mod error;
mod field;
mod hit;
mod install;
mod options;
mod outcome;
mod pace;
mod query;
mod read;
mod search;
mod size;
#[cfg(test)]
mod tests;
mod tls;
mod url;
mod whole;

pub use options::{BulkPace, ClientCertificate, OpenSearchOptions};
pub use url::{OpenSearchUrl, OpenSearchUrlError};

use std::sync::Arc;

use async_trait::async_trait;

use super::{
    Aggregation, Bucket, DocumentStore, IndexInfo, Pages, Query, Search, StoreError, StoreStatus,
    WriteAction, WriteOutcome,
};
use crate::document::{Document, DocumentId, IndexName};
use crate::model::Model;
use bulk::WrittenIndices;
use client::{Body, Client};
use field::KnownFields;
use pace::Pace;
use size::RequestSize;

/// A store on a cluster. Cheap to clone.
#[derive(Debug, Clone)]
pub struct OpenSearchStore {
    client: Arc<Client>,
    options: Arc<OpenSearchOptions>,
    size: Arc<RequestSize>,
    pace: Arc<Pace>,
    known_fields: Arc<KnownFields>,
    written: Arc<WrittenIndices>,
}

impl OpenSearchStore {
    /// Gets ready to talk to a cluster. Sends nothing: a cluster that is away shows at the first call.
    pub fn connect(url: &OpenSearchUrl, options: OpenSearchOptions) -> Result<Self, StoreError> {
        Ok(Self {
            client: Arc::new(Client::new(url, &options)?),
            size: Arc::new(RequestSize::new(options.bulk_bytes)),
            pace: Arc::new(Pace::new(options.bulk_pace)),
            options: Arc::new(options),
            known_fields: Arc::default(),
            written: Arc::default(),
        })
    }

    fn refused(&self, reason: String) -> StoreError {
        StoreError::Refused {
            endpoint: self.client.endpoint(),
            reason,
        }
    }

    fn check(&self, checked: Result<(), String>) -> Result<(), StoreError> {
        checked.map_err(|reason| self.refused(reason))
    }
}

#[async_trait]
impl DocumentStore for OpenSearchStore {
    async fn get_many(
        &self,
        index: &IndexName,
        ids: &[DocumentId],
    ) -> Result<Vec<Option<Document>>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.get(index, ids).await
    }

    async fn write(&self, actions: Vec<WriteAction>) -> Result<Vec<WriteOutcome>, StoreError> {
        if actions.is_empty() {
            return Ok(Vec::new());
        }
        self.bulk(actions).await
    }

    async fn search(
        &self,
        index: &IndexName,
        search: &Search,
    ) -> Result<Vec<Document>, StoreError> {
        self.find(index, search).await
    }

    async fn scan(&self, index: &IndexName, search: &Search) -> Result<Box<dyn Pages>, StoreError> {
        self.open_scan(index, search).await
    }

    async fn count(&self, index: &IndexName, query: &Query) -> Result<u64, StoreError> {
        self.tally(index, query).await
    }

    async fn aggregate(
        &self,
        index: &IndexName,
        aggregation: &Aggregation,
    ) -> Result<Vec<Bucket>, StoreError> {
        self.buckets(index, aggregation).await
    }

    async fn refresh(&self, index: &IndexName) -> Result<(), StoreError> {
        let path = format!("/{index}/_refresh");
        /// That it was done is all there is to know.
        #[derive(serde::Deserialize)]
        struct Refreshed {}
        let refreshed = self.client.find_whole(&path, &[], Body::None);
        let refreshed: Option<Refreshed> = refreshed.await?;
        match refreshed {
            Some(_) => Ok(()),
            None => self.confirm_absent(index).await,
        }
    }

    async fn install(&self, model: &Model) -> Result<(), StoreError> {
        self.put_model(model).await
    }

    async fn indices(&self, pattern: &str) -> Result<Vec<IndexInfo>, StoreError> {
        self.list(pattern).await
    }

    async fn drop_index(&self, index: &IndexName) -> Result<(), StoreError> {
        self.remove_index(index).await
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        self.report().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
