//! One queue, and the messages in it.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::message::{ExchangeName, Outgoing, Peeked, QueueKind, QueueName, RoutingKey, carried};

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) kind: QueueKind,
    pub(super) owner: String,
    /// By place.
    pub(super) ready: BTreeMap<u64, Kept>,
    pub(super) held: BTreeMap<u64, Held>,
    pub(super) delayed: BTreeMap<(Instant, u64), Kept>,
    pub(super) consumers: u64,
}

#[derive(Debug)]
pub(super) struct Held {
    pub(super) lease: u64,
    pub(super) holder: Holder,
    pub(super) message: Kept,
}

/// A message as it lies in a queue.
#[derive(Debug, Clone)]
pub struct Kept {
    /// As it was published.
    pub message: Outgoing,
    /// Whether somebody had it.
    pub redelivered: bool,
    /// How many times it was returned.
    pub tries: u32,
    /// How many times it came back unsettled since.
    pub abandoned: u32,
    /// Whether it is to be worked on alone.
    pub alone: bool,
}

/// Whose unsettled messages come back together.
pub type Holder = u64;

/// A message in hand: its queue, its place in it, and which of its deliveries this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The queue.
    pub queue: QueueName,
    pub(super) place: u64,
    pub(super) number: u64,
}

impl Queue {
    pub(super) fn new(kind: QueueKind, owner: &str) -> Self {
        Self {
            kind,
            owner: owner.to_owned(),
            ready: BTreeMap::new(),
            held: BTreeMap::new(),
            delayed: BTreeMap::new(),
            consumers: 0,
        }
    }

    /// The message of this lease, while that hand has it.
    pub(super) fn held(&self, lease: &Lease) -> Option<&Kept> {
        let held = self.held.get(&lease.place)?;
        (held.lease == lease.number).then_some(&held.message)
    }
}

impl Kept {
    /// The message as it was first published: exchange, key, headers.
    pub fn origin(&self) -> (ExchangeName, RoutingKey, BTreeMap<String, String>) {
        let mut headers = self.message.headers.clone();
        let (exchange, key) = (
            self.message.exchange.clone(),
            self.message.routing_key.clone(),
        );
        let (exchange, key) = carried::take_origin(&mut headers, exchange, key);
        (exchange, key, headers)
    }

    pub(super) fn peeked(&self) -> Peeked {
        let (exchange, routing_key, headers) = self.origin();
        Peeked {
            routing_key,
            exchange,
            body: self.message.body.clone(),
            headers,
        }
    }

    pub(super) fn of(message: Outgoing) -> Self {
        Self {
            message,
            redelivered: false,
            tries: 0,
            abandoned: 0,
            alone: false,
        }
    }

    pub(super) fn returned(self) -> Self {
        Self {
            redelivered: true,
            tries: self.tries.saturating_add(1),
            abandoned: 0,
            ..self
        }
    }

    pub(super) fn abandoned(self) -> Self {
        Self {
            redelivered: true,
            abandoned: self.abandoned.saturating_add(1),
            ..self
        }
    }
}
