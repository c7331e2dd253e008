//! Tries again what a store could not do just now.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use crate::document::{Document, DocumentId, IndexName};
use crate::model::Model;
use crate::store::{
    Aggregation, Bucket, DocumentStore, IndexInfo, Pages, Query, Search, StoreError, StoreStatus,
    WriteAction, WriteOutcome,
};

/// How long to wait between tries, and when to give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The first wait; each further one is about twice as long.
    pub shortest: Duration,
    /// No wait is longer, up to as much again as jitter.
    pub longest: Duration,
    /// After this long a call gives up with its last error; `None`: it goes on for ever.
    pub give_up_after: Option<Duration>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            shortest: Duration::from_millis(100),
            longest: Duration::from_secs(10),
            give_up_after: Some(Duration::from_secs(60)),
        }
    }
}

/// A store whose temporary errors are waited for, within the bound of its policy.
///
/// Calls that fail as a whole are made again. Of a write only the actions that were
/// [`Busy`](WriteOutcome::Busy) or [`Unknown`](WriteOutcome::Unknown) are sent again, and the outcomes come in the order of the actions
/// whatever it took; actions that stay busy too long make the call fail with [`StoreError::Busy`].
/// A call that is repeated may find its own work done: a `Create` then ends as `Conflict`, which asks
/// the caller to read again anyway.
///
/// Put it outside of metrics ([`MeteredStore`](super::MeteredStore)), so that every try is counted.
#[derive(Debug)]
pub struct RetryStore {
    inner: Arc<dyn DocumentStore>,
    waits: Arc<Waits>,
}

impl RetryStore {
    /// Wraps `inner`.
    pub fn new(inner: Arc<dyn DocumentStore>, policy: RetryPolicy) -> Self {
        Self {
            inner,
            waits: Arc::new(Waits {
                policy,
                away: AtomicBool::new(false),
            }),
        }
    }
}

/// The policy, and whether the store was away last time: said once when that changes.
#[derive(Debug)]
struct Waits {
    policy: RetryPolicy,
    away: AtomicBool,
}

/// The waits of one call.
struct Patience<'a> {
    waits: &'a Waits,
    delays: backon::ExponentialBackoff,
    until: Option<Instant>,
}

impl Waits {
    fn patience(&self) -> Patience<'_> {
        let RetryPolicy {
            shortest,
            longest,
            give_up_after,
        } = self.policy;
        Patience {
            waits: self,
            delays: ExponentialBuilder::default()
                .with_min_delay(shortest)
                .with_max_delay(longest)
                .with_jitter()
                .without_max_times()
                .build(),
            until: give_up_after.and_then(|bound| Instant::now().checked_add(bound)),
        }
    }

    /// Makes `call` until it succeeds, fails for good, or the bound is reached.
    async fn retry<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut patience = self.patience();
        loop {
            match patience.settle(call().await).await? {
                Some(done) => return Ok(done),
                None => continue,
            }
        }
    }
}

impl Patience<'_> {
    /// `None` when the same call should be made again; the wait is over by then.
    async fn settle<T>(&mut self, answer: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        match answer {
            Ok(done) => {
                if self.waits.away.swap(false, Ordering::Relaxed) {
                    info!("store is back");
                }
                Ok(Some(done))
            }
            Err(error) if error.is_temporary() => {
                if !self.waits.away.swap(true, Ordering::Relaxed) {
                    warn!(%error, "store is away, trying again");
                }
                self.wait(error).await.map(|()| None)
            }
            Err(error) => Err(error),
        }
    }

    /// Waits, or gives the error back when the wait would reach beyond the bound.
    async fn wait(&mut self, error: StoreError) -> Result<(), StoreError> {
        let delay = self.delays.next().unwrap_or(self.waits.policy.longest);
        if self
            .until
            .is_some_and(|until| Instant::now() + delay > until)
        {
            return Err(error);
        }
        sleep(delay).await;
        Ok(())
    }
}

