//! The messages that a pool has in hand: how many, with how many documents, from which queue, how old.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use maas_model::ledger::{Outcome, Outcomes, Taken};
use maas_model::message::{Message, QueueName};

use super::stats::PoolStats;

/// What a pool knows of one of its queues from what it took of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuePace {
    /// The queue.
    pub queue: QueueName,
    /// Messages of it that were done or became dead letters, since the start.
    pub settled: u64,
    /// When the oldest message in hand was made; `None` when none is in hand, or none says when.
    pub oldest: Option<DateTime<Utc>>,
}

/// The messages in hand by queue.
#[derive(Debug, Default)]
pub(super) struct Hands(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    next: u64,
    queues: BTreeMap<QueueName, Row>,
}

#[derive(Debug, Default)]
struct Row {
    settled: u64,
    made: BTreeMap<u64, Option<DateTime<Utc>>>,
}

impl Hands {
    /// One entry for each queue of which something was ever taken.
    pub(super) fn paces(&self) -> Vec<QueuePace> {
        let table = self.table();
        let paces = table.queues.iter().map(|(queue, row)| QueuePace {
            queue: queue.clone(),
            settled: row.settled,
            oldest: row.made.values().flatten().min().copied(),
        });
        paces.collect()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, queue: &QueueName) -> u64 {
        let mut table = self.table();
        table.next += 1;
        let place = table.next;
        let row = table.queues.entry(queue.clone()).or_default();
        row.made.insert(place, None);
        place
    }

    fn date(&self, queue: &QueueName, place: u64, made: DateTime<Utc>) {
        if let Some(row) = self.table().queues.get_mut(queue) {
            row.made.insert(place, Some(made));
        }
    }

    fn settle(&self, queue: &QueueName, place: u64, is_gone: bool) {
        if let Some(row) = self.table().queues.get_mut(queue) {
            row.made.remove(&place);
            row.settled += u64::from(is_gone);
        }
    }
}

/// One message in hand. Dropped unsettled, it and its documents are counted as returned.
pub(crate) struct InHand<'a> {
    stats: &'a PoolStats,
    queue: &'a QueueName,
    place: u64,
    message: Taken,
    documents: Taken,
    is_gone: bool,
}

impl<'a> InHand<'a> {
    /// A message was taken from `queue`.
    pub(crate) fn take(stats: &'a PoolStats, queue: &'a QueueName) -> Self {
        Self {
            stats,
            queue,
            place: stats.hands.take(queue),
            message: stats.message_ledger.take(1),
            documents: stats.document_ledger.take(0),
            is_gone: false,
        }
    }

    /// This is what it says.
    pub(crate) fn read(&mut self, message: &Message) {
        self.documents.more(message.document_ids.len() as u64);
        if let Some(made) = message.made() {
            self.stats.hands.date(self.queue, self.place, made);
        }
    }

    /// How many documents it names.
    pub(crate) fn documents(&self) -> u64 {
        self.documents.left()
    }

    /// This came of it and of its documents.
    pub(crate) fn settle(mut self, of_message: Outcome, of_documents: Outcomes) {
        self.message.settle_rest(of_message);
        self.documents.settle(of_documents);
        self.is_gone = of_message != Outcome::Returned;
    }
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.stats
            .hands
            .settle(self.queue, self.place, self.is_gone);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(date: &str) -> Message {
        Message {
            date: date.to_owned(),
            document_ids: vec![maas_model::document::DocumentId::new("a").unwrap()],
            ..Message::default()
        }
    }

    #[test]
    fn the_oldest_message_in_hand_is_known_by_its_date() {
        let (stats, queue) = (PoolStats::default(), QueueName::new("q").unwrap());
        let take = |date| {
            let mut hand = InHand::take(&stats, &queue);
            hand.read(&message(date));
            hand
        };
        let old = take("2026-11-20T14:00:00.000Z");
        let undated = take("yesterday");
        let new = take("2026-11-20T15:00:00.000Z");
        let oldest = || stats.paces()[0].oldest.map(|made| made.to_rfc3339());
        assert_eq!(oldest().unwrap(), "2026-11-20T14:00:00+00:00");
        old.settle(Outcome::Written, Outcomes::all(Outcome::Written, 1));
        assert_eq!(oldest().unwrap(), "2026-11-20T15:00:00+00:00");
        drop(new);
        assert_eq!((oldest(), stats.paces()[0].settled), (None, 1));
        drop(undated);
        let book = stats.document_ledger.book();
        assert_eq!((book.received, book.in_flight), (3, 0));
        assert_eq!(book.settled.get(Outcome::Returned), 2);
    }
}
