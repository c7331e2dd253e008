//! A dead letter back to where it came from.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::DeadLetters;
use crate::document::{DocumentId, IndexName};
use crate::message::{
    BusError, DeadLetter, DeadOriginal, DeadReason, ExchangeName, Outgoing, Published, RoutingKey,
    carried,
};
use crate::store::{WriteAction, WriteOp, WriteOutcome};

/// What came of the replay of one letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// It is gone from the dead letters.
    Done,
    /// It stays as it is, for this reason.
    Kept(String),
    /// It was tried again and failed again, for this reason.
    Failed(String),
}

/// Ingests a record again. The collector of the interface knows how.
#[async_trait]
pub trait ReplayRecord: Send + Sync {
    /// Stores and announces the record of `letter` ([`DeadOriginal::Record`]). Called again for a letter that was
    /// done before, it does nothing.
    async fn replay(&self, letter: &DeadLetter) -> Replayed;
}

impl DeadLetters {
    pub(super) async fn replay_one(&self, letter: &DeadLetter) -> Result<Replayed, BusError> {
        if letter.reason.kind == DeadReason::UNREADABLE {
            let reason = &letter.reason.detail;
            return Ok(Replayed::Kept(format!(
                "{reason}; replay it with that program"
            )));
        }
        match &letter.original {
            DeadOriginal::Message { .. }
            | DeadOriginal::Document {
                made_by: Some(_), ..
            } => self.replay_message(letter).await,
            DeadOriginal::Document {
                index, id, source, ..
            } => self.replay_document(index, id, source).await,
            DeadOriginal::Record { file, place, .. } => Ok(match &self.records {
                Some(records) => records.replay(letter).await,
                None => Replayed::Kept(format!(
                    "it is {place} of `{file}`: name the pipeline of interface `{}` with `--pipeline PIPELINE` or \
                     `MAAS_PIPELINE`",
                    letter.owner
                )),
            }),
        }
    }

    async fn replay_message(&self, letter: &DeadLetter) -> Result<Replayed, BusError> {
        let Some(message) = letter.as_published() else {
            return Ok(Replayed::Kept("its original cannot be read".into()));
        };
        let queue = message.routing_key.clone();
        Ok(match self.bus.publish(vec![message]).await?.pop() {
            Some(Published::Routed) => Replayed::Done,
            Some(Published::Refused(reason)) => Replayed::Kept(reason),
            Some(Published::Unroutable) | None => {
                Replayed::Kept(format!("there is no queue `{queue}`"))
            }
        })
    }

    async fn replay_document(
        &self,
        index: &str,
        id: &str,
        source: &serde_json::Value,
    ) -> Result<Replayed, BusError> {
        let kept = |reason: &dyn std::fmt::Display| Ok(Replayed::Kept(reason.to_string()));
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
            Some(WriteOutcome::Refused { reason, .. }) => Replayed::Failed(reason),
            Some(WriteOutcome::Busy { reason } | WriteOutcome::Unknown { reason }) => {
                Replayed::Kept(reason)
            }
            Some(outcome) if outcome.is_done() => Replayed::Done,
            Some(_) | None => Replayed::Kept("the store did not take it".into()),
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