#[async_trait]
impl DocumentStore for RetryStore {
    async fn get_many(
        &self,
        index: &IndexName,
        ids: &[DocumentId],
    ) -> Result<Vec<Option<Document>>, StoreError> {
        self.waits.retry(|| self.inner.get_many(index, ids)).await
    }

    async fn write(&self, actions: Vec<WriteAction>) -> Result<Vec<WriteOutcome>, StoreError> {
        let mut patience = self.waits.patience();
        let mut outcomes: Vec<Option<WriteOutcome>> = vec![None; actions.len()];
        let mut left: Vec<usize> = (0..actions.len()).collect();
        loop {
            let sent = left.iter().map(|&at| actions[at].clone()).collect();
            let Some(answered) = patience.settle(self.inner.write(sent).await).await? else {
                continue;
            };
            let mut busy = None;
            let mut still = Vec::new();
            for (at, outcome) in left.into_iter().zip(answered) {
                match outcome {
                    WriteOutcome::Busy { reason } | WriteOutcome::Unknown { reason } => {
                        busy = Some(reason);
                        still.push(at);
                    }
                    outcome => outcomes[at] = Some(outcome),
                }
            }
            let Some(reason) = busy else { break };
            left = still;
            let endpoint = format!("{} of {} documents", left.len(), actions.len());
            patience.wait(StoreError::Busy { endpoint, reason }).await?;
        }
        let outcomes: Option<Vec<WriteOutcome>> = outcomes.into_iter().collect();
        outcomes.ok_or_else(|| StoreError::Refused {
            endpoint: "the store".to_owned(),
            reason: "it gave fewer outcomes than there were actions".to_owned(),
        })
    }

    async fn search(
        &self,
        index: &IndexName,
        search: &Search,
    ) -> Result<Vec<Document>, StoreError> {
        self.waits.retry(|| self.inner.search(index, search)).await
    }

    async fn scan(&self, index: &IndexName, search: &Search) -> Result<Box<dyn Pages>, StoreError> {
        let pages = self.waits.retry(|| self.inner.scan(index, search)).await?;
        Ok(Box::new(RetryPages {
            inner: pages,
            waits: Arc::clone(&self.waits),
        }))
    }

    async fn count(&self, index: &IndexName, query: &Query) -> Result<u64, StoreError> {
        self.waits.retry(|| self.inner.count(index, query)).await
    }

    async fn aggregate(
        &self,
        index: &IndexName,
        aggregation: &Aggregation,
    ) -> Result<Vec<Bucket>, StoreError> {
        self.waits
            .retry(|| self.inner.aggregate(index, aggregation))
            .await
    }

    async fn refresh(&self, index: &IndexName) -> Result<(), StoreError> {
        self.waits.retry(|| self.inner.refresh(index)).await
    }

    async fn install(&self, model: &Model) -> Result<(), StoreError> {
        self.waits.retry(|| self.inner.install(model)).await
    }

    async fn indices(&self, pattern: &str) -> Result<Vec<IndexInfo>, StoreError> {
        self.waits.retry(|| self.inner.indices(pattern)).await
    }

    async fn drop_index(&self, index: &IndexName) -> Result<(), StoreError> {
        self.waits.retry(|| self.inner.drop_index(index)).await
    }

    /// Not tried again: who asks wants to know how the store is now.
    async fn status(&self) -> Result<StoreStatus, StoreError> {
        self.inner.status().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.inner.close().await
    }
}

/// Pages of which each is tried again.
struct RetryPages {
    inner: Box<dyn Pages>,
    waits: Arc<Waits>,
}

#[async_trait]
impl Pages for RetryPages {
    async fn next(&mut self) -> Result<Option<Vec<Document>>, StoreError> {
        let mut patience = self.waits.patience();
        loop {
            if let Some(page) = patience.settle(self.inner.next().await).await? {
                return Ok(page);
            }
        }
    }
}

#[cfg(test)]
mod tests;
