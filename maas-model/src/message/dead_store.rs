//! What an operator does with dead letters, on any bus: list, show, replay, discard.
//!
//! Letters lie in the parking queues `maas.dead.OWNER`. Looking leaves them there; to remove some, the
//! queue is taken in hand, the chosen ones are settled and the others dropped, which gives them back.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{
    BusError, DeadLetter, DeadOriginal, DeadReason, Delivery, ExchangeName, MessageBus, Outgoing,
    Published, QueueName, RoutingKey, Topology, carried,
};
use crate::document::{DocumentId, IndexName};
use crate::store::{DocumentStore, WriteAction, WriteOp, WriteOutcome};

/// Letters of one queue that are looked at or taken in hand at a time; what lies deeper is not seen.
const SCAN: u16 = 10_000;
/// When no further letter comes for so long, all have come.
const QUIET: Duration = Duration::from_secs(2);

/// Which letters. Everything that is set must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeadFilter {
    /// Of this pool or interface.
    pub owner: Option<String>,
    /// With this [`DeadReason::kind`](super::DeadReason::kind).
    pub kind: Option<String>,
    /// With this engine or interface at fault.
    pub component: Option<String>,
    /// About documents in this index; a name with a date behind it counts as the index, too.
    pub index: Option<String>,
    /// About this document.
    pub document: Option<String>,
    /// Given up at this instant or later, in the stored date form.
    pub since: Option<String>,
    /// Given up before this instant, in the stored date form.
    pub until: Option<String>,
    /// Only these ids; empty means any.
    pub ids: HashSet<String>,
}

impl DeadFilter {
    /// The letters with these ids.
    pub fn ids(ids: impl IntoIterator<Item = String>) -> Self {
        Self {
            ids: ids.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Whether it lets a letter through.
    pub fn matches(&self, letter: &DeadLetter) -> bool {
        let is = |wanted: &Option<String>, value: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == value)
        };
        // Stored dates sort as texts.
        is(&self.owner, Some(&letter.owner))
            && is(&self.kind, Some(&letter.reason.kind))
            && is(&self.component, letter.reason.component.as_deref())
            && self
                .since
                .as_ref()
                .is_none_or(|since| letter.date >= *since)
            && self.until.as_ref().is_none_or(|until| letter.date < *until)
            && self.index.as_deref().is_none_or(|index| {
                let of = |name: &String| belongs(name, index);
                letter.indices().iter().any(of)
            })
            && self
                .document
                .as_ref()
                .is_none_or(|id| letter.documents().contains(id))
            && (self.ids.is_empty() || self.ids.contains(&letter.id))
    }
}

/// Whether `name` is `index` or one of its partitions.
fn belongs(name: &str, index: &str) -> bool {
    let rest = name.strip_prefix(index);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// What became of the letters that were chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Resolved {
    /// Ids of those that are gone from the dead letters.
    pub done: Vec<String>,
    /// Ids of those that stay, and why.
    pub kept: Vec<(String, String)>,
}

/// Ingests a record again. The collector of the interface knows how.
#[async_trait]
pub trait ReplayRecord: Send + Sync {
    /// Stores and announces the record of `letter` ([`DeadOriginal::Record`]); an error keeps the letter.
    async fn replay(&self, letter: &DeadLetter) -> Result<(), String>;
}

/// The dead letters of a bus.
pub struct DeadLetters {
    bus: Arc<dyn MessageBus>,
    store: Option<Arc<dyn DocumentStore>>,
    records: Option<Arc<dyn ReplayRecord>>,
    /// Between two replays.
    pause: Duration,
}

/// What came of one letter.
enum Came {
    /// It is gone from the dead letters.
    Done,
    /// It stays as it is.
    Kept(String),
    /// It was tried again and failed again.
    Failed(String),
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
        for queue in self.queues(filter).await? {
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
        self.resolve(filter, limit, async |_| Ok(Came::Done)).await
    }

    async fn queues(&self, filter: &DeadFilter) -> Result<Vec<QueueName>, BusError> {
        let owner = filter.owner.as_deref().unwrap_or("*");
        let pattern = Topology::parking_queue(owner).map_err(|error| BusError::Refused {
            endpoint: "the dead letters".into(),
            reason: error.to_string(),
        })?;
        let queues = self.bus.queues(pattern.as_str()).await?;
        Ok(queues.into_iter().map(|queue| queue.name).collect())
    }

    async fn resolve(
        &self,
        filter: &DeadFilter,
        limit: usize,
        mut act: impl AsyncFnMut(&DeadLetter) -> Result<Came, BusError>,
    ) -> Result<Resolved, BusError> {
        let mut resolved = Resolved::default();
        for queue in self.queues(filter).await? {
            let room = limit.saturating_sub(resolved.done.len() + resolved.kept.len());
            for (letter, delivery) in self.take(&queue, filter, room).await? {
                match act(&letter).await? {
                    Came::Done => {
                        delivery.ack().await?;
                        resolved.done.push(letter.id);
                    }
                    Came::Kept(reason) => resolved.kept.push((letter.id, reason)),
                    Came::Failed(detail) => {
                        let again = self.failed_again(&letter, &detail).await?;
                        delivery.ack().await?;
                        resolved.kept.push((again, detail));
                    }
                }
            }
        }
        Ok(resolved)
    }

