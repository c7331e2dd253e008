//! The bus of a test: hands messages to queues in the order in which they are published, and keeps them all.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use maas_model::message::{
    BusError, BusStatus, MessageBus, Outgoing, Peeked, Published, QueueInfo, QueueName, QueueSpec,
    Subscription, Topology,
};

/// One message in one queue.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) queue: QueueName,
    pub(super) message: Outgoing,
    /// How many times it was tried before.
    pub(super) tries: u32,
}

/// See the module. Nobody subscribes: whoever works takes the next message itself.
#[derive(Debug, Default)]
pub(super) struct TestBus {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queues: Vec<QueueSpec>,
    published: Vec<Outgoing>,
    waiting: VecDeque<Waiting>,
}

impl TestBus {
    /// With the queues of a pipeline.
    pub(super) fn new(topology: Topology) -> Self {
        let state = State {
            queues: topology.queues,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
        }
    }

    /// The message that waits longest, whatever its queue.
    pub(super) fn take(&self) -> Option<Waiting> {
        self.state().waiting.pop_front()
    }

    /// Hands a message to its queues, without keeping it as published.
    pub(super) fn hand_in(&self, message: &Outgoing) {
        self.state().route(message);
    }

    /// Puts a message behind all others.
    pub(super) fn put_back(&self, waiting: Waiting) {
        self.state().waiting.push_back(waiting);
    }

    /// Everything published since the last call.
    pub(super) fn take_published(&self) -> Vec<Outgoing> {
        std::mem::take(&mut self.state().published)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn route(&mut self, message: &Outgoing) -> Published {
        // The default exchange: the key is the queue. Parking queues need no declaration.
        let direct = message.exchange.as_str().is_empty();
        let takes = |queue: &QueueSpec| match direct {
            true => queue.name.as_str() == message.routing_key.as_str(),
            false => queue.bindings.iter().any(|binding| {
                binding.exchange == message.exchange
                    && binding.pattern.matches(&message.routing_key)
            }),
        };
        let before = self.waiting.len();
        let taken = self.queues.iter().filter(|queue| takes(queue));
        self.waiting.extend(taken.map(|queue| Waiting {
            queue: queue.name.clone(),
            message: message.clone(),
            tries: 0,
        }));
        match direct || self.waiting.len() > before {
            true => Published::Routed,
            false => Published::Unroutable,
        }
    }
}

#[async_trait]
impl MessageBus for TestBus {
    async fn declare(&self, _topology: &Topology) -> Result<(), BusError> {
        Ok(())
    }

    async fn publish(&self, messages: Vec<Outgoing>) -> Result<Vec<Published>, BusError> {
        let mut state = self.state();
        let outcomes = messages
            .iter()
            .map(|message| state.route(message))
            .collect();
        state.published.extend(messages);
        Ok(outcomes)
    }

    async fn subscribe(
        &self,
        _queue: &QueueName,
        _prefetch: u16,
    ) -> Result<Box<dyn Subscription>, BusError> {
        Err(BusError::Closed)
    }

    async fn queues(&self, _pattern: &str) -> Result<Vec<QueueInfo>, BusError> {
        let state = self.state();
        let mut depths: BTreeMap<&QueueName, u64> = BTreeMap::new();
        for waiting in &state.waiting {
            *depths.entry(&waiting.queue).or_default() += 1;
        }
        let queues = state.queues.iter().map(|queue| QueueInfo {
            name: queue.name.clone(),
            ready: depths.get(&queue.name).copied().unwrap_or(0),
            unsettled: None,
            delayed: 0,
            consumers: 0,
        });
        Ok(queues.collect())
    }

    async fn peek(&self, queue: &QueueName, limit: usize) -> Result<Vec<Peeked>, BusError> {
        let state = self.state();
        let waiting = state
            .waiting
            .iter()
            .filter(|waiting| waiting.queue == *queue);
        let peeked = waiting.take(limit).map(|waiting| Peeked {
            routing_key: waiting.message.routing_key.clone(),
            exchange: waiting.message.exchange.clone(),
            body: waiting.message.body.clone(),
            headers: waiting.message.headers.clone(),
        });
        Ok(peeked.collect())
    }

    async fn purge(&self, queue: &QueueName) -> Result<u64, BusError> {
        let mut state = self.state();
        let before = state.waiting.len();
        state.waiting.retain(|waiting| waiting.queue != *queue);
        Ok((before - state.waiting.len()) as u64)
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
