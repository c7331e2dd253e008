//! Answers of all shards of an index: half an answer must not pass for one.

use opensearch::http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::client::{Body, Client};
use crate::store::StoreError;

/// An answer, and how many shards gave it.
#[derive(Deserialize)]
struct Whole<T> {
    #[serde(rename = "_shards")]
    shards: Shards,
    #[serde(flatten)]
    answer: T,
}

/// Every answer of this kind has it: one without is none.
#[derive(Deserialize)]
pub(super) struct Shards {
    pub failed: u64,
}

impl Shards {
    /// An error when one of them did not answer.
    pub(super) fn check(&self, endpoint: &str) -> Result<(), StoreError> {
        if self.failed == 0 {
            return Ok(());
        }
        Err(StoreError::Busy {
            endpoint: endpoint.to_owned(),
            reason: format!("{} shards did not answer", self.failed),
        })
    }
}

impl Client {
    /// What all shards of an index say to a POST; `None` when there is no such index.
    pub(super) async fn find_whole<T: DeserializeOwned + Send + 'static>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        body: Body,
    ) -> Result<Option<T>, StoreError> {
        let whole: Option<Whole<T>> = self.find(Method::Post, path, query, body).await?;
        let Some(Whole { shards, answer }) = whole else {
            return Ok(None);
        };
        shards.check(&self.endpoint())?;
        Ok(Some(answer))
    }
}
