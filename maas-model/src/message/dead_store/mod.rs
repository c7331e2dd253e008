//! What an operator does with dead letters, on any bus: list, show, replay, discard.
//!
//! Letters lie in the parking queues `maas.dead.OWNER`. Looking leaves them there; to remove some, the
//! queue is taken in hand, the chosen ones are settled and the others dropped, which gives them back.

mod filter;
mod replay;

use std::sync::Arc;
use std::time::Duration;

pub use self::filter::DeadFilter;
pub use self::replay::{ReplayRecord, Replayed};
use super::{
    BusError, DeadLetter, DeadReason, Delivery, MessageBus, Published, QueueInfo, Topology,
};
use crate::store::DocumentStore;

/// Letters of one queue that are looked at or taken in hand at a time; what lies deeper is not seen.
const SCAN: u16 = 10_000;
/// When no further letter comes for so long, there are fewer than the queue counted.
const QUIET: Duration = Duration::from_secs(2);
/// The same when all have come that it counted: one more may just be given back by another process.
const ALL_CAME: Duration = Duration::from_millis(200);

/// What became of the letters that were chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Resolved {
    /// Ids of those that are gone from the dead letters.
    pub done: Vec<String>,
    /// Ids of those that stay, and why.
    pub kept: Vec<(String, String)>,
}

/// The dead letters of a bus.
pub struct DeadLetters {
    bus: Arc<dyn MessageBus>,
    store: Option<Arc<dyn DocumentStore>>,
    records: Option<Arc<dyn ReplayRecord>>,
    /// Between two replays.
    pause: Duration,
}

impl DeadLetters {
    /// Messages can be replayed with the bus alone.
    pub fn new(bus: Arc<dyn MessageBus>) -> Self {
        Self {
            bus,
            store: None,
            records: None,
            pause: Duration::ZERO,
        }
    }

    /// Documents can be replayed, too.
    pub fn with_store(mut self, store: Arc<dyn DocumentStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// No more than so many are replayed in a second, so that what mended itself is not knocked over again.
    pub fn with_rate(mut self, per_second: f64) -> Self {
        self.pause = Duration::try_from_secs_f64(1.0 / per_second).unwrap_or(Duration::MAX);
        self
    }

    /// Records can be replayed, too.
    pub fn with_records(mut self, records: Arc<dyn ReplayRecord>) -> Self {
        self.records = Some(records);
        self
    }

    /// At most `limit` letters, oldest first within an owner. They stay where they are.
    pub async fn list(
        &self,
        filter: &DeadFilter,
        limit: usize,
    ) -> Result<Vec<DeadLetter>, BusError> {
        let mut letters = Vec::new();
        for QueueInfo { name: queue, .. } in self.queues(filter).await? {
            let peeked = self.bus.peek(&queue, usize::from(SCAN)).await?;
            let read = peeked.into_iter().map(|message| {
                let (exchange, key) = (&message.exchange, &message.routing_key);
                DeadLetter::read(&queue, exchange, key, &message.body, message.headers)
            });
            let mut chosen: Vec<_> = read.filter(|letter| filter.matches(letter)).collect();
            // What was given back may lie in another order than it came.
            chosen.sort_by(|a, b| (&a.date, &a.id).cmp(&(&b.date, &b.id)));
            chosen.truncate(limit.saturating_sub(letters.len()));
            letters.append(&mut chosen);
        }
        Ok(letters)
    }

    /// The letter with this id.
    pub async fn show(&self, id: &str) -> Result<Option<DeadLetter>, BusError> {
        Ok(self.list(&DeadFilter::ids([id.to_owned()]), 1).await?.pop())
    }

    /// Gives at most `limit` letters back to where they came from: a message to its queue (with its
    /// history, should it die again), a document to the engine that made it or else to the store, a record to its collector.
    pub async fn replay(&self, filter: &DeadFilter, limit: usize) -> Result<Resolved, BusError> {
        let mut first = true;
        self.resolve(filter, limit, async |letter| {
            if !std::mem::take(&mut first) {
                tokio::time::sleep(self.pause).await;
            }
            self.replay_one(letter).await
        })
        .await
    }

    /// Forgets at most `limit` letters.
    pub async fn discard(&self, filter: &DeadFilter, limit: usize) -> Result<Resolved, BusError> {
        self.resolve(filter, limit, async |_| Ok(Replayed::Done))
            .await
    }

    async fn queues(&self, filter: &DeadFilter) -> Result<Vec<QueueInfo>, BusError> {
        let owner = filter.owner.as_deref().unwrap_or("*");
        let pattern = Topology::parking_queue(owner).map_err(|error| BusError::Refused {
            endpoint: "the dead letters".into(),
            reason: error.to_string(),
        })?;
        self.bus.queues(pattern.as_str()).await
    }

    async fn resolve(
        &self,
        filter: &DeadFilter,
        limit: usize,
        mut act: impl AsyncFnMut(&DeadLetter) -> Result<Replayed, BusError>,
    ) -> Result<Resolved, BusError> {
        let mut resolved = Resolved::default();
        for queue in self.queues(filter).await? {
            let room = limit.saturating_sub(resolved.done.len() + resolved.kept.len());
            for (letter, delivery) in self.take(&queue, filter, room).await? {
                match act(&letter).await? {
                    Replayed::Done => {
                        delivery.ack().await?;
                        resolved.done.push(letter.id);
                    }
                    Replayed::Kept(reason) => resolved.kept.push((letter.id, reason)),
                    Replayed::Failed(detail) => {
                        self.failed_again(&letter, &detail).await?;
                        delivery.ack().await?;
                        resolved.kept.push((letter.id, detail));
                    }
                }
            }
        }
        Ok(resolved)
    }

    /// Takes the whole queue in hand, keeps the chosen letters and gives the others back.
    async fn take(
        &self,
        queue: &QueueInfo,
        filter: &DeadFilter,
        limit: usize,
    ) -> Result<Vec<(DeadLetter, Delivery)>, BusError> {
        let mut chosen = Vec::new();
        if limit == 0 {
            return Ok(chosen);
        }
        let mut subscription = self.bus.subscribe(&queue.name, SCAN).await?;
        // Held until the end, so that they do not come again and again.
        let mut others = Vec::new();
        while chosen.len() < limit && chosen.len() + others.len() < usize::from(SCAN) {
            let came = (chosen.len() + others.len()) as u64;
            let patience = if came < queue.ready { QUIET } else { ALL_CAME };
            let Ok(Some(delivery)) = tokio::time::timeout(patience, subscription.next()).await
            else {
                break;
            };
            let headers = delivery.headers.clone();
            let letter = DeadLetter::read(
                &queue.name,
                &delivery.exchange,
                &delivery.routing_key,
                &delivery.body,
                headers,
            );
            if filter.matches(&letter) {
                chosen.push((letter, delivery));
            } else {
                others.push(delivery);
            }
        }
        Ok(chosen)
    }

    /// Puts the letter there once more, with what was tried.
    async fn failed_again(&self, letter: &DeadLetter, detail: &str) -> Result<(), BusError> {
        let again = letter.again(DeadReason {
            detail: detail.to_owned(),
            ..letter.reason.clone()
        });
        let refused = |reason: String| BusError::Refused {
            endpoint: "the dead letters".into(),
            reason,
        };
        let outgoing = again.to_outgoing();
        let outgoing = outgoing.map_err(|error| refused(error.to_string()))?;
        match self.bus.publish(vec![outgoing]).await?.pop() {
            Some(Published::Routed) => Ok(()),
            other => Err(refused(format!("it takes no letter: {other:?}"))),
        }
    }
}
