//! The bus of a test: hands messages to queues in the order in which they are published, and keeps them all.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use maas_model::message::memory::{Broker, Kept, Lease};
use maas_model::message::{
    BusError, BusStatus, Delayed, MessageBus, Outgoing, Part, Peeked, Published, QueueInfo,
    QueueName, Subscription, Topology,
};
use tokio::time::Instant;

/// See the module. Nobody subscribes: whoever works takes the next message itself.
#[derive(Debug, Default)]
pub(super) struct TestBus {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    broker: Broker,
    published: Vec<Outgoing>,
}

/// The one who works.
const WORKER: u64 = 0;

impl TestBus {
    /// With the queues of a pipeline.
    pub(super) fn new(topology: &Topology) -> Result<Self, BusError> {
        let bus = Self::default();
        bus.state().broker.declare(topology)?;
        Ok(bus)
    }

    /// The message that waits longest, whatever its queue; what is to be tried again later comes behind all others.
    pub(super) fn take(&self) -> Option<(Lease, Kept)> {
        let is_for_pools = |queue: &QueueName| !queue.as_str().starts_with(Topology::PARKING);
        let broker = &mut self.state().broker;
        broker.take_first(is_for_pools, WORKER).or_else(|| {
            broker.wake_all();
            broker.take_first(is_for_pools, WORKER)
        })
    }

    /// It is done with.
    pub(super) fn ack(&self, lease: &Lease) {
        self.state().broker.ack(lease);
    }

    /// It is tried again once the others are done.
    pub(super) fn put_back(&self, lease: &Lease) {
        self.state().broker.delay(lease, Instant::now());
    }

    /// These are tried in its place once the others are done.
    pub(super) fn replace(&self, lease: &Lease, parts: Vec<Part>) {
        let at_once = |part: Part| Part {
            delay: Duration::ZERO,
            ..part
        };
        let parts = parts.into_iter().map(at_once).collect();
        let now = Instant::now();
        self.state().broker.replace(lease, parts, now, false);
    }

    /// Hands a message to its queues, without keeping it as published.
    pub(super) fn hand_in(&self, message: &Outgoing) {
        self.state().broker.publish(message);
    }

    /// Everything published since the last call.
    pub(super) fn take_published(&self) -> Vec<Outgoing> {
        std::mem::take(&mut self.state().published)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl MessageBus for TestBus {
    async fn declare(&self, topology: &Topology) -> Result<(), BusError> {
        self.state().broker.declare(topology)
    }

    async fn publish(&self, messages: Vec<Outgoing>) -> Result<Vec<Published>, BusError> {
        let State { broker, published } = &mut *self.state();
        let outcomes = messages.iter().map(|message| broker.publish(message));
        let outcomes = outcomes.collect();
        published.extend(messages);
        Ok(outcomes)
    }

    async fn subscribe(
        &self,
        _queue: &QueueName,
        _prefetch: u16,
    ) -> Result<Box<dyn Subscription>, BusError> {
        Err(BusError::Closed)
    }

    async fn queues(&self, pattern: &str) -> Result<Vec<QueueInfo>, BusError> {
        Ok(self.state().broker.queues(pattern))
    }

    async fn peek(&self, queue: &QueueName, limit: usize) -> Result<Vec<Peeked>, BusError> {
        self.state().broker.peek(queue, limit)
    }

    async fn delayed(&self, limit: usize) -> Result<Vec<Delayed>, BusError> {
        Ok(self.state().broker.delayed(limit))
    }

    async fn purge(&self, queue: &QueueName) -> Result<u64, BusError> {
        self.state().broker.purge(queue)
    }

    async fn status(&self) -> Result<BusStatus, BusError> {
        Ok(BusStatus {
            name: "the bus of a test".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            healthy: true,
            detail: String::new(),
        })
    }

    async fn close(&self) -> Result<(), BusError> {
        Ok(())
    }
}
