//! Searches that see what was written before a given instant, without a refresh after every write.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::document::IndexName;
use crate::store::{DocumentStore, StoreError};

/// Names remembered before those that nobody waits for are forgotten.
const MOST_NAMES: usize = 1_000;

/// Refreshes on demand, and lets all who wait for the same index share one refresh.
///
/// A worker that was woken by a message calls [`Visibility::see_everything_before`] with the instant at
/// which it received the message, before it searches. Writes never force a refresh. One `Visibility`
/// serves one process; share it.
#[derive(Debug)]
pub struct Visibility {
    store: Arc<dyn DocumentStore>,
    refreshed: Mutex<HashMap<IndexName, Arc<Gate>>>,
}

/// When the last refresh that succeeded was started. Held while one is under way.
type Gate = tokio::sync::Mutex<Option<Instant>>;

impl Visibility {
    /// Refreshes in `store`.
    pub fn new(store: Arc<dyn DocumentStore>) -> Self {
        Self {
            store,
            refreshed: Mutex::default(),
        }
    }

    /// Returns once searches in `index` (or alias) see everything that was written before `instant`.
    ///
    /// Costs a refresh only when none has started since. A refresh that fails is repeated by the next
    /// caller.
    pub async fn see_everything_before(
        &self,
        index: &IndexName,
        instant: Instant,
    ) -> Result<(), StoreError> {
        let gate = self.gate(index);
        let mut refreshed = gate.lock().await;
        if refreshed.is_some_and(|started| started >= instant) {
            return Ok(());
        }
        let started = Instant::now();
        self.store.refresh(index).await?;
        *refreshed = Some(started);
        Ok(())
    }

    fn gate(&self, index: &IndexName) -> Arc<Gate> {
        let mut gates = self
            .refreshed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if gates.len() >= MOST_NAMES {
            gates.retain(|_, gate| Arc::strong_count(gate) > 1);
        }
        Arc::clone(gates.entry(index.clone()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{advance, sleep};

    use super::super::fake::FakeStore;
    use super::*;

    const REFRESH: Duration = Duration::from_secs(1);

    fn index() -> IndexName {
        IndexName::new("some-index").unwrap()
    }

    fn slow() -> (Arc<FakeStore>, Arc<Visibility>) {
        let store = Arc::new(FakeStore::with_refresh_of(REFRESH));
        let visibility = Arc::new(Visibility::new(store.clone()));
        (store, visibility)
    }

    #[tokio::test(start_paused = true)]
    async fn a_refresh_serves_all_instants_before_it() {
        let (store, visibility) = slow();
        let before = Instant::now();
        advance(REFRESH).await;
        visibility
            .see_everything_before(&index(), Instant::now())
            .await
            .unwrap();
        visibility
            .see_everything_before(&index(), before)
            .await
            .unwrap();
        assert_eq!(store.refreshes(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_instant_after_the_start_of_a_refresh_needs_another() {
        let (store, visibility) = slow();
        visibility
            .see_everything_before(&index(), Instant::now())
            .await
            .unwrap();
        // The refresh took a second; what was written meanwhile it may have missed.
        let during = Instant::now() - REFRESH / 2;
        visibility
            .see_everything_before(&index(), during)
            .await
            .unwrap();
        assert_eq!(store.refreshes(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn callers_share_one_refresh() {
        let (store, visibility) = slow();
        let instant = Instant::now();
        let callers: Vec<_> = (0..20)
            .map(|_| {
                let visibility = Arc::clone(&visibility);
                tokio::spawn(
                    async move { visibility.see_everything_before(&index(), instant).await },
                )
            })
            .collect();
        for caller in callers {
            caller.await.unwrap().unwrap();
        }
        assert_eq!(store.refreshes(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn callers_that_come_during_a_refresh_share_the_next() {
        let (store, visibility) = slow();
        let mut callers = Vec::new();
        for _ in 0..10 {
            let (visibility, instant) = (Arc::clone(&visibility), Instant::now());
            callers.push(tokio::spawn(async move {
                visibility.see_everything_before(&index(), instant).await
            }));
            sleep(REFRESH / 20).await;
        }
        for caller in callers {
            caller.await.unwrap().unwrap();
        }
        assert_eq!(store.refreshes(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn indices_do_not_wait_for_each_other() {
        let (_, visibility) = slow();
        let other = IndexName::new("other-index").unwrap();
        let (index, instant) = (index(), Instant::now());
        let (a, b) = tokio::join!(
            visibility.see_everything_before(&index, instant),
            visibility.see_everything_before(&other, instant),
        );
        a.and(b).unwrap();
        assert_eq!(instant.elapsed(), REFRESH);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_refresh_counts_for_nothing() {
        let (store, visibility) = slow();
        store.fail_next(1);
        let instant = Instant::now();
        visibility
            .see_everything_before(&index(), instant)
            .await
            .unwrap_err();
        visibility
            .see_everything_before(&index(), instant)
            .await
            .unwrap();
        assert_eq!(store.refreshes(), 2);
    }
}
