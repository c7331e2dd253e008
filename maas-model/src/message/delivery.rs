//! One message in hand, to be settled once.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::{BusError, DeadReason, ExchangeName, QueueName, RoutingKey, meter};

/// A message that this process must settle: [`ack`](Self::ack), [`return_after`](Self::return_after) or
/// [`dead_letter`](Self::dead_letter). One that is dropped unsettled goes back to its queue at once.
pub struct Delivery {
    /// Where it came from.
    pub queue: QueueName,
    /// The exchange it was published to.
    pub exchange: ExchangeName,
    /// The key it was published with, also after a delay.
    pub routing_key: RoutingKey,
    /// JSON text, as published.
    pub body: Vec<u8>,
    /// 0 to 9, as published.
    pub priority: u8,
    /// The `x-maas-` properties.
    pub headers: BTreeMap<String, String>,
    /// Whether it may have been delivered before: somebody may have begun the work.
    pub redelivered: bool,
    /// How many times it was returned on purpose; 0 the first time. Its own count: it travels with the message,
    /// whichever worker takes it next, and nothing that happens to its neighbours changes it.
    pub tries: u32,
    /// How many times it came back without having been settled, as far as the bus knows: its worker died, lost
    /// the bus or was stopped with it in hand. All that a worker had fetched comes back so, guilty or not. A
    /// return begins this count anew; a classic queue of RabbitMQ never tells more than 1.
    pub abandoned: u32,
    /// Whether a worker marked it as to be worked on alone ([`Part::alone`]); a return keeps the mark.
    pub alone: bool,
    settle: Box<dyn Settle>,
}

/// What is put in the place of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// JSON text.
    pub body: Vec<u8>,
    /// Goes into the properties.
    pub message_id: String,
    /// It comes after this time, as with [`Settle::return_after`].
    pub delay: Duration,
    /// How many times it was tried until now.
    pub tries: u32,
    /// Whether it is marked as to be worked on alone.
    pub alone: bool,
}

/// How an adapter settles one delivery. Called once.
#[async_trait]
pub trait Settle: Send + Sync {
    /// The work is done: forget the message. Does not wait until the bus has forgotten it; `close` does. When
    /// the connection or the process is gone before, the message comes again as redelivered; that is no error.
    async fn ack(self: Box<Self>) -> Result<(), BusError>;

    /// Delivers it again, to any subscription, after at least `delay`; the try is counted. The message
    /// is on disk all the time. RabbitMQ waits for the next longer of 1 s, 5 s, 30 s, 2 min, 10 min and
    /// 1 h, and never longer than that.
    async fn return_after(self: Box<Self>, delay: Duration) -> Result<(), BusError>;

    /// Puts `parts` in its place, in the same queue, with its exchange, key, priority and headers. They are on
    /// disk before it is gone.
    async fn replace(self: Box<Self>, parts: Vec<Part>) -> Result<(), BusError>;

    /// Moves it to the parking queue of its pool with the reason. It is there before it is gone here.
    async fn dead_letter(self: Box<Self>, reason: DeadReason) -> Result<(), BusError>;
}

impl Delivery {
    /// For adapters.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        queue: QueueName,
        exchange: ExchangeName,
        routing_key: RoutingKey,
        body: Vec<u8>,
        priority: u8,
        headers: BTreeMap<String, String>,
        redelivered: bool,
        tries: u32,
        settle: Box<dyn Settle>,
    ) -> Self {
        meter::delivered(&queue);
        Self {
            queue,
            exchange,
            routing_key,
            body,
            priority,
            headers,
            redelivered,
            tries,
            abandoned: 0,
            alone: false,
            settle,
        }
    }

    /// The same, of which the bus knows that it came back unsettled so many times, or that it is marked.
    #[must_use]
    pub fn suspected(self, abandoned: u32, alone: bool) -> Self {
        Self {
            abandoned,
            alone,
            ..self
        }
    }

    /// The work is done.
    pub async fn ack(self) -> Result<(), BusError> {
        self.settle.ack().await?;
        meter::acked(&self.queue);
        Ok(())
    }

    /// The work is to be tried again after `delay`.
    pub async fn return_after(self, delay: Duration) -> Result<(), BusError> {
        self.settle.return_after(delay).await?;
        meter::returned(&self.queue);
        Ok(())
    }

    /// The work is to be tried again in these parts.
    pub async fn replace(self, parts: Vec<Part>) -> Result<(), BusError> {
        self.settle.replace(parts).await?;
        meter::returned(&self.queue);
        Ok(())
    }

    /// The work cannot be done.
    pub async fn dead_letter(self, reason: DeadReason) -> Result<(), BusError> {
        self.settle.dead_letter(reason).await?;
        meter::dead(&self.queue);
        Ok(())
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("queue", &self.queue)
            .field("routing_key", &self.routing_key)
            .field("bytes", &self.body.len())
            .field("redelivered", &self.redelivered)
            .field("tries", &self.tries)
            .field("abandoned", &self.abandoned)
            .field("alone", &self.alone)
            .finish_non_exhaustive()
    }
}
