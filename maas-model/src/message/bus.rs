//! The bus contract.

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{
    BusError, Delivery, ExchangeName, Message, NameError, QueueName, RoutingKey, Topology, carried,
};
use crate::chance;

/// Carries messages from exchanges to queues by routing key, and keeps them until they are settled.
///
/// At least once: a message may come again, it is never lost once [`MessageBus::publish`] said `Routed`.
/// Adapters reconnect by themselves: while the bus is away every method waits, tells so once in the log,
/// and goes on. A method returns a temporary error only when the wait exceeded the adapter's limit.
#[async_trait]
pub trait MessageBus: Debug + Send + Sync {
    /// Makes exchanges, queues, bindings, and for every pool its dead-letter exchange, parking queue and
    /// delay queues. Idempotent. What exists otherwise (type, arguments) is an error, nothing is replaced.
    async fn declare(&self, topology: &Topology) -> Result<(), BusError>;

    /// One outcome per message, in the order given, once all are on disk or refused. Messages of one
    /// call to the same queue keep their order. In flight are at most the adapter's window.
    async fn publish(&self, messages: Vec<Outgoing>) -> Result<Vec<Published>, BusError>;

    /// Learns the names of a topology without making anything: who only looks should leave no trace. For a bus
    /// that cannot tell by itself which queues there are.
    fn know(&self, _topology: &Topology) {}

    /// Receives from a queue. At most `prefetch` deliveries are unsettled at a time. Several
    /// subscriptions to one queue share its messages.
    async fn subscribe(
        &self,
        queue: &QueueName,
        prefetch: u16,
    ) -> Result<Box<dyn Subscription>, BusError>;

    /// The queues whose name matches `pattern` (`*` stands for any text), by name. RabbitMQ tells only
    /// those that were declared or named through this bus ([`Self::know`]), and its delay queues
    /// ([`Topology::DELAY`]) beside them.
    async fn queues(&self, pattern: &str) -> Result<Vec<QueueInfo>, BusError>;

    /// The first messages of a queue, oldest first, left where they are. RabbitMQ has no such thing: they
    /// are taken and given back, so they are redelivered afterwards, and a quorum queue counts a delivery.
    async fn peek(&self, queue: &QueueName, limit: usize) -> Result<Vec<Peeked>, BusError>;

    /// The messages of all queues that wait for their delay to end, the next one first, left where they are. By
    /// default none: for a bus that delays nothing. RabbitMQ has no such thing: up to `limit` messages of each
    /// delay queue are taken and given back, and no delay ends meanwhile.
    async fn delayed(&self, _limit: usize) -> Result<Vec<Delayed>, BusError> {
        Ok(Vec::new())
    }

    /// Removes all messages that are ready in a queue (not those being worked on, nor those that wait for
    /// their delay to end); tells how many.
    async fn purge(&self, queue: &QueueName) -> Result<u64, BusError>;

    /// Reaches the bus and tells what it says of itself.
    async fn status(&self) -> Result<BusStatus, BusError>;

    /// Unsettled deliveries go back to their queues; nothing may be called after.
    async fn close(&self) -> Result<(), BusError>;
}

/// The messages of one queue as they come.
#[async_trait]
pub trait Subscription: Send {
    /// The next message; waits for one, also while the bus is away. `None` after
    /// [`MessageBus::close`]. Cancel safe: a call that is dropped loses nothing.
    async fn next(&mut self) -> Option<Delivery>;
}

/// One message to publish.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// Where to. The empty name is the default exchange: the key is the queue.
    pub exchange: ExchangeName,
    /// What queues are bound by.
    pub routing_key: RoutingKey,
    /// JSON text.
    pub body: Vec<u8>,
    /// Unique; goes into the message's properties and matches a return to its message.
    pub message_id: String,
    /// 0 to 9; only classic queues heed it.
    pub priority: u8,
    /// Further properties. Names start with `x-maas-`.
    pub headers: BTreeMap<String, String>,
}

impl Outgoing {
    /// The same message straight for a queue, past all others that are bound to its key; who takes it sees it as
    /// published to its exchange with its key.
    pub fn straight_to(mut self, queue: &QueueName) -> Result<Self, NameError> {
        carried::remember_origin(&mut self.headers, &self.exchange, &self.routing_key);
        Ok(Self {
            exchange: ExchangeName::default_exchange(),
            routing_key: RoutingKey::new(queue.as_str())?,
            ..self
        })
    }

    /// The same message twice, each with half of the documents and an id of its own; `None` when it names fewer
    /// than two.
    pub fn halved(&self) -> Option<[Self; 2]> {
        let whole = Message::parse(&self.body).ok()?;
        if whole.document_ids.len() < 2 {
            return None;
        }
        let (first, second) = whole.document_ids.split_at(whole.document_ids.len() / 2);
        Some([first, second].map(|ids| {
            let half = Message {
                message_id: chance::uuid().to_string(),
                document_ids: ids.to_vec(),
                ..whole.clone()
            };
            Self {
                body: half.to_body(),
                message_id: half.message_id,
                ..self.clone()
            }
        }))
    }
}

/// What came of one [`Outgoing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// At least one queue has it, on disk.
    Routed,
    /// No queue is bound to this key: the message is gone. Normal at the end of a chain.
    Unroutable,
    /// The broker will never take it (size); its own words.
    Refused(String),
}

/// What the bus knows of one queue.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueueInfo {
    /// Its name.
    pub name: QueueName,
    /// Messages that wait.
    pub ready: u64,
    /// Messages delivered and not settled, where the bus tells.
    pub unsettled: Option<u64>,
    /// Messages that wait for their delay to end. 0 on RabbitMQ: there they are `ready` in the delay queues,
    /// those of all queues together; [`MessageBus::delayed`] tells them apart.
    pub delayed: u64,
    /// Subscriptions.
    pub consumers: u64,
    /// When the first message of it was made, waiting or not yet settled, as its body says; where the bus can
    /// look without taking. RabbitMQ cannot: what is taken and given back is a redelivered message.
    pub oldest: Option<DateTime<Utc>>,
}

/// A message looked at, not taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Peeked {
    /// The key it was published with.
    pub routing_key: RoutingKey,
    /// The exchange it was published to.
    pub exchange: ExchangeName,
    /// JSON text, as published.
    pub body: Vec<u8>,
    /// The `x-maas-` properties.
    pub headers: BTreeMap<String, String>,
}

/// A message that waits for its delay to end.
#[derive(Debug, Clone, PartialEq)]
pub struct Delayed {
    /// Where it will be ready.
    pub queue: QueueName,
    /// When, if that is known: earlier versions do not write it on the message.
    pub due: Option<DateTime<Utc>>,
    /// What it is.
    pub message: Peeked,
}

/// What the bus says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BusStatus {
    /// Product and where it is, without credentials.
    pub name: String,
    /// Version of the server or library.
    pub version: String,
    /// Whether publishing and consuming can be expected to work.
    pub healthy: bool,
    /// What is wrong (memory alarm, disk alarm), or more detail, for a person.
    pub detail: String,
}
