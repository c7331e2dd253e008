//! One message in hand: acknowledged, or published elsewhere first and acknowledged then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lapin::Acker;

use super::Inner;
use super::consume::Session;
use super::settle::Settling;
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

/// The right to settle one message, once.
pub(super) struct Lease {
    bus: Arc<Inner>,
    session: Arc<Session>,
    /// Taken when it is settled.
    acker: Option<Acker>,
    original: Original,
}

impl Lease {
    pub(super) fn new(
        bus: Arc<Inner>,
        session: Arc<Session>,
        acker: Acker,
        original: Original,
    ) -> Self {
        Self {
            bus,
            session,
            acker: Some(acker),
            original,
        }
    }

    /// Whether the channel is gone; then the message comes again and must not be put elsewhere, too.
    fn is_gone(&self) -> bool {
        self.acker.as_ref().is_none_or(|acker| !acker.usable())
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
        let exchange = ExchangeName::new(delay_exchange(part.delay).unwrap_or_default());
        Ok(Outgoing {
            exchange: exchange.unwrap_or_else(|_| ExchangeName::default_exchange()),
            routing_key: self.bus.key_of(&original.queue)?,
            body: part.body,
            message_id: part.message_id,
            priority: original.priority,
            headers,
        })
    }

    fn settle(&mut self, how: Settling) {
        if let Some(acker) = self.acker.take() {
            self.session.settle(acker, how);
        }
    }
}

#[async_trait]
impl Settle for Lease {
    async fn ack(mut self: Box<Self>) -> Result<(), BusError> {
        self.settle(Settling::Ack);
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
        if self.is_gone() {
            return Ok(());
        }
        for part in parts {
            let part = self.outgoing(part)?;
            self.bus.put(part, &[]).await?;
        }
        self.settle(Settling::Ack);
        Ok(())
    }

    async fn dead_letter(mut self: Box<Self>, reason: DeadReason) -> Result<(), BusError> {
        if self.is_gone() {
            return Ok(());
        }
        let original = &mut self.original;
        let owner = self.bus.declared.owner(&original.queue);
        let message = DeadMessage {
            queue: original.queue.clone(),
            exchange: original.exchange.clone(),
            routing_key: original.routing_key.clone(),
            priority: original.priority,
            body: std::mem::take(&mut original.body),
            headers: std::mem::take(&mut original.headers),
        };
        let letter = DeadLetter::of_message(&owner, reason, original.tries + 1, message);
        let letter = letter
            .to_outgoing()
            .map_err(|error| self.bus.refused(error.to_string()))?;
        self.bus.put(letter, &[owner]).await?;
        self.settle(Settling::Ack);
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.settle(Settling::GiveBack);
    }
}
