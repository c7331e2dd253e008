//! What a pool did so far, for the end table, the metrics and the test for idleness.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use maas_model::ledger::{Book, Ledger, MetricNames};

use super::hand::{Hands, QueuePace};

/// Units are messages, taken from the bus.
const MESSAGES: MetricNames = MetricNames {
    received: "maas_pool_messages_received_total",
    settled: "maas_pool_messages_total",
    in_flight: "maas_pool_messages_in_flight",
    owner: "pool",
};

/// Units are documents that those messages name.
const DOCUMENTS: MetricNames = MetricNames {
    received: "maas_pool_documents_received_total",
    settled: "maas_pool_documents_total",
    in_flight: "maas_pool_documents_in_flight",
    owner: "pool",
};

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
    pub(super) message_ledger: Arc<Ledger>,
    pub(super) document_ledger: Arc<Ledger>,
    pub(super) hands: Hands,
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
}

impl PoolStats {
    /// Whether no message is in hand. Messages may still wait in queues.
    pub fn is_idle(&self) -> bool {
        self.in_flight() == 0
    }

    /// Messages in hand.
    pub fn in_flight(&self) -> u64 {
        self.message_ledger.book().in_flight
    }

    /// Where the messages are that were taken.
    pub fn message_book(&self) -> Book {
        self.message_ledger.book()
    }

    /// Where the documents are that those messages name.
    pub fn document_book(&self) -> Book {
        self.document_ledger.book()
    }

    /// What is known of the queues that something was taken from.
    pub fn paces(&self) -> Vec<QueuePace> {
        self.hands.paces()
    }

    /// Sets the metrics of what was received and what came of it. Two calls must not meet.
    pub fn publish(&self, pool: &str) {
        self.message_ledger.publish(MESSAGES, pool);
        self.document_ledger.publish(DOCUMENTS, pool);
    }
}
