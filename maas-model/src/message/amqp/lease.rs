//! One message in hand: acknowledged, or published elsewhere first and acknowledged then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;

use super::hand::Hold;
use super::settle::Settling;
use super::shared::Shared;
use super::topology::delay_exchange;
use crate::message::{
    BusError, DeadLetter, DeadMessage, DeadReason, ExchangeName, Outgoing, Part, QueueName,
    RoutingKey, Settle, carried,
};

/// What is needed to publish the message again.
pub(super) struct Original {
    pub(super) queue: QueueName,
    pub(super) exchange: ExchangeName,
    pub(super) routing_key: RoutingKey,
    pub(super) body: Vec<u8>,
    pub(super) message_id: String,
    pub(super) priority: u8,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) tries: u32,
    pub(super) alone: bool,
}

impl Original {
    fn letter(&self, owner: &str, reason: DeadReason) -> DeadLetter {
        let message = DeadMessage {
            queue: self.queue.clone(),
            exchange: self.exchange.clone(),
            routing_key: self.routing_key.clone(),
            priority: self.priority,
            body: self.body.clone(),
            headers: self.headers.clone(),
        };
        DeadLetter::of_message(owner, reason, self.tries + 1, message)
    }

    /// The message itself, with the reason in its headers.
    fn bare(&self, parking: RoutingKey, reason: &DeadReason) -> Outgoing {
        let mut headers = self.headers.clone();
        carried::remember_origin(&mut headers, &self.exchange, &self.routing_key);
        carried::put_death(&mut headers, &self.queue, reason);
        Outgoing {
            exchange: ExchangeName::default_exchange(),
            routing_key: parking,
            body: self.body.clone(),
            message_id: self.message_id.clone(),
            priority: self.priority,
            headers,
        }
    }
}

/// The right to settle one message, once.
pub(super) struct Lease {
    bus: Arc<Shared>,
    hold: Hold,
    original: Original,
}

impl Lease {
    pub(super) fn new(bus: Arc<Shared>, hold: Hold, original: Original) -> Self {
        Self {
            bus,
            hold,
            original,
        }
    }

    /// A part as a message that goes back to the queue by way of its delay.
    fn outgoing(&self, part: Part) -> Result<Outgoing, BusError> {
        let original = &self.original;
        let mut headers = original.headers.clone();
        carried::remember_origin(&mut headers, &original.exchange, &original.routing_key);
        headers.insert(carried::TRIES.into(), part.tries.to_string());
        if part.alone {
            headers.insert(carried::ALONE.into(), "true".into());
        }
        let delay = delay_exchange(part.delay);
        if let Some((_, milliseconds)) = delay {
            let due = Utc::now().timestamp_millis() + i64::from(milliseconds);
            headers.insert(carried::DUE.into(), due.to_string());
        }
        let exchange = ExchangeName::new(delay.map(|(name, _)| name).unwrap_or_default());
        Ok(Outgoing {
            exchange: exchange.unwrap_or_else(|_| ExchangeName::default_exchange()),
            routing_key: self.bus.key_of(&original.queue)?,
            body: part.body,
            message_id: part.message_id,
            priority: original.priority,
            headers,
        })
    }
}

#[async_trait]
impl Settle for Lease {
    async fn ack(mut self: Box<Self>) -> Result<(), BusError> {
        self.hold.settle(Settling::Ack);
        Ok(())
    }

    async fn return_after(mut self: Box<Self>, delay: Duration) -> Result<(), BusError> {
        let original = &mut self.original;
        let whole = Part {
            body: std::mem::take(&mut original.body),
            message_id: std::mem::take(&mut original.message_id),
            delay,
            tries: original.tries.saturating_add(1),
            alone: original.alone,
        };
        self.replace(vec![whole]).await
    }

    async fn replace(mut self: Box<Self>, parts: Vec<Part>) -> Result<(), BusError> {
        if self.hold.is_gone() {
            return Ok(());
        }
        for part in parts {
            let part = self.outgoing(part)?;
            self.bus.put(part, &[]).await?;
        }
        self.hold.settle(Settling::Ack);
        Ok(())
    }

    async fn dead_letter(mut self: Box<Self>, reason: DeadReason) -> Result<(), BusError> {
        if self.hold.is_gone() {
            return Ok(());
        }
        let owner = self.bus.declared.owner(&self.original.queue);
        let letter = self.original.letter(&owner, reason.clone());
        let letter = letter
            .to_outgoing()
            .map_err(|error| self.bus.refused(error.to_string()))?;
        let parking = letter.routing_key.clone();
        let parked = self.bus.put(letter, std::slice::from_ref(&owner)).await;
        if let Err(BusError::Refused { .. }) = parked {
            // Escaped and with all that is said of it, it is larger than the broker takes. As it was it is not.
            let bare = self.original.bare(parking, &reason);
            self.bus.put(bare, &[owner]).await?;
        } else {
            parked?;
        }
        self.hold.settle(Settling::Ack);
        Ok(())
    }
}