    /// Takes the whole queue in hand, keeps the chosen letters and gives the others back.
    async fn take(
        &self,
        queue: &QueueName,
        filter: &DeadFilter,
        limit: usize,
    ) -> Result<Vec<(DeadLetter, Delivery)>, BusError> {
        let mut chosen = Vec::new();
        if limit == 0 {
            return Ok(chosen);
        }
        let mut subscription = self.bus.subscribe(queue, SCAN).await?;
        // Held until the end, so that they do not come again and again.
        let mut others = Vec::new();
        while chosen.len() < limit && chosen.len() + others.len() < usize::from(SCAN) {
            let Ok(Some(delivery)) = tokio::time::timeout(QUIET, subscription.next()).await else {
                break;
            };
            let headers = delivery.headers.clone();
            let letter = DeadLetter::read(
                queue,
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

    /// A new letter in the place of one whose replay failed; its id.
    async fn failed_again(&self, letter: &DeadLetter, detail: &str) -> Result<String, BusError> {
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
            Some(Published::Routed) => Ok(again.id),
            other => Err(refused(format!("it takes no letter: {other:?}"))),
        }
    }

    async fn replay_one(&self, letter: &DeadLetter) -> Result<Came, BusError> {
        match &letter.original {
            DeadOriginal::Message { .. }
            | DeadOriginal::Document {
                made_by: Some(_), ..
            } => self.replay_message(letter).await,
            DeadOriginal::Document {
                index, id, source, ..
            } => self.replay_document(index, id, source).await,
            DeadOriginal::Record { file, place, .. } => Ok(match &self.records {
                Some(records) => match records.replay(letter).await {
                    Ok(()) => Came::Done,
                    Err(reason) => Came::Failed(reason),
                },
                // One record of a file means nothing without the rest of it (header, paths, namespaces).
                None => Came::Kept(format!(
                    "it is {place} of `{file}`: mend the file or the pipeline, ingest the file again with \
                     `maas collect --pipeline PIPELINE --interface {} FILE`, then discard this letter",
                    letter.owner
                )),
            }),
        }
    }

    async fn replay_message(&self, letter: &DeadLetter) -> Result<Came, BusError> {
        let Some(message) = letter.as_published() else {
            return Ok(Came::Kept("its original cannot be read".into()));
        };
        let queue = message.routing_key.clone();
        Ok(match self.bus.publish(vec![message]).await?.pop() {
            Some(Published::Routed) => Came::Done,
            Some(Published::Refused(reason)) => Came::Kept(reason),
            Some(Published::Unroutable) | None => {
                Came::Kept(format!("there is no queue `{queue}`"))
            }
        })
    }

    async fn replay_document(
        &self,
        index: &str,
        id: &str,
        source: &serde_json::Value,
    ) -> Result<Came, BusError> {
        let kept = |reason: &dyn std::fmt::Display| Ok(Came::Kept(reason.to_string()));
        let Some(store) = &self.store else {
            return kept(&"it is a document: replay it where the store is known");
        };
        let (index, id) = match (IndexName::new(index), DocumentId::new(id)) {
            (Ok(index), Ok(id)) => (index, id),
            (Err(error), _) => return kept(&error),
            (_, Err(error)) => return kept(&error),
        };
        let serde_json::Value::Object(source) = source.clone() else {
            return kept(&"its document is no object");
        };
        let op = WriteOp::Index(source, None);
        let outcomes = match store.write(vec![WriteAction { index, id, op }]).await {
            Ok(outcomes) => outcomes,
            Err(error) => return kept(&error),
        };
        Ok(match outcomes.into_iter().next() {
            Some(WriteOutcome::Refused { reason, .. }) => Came::Failed(reason),
            Some(WriteOutcome::Busy { reason } | WriteOutcome::Unknown { reason }) => {
                Came::Kept(reason)
            }
            Some(outcome) if outcome.is_done() => Came::Done,
            Some(_) | None => Came::Kept("the store did not take it".into()),
        })
    }
}

impl DeadLetter {
    /// The original message for the queue it was taken from (for its exchange and key, when it never came to
    /// a queue), with its first exchange and key, and with its history in a header. `None` when it is no message or was damaged by hand.
    fn as_published(&self) -> Option<Outgoing> {
        let DeadOriginal::Message {
            exchange,
            routing_key,
            queue,
            priority,
            body,
            body_base64,
            headers,
        } = self.original.message()?
        else {
            return None;
        };
        let body = match (body, body_base64) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(text)) => STANDARD.decode(text).ok()?,
            (None, None) => return None,
        };
        let mut headers = headers.clone();
        let exchange = ExchangeName::new(exchange.as_str()).ok()?;
        let key = RoutingKey::new(routing_key.as_str()).ok()?;
        carried::remember_origin(&mut headers, &exchange, &key);
        carried::put_history(&mut headers, &self.ends());
        let replays = self.replays.saturating_add(1).to_string();
        headers.insert(carried::REPLAYS.into(), replays);
        if self.reason.kind == DeadReason::CRASHED {
            // It would end the next process, too.
            headers.insert(carried::ALONE.into(), "true".into());
        }
        let (exchange, routing_key) = if queue.is_empty() {
            (exchange, key)
        } else {
            let queue = RoutingKey::new(queue.as_str()).ok()?;
            (ExchangeName::default_exchange(), queue)
        };
        Some(Outgoing {
            exchange,
            routing_key,
            body,
            message_id: crate::chance::uuid_in_order().to_string(),
            priority: *priority,
            headers,
        })
    }
}
