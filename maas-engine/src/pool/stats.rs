//! What a pool did so far, for the end table, the metrics and the test for idleness.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one pool since its start. Read at any time.
#[derive(Debug, Default)]
pub struct PoolStats {
    /// Messages settled for good: acknowledged or made dead letters.
    pub messages: Counter,
    /// Messages handed back to be tried again.
    pub returned: Counter,
    /// Document ids named in the messages worked on.
    pub documents: Counter,
    /// Ids that had no document.
    pub missing: Counter,
    /// Documents created.
    pub created: Counter,
    /// Documents replaced.
    pub updated: Counter,
    /// Documents deleted.
    pub deleted: Counter,
    /// Documents that engines returned as they were.
    pub unchanged: Counter,
    /// Writes that another worker had overtaken; their inputs were run again.
    pub conflicts: Counter,
    /// Documents that the store refused.
    pub refused: Counter,
    /// Dead letters of all kinds.
    pub dead_letters: Counter,
    /// Messages published and confirmed.
    pub published: Counter,
    /// Messages being worked on now.
    pub in_flight: Counter,
}

/// A number that many tasks change.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Its value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(more as u64, Ordering::Relaxed);
    }

    pub(crate) fn less(&self, less: u64) {
        self.0.fetch_sub(less, Ordering::Relaxed);
    }
}

impl PoolStats {
    /// Whether no message is in hand. Messages may still wait in queues.
    pub fn is_idle(&self) -> bool {
        self.in_flight.get() == 0
    }
}

/// Counts a message as in flight until it is dropped, however its work ends.
#[derive(Debug)]
pub(crate) struct InFlight<'a>(&'a PoolStats);

impl<'a> InFlight<'a> {
    pub(crate) fn begin(stats: &'a PoolStats) -> Self {
        stats.in_flight.add(1);
        Self(stats)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.less(1);
    }
}
