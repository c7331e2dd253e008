//! Exchanges and queues in memory, for simulations, tests of pipelines and tests of what stands around a bus:
//! every effect is a plain call, nothing waits, nothing is random.

mod hand;
mod queue;

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use self::queue::Queue;
pub use self::queue::{Holder, Kept, Lease};
use super::{
    BusError, Delayed, ExchangeName, KeyPattern, Outgoing, Peeked, Published, QueueInfo, QueueKind,
    QueueName, Topology, text_matches,
};

/// All exchanges and queues of a broker.
#[derive(Debug, Default)]
pub struct Broker {
    exchanges: BTreeMap<ExchangeName, BTreeSet<(KeyPattern, QueueName)>>,
    queues: BTreeMap<QueueName, Queue>,
    sequence: u64,
}

impl Broker {
    /// As [`MessageBus::declare`](super::MessageBus::declare).
    pub fn declare(&mut self, topology: &Topology) -> Result<(), BusError> {
        for queue in &topology.queues {
            let existing = self.queues.get(&queue.name);
            if existing.is_some_and(|existing| existing.kind != queue.kind) {
                return Err(BusError::Mismatch {
                    name: queue.name.to_string(),
                    reason: "it is of another kind".to_owned(),
                });
            }
        }
        for exchange in &topology.exchanges {
            self.exchanges.entry(exchange.clone()).or_default();
        }
        for queue in &topology.queues {
            let made = || Queue::new(queue.kind, &queue.owner);
            self.queues.entry(queue.name.clone()).or_insert_with(made);
            self.park_for(&queue.owner)?;
            for binding in &queue.bindings {
                let bound = self.exchanges.entry(binding.exchange.clone()).or_default();
                bound.insert((binding.pattern.clone(), queue.name.clone()));
            }
        }
        topology
            .parking
            .iter()
            .try_for_each(|owner| self.park_for(owner).map(drop))
    }

    /// The parking queue of an owner, made when it is missing.
    fn park_for(&mut self, owner: &str) -> Result<QueueName, BusError> {
        let name = Topology::parking_queue(owner).map_err(|error| refused(error.to_string()))?;
        let made = || Queue::new(QueueKind::Quorum, owner);
        self.queues.entry(name.clone()).or_insert_with(made);
        Ok(name)
    }

    /// Puts a message into all queues bound to its key.
    pub fn publish(&mut self, message: &Outgoing) -> Published {
        let queues: BTreeSet<QueueName> = if message.exchange.as_str().is_empty() {
            let named = self.queues.keys();
            let named = named.filter(|name| name.as_str() == message.routing_key.as_str());
            named.cloned().collect()
        } else {
            let Some(bound) = self.exchanges.get(&message.exchange) else {
                return Published::Refused(format!("there is no exchange `{}`", message.exchange));
            };
            let bound = bound.iter();
            let fitting = bound.filter(|(pattern, _)| pattern.matches(&message.routing_key));
            fitting.map(|(_, queue)| queue.clone()).collect()
        };
        for queue in &queues {
            self.put(queue, Kept::of(message.clone()));
        }
        if queues.is_empty() {
            Published::Unroutable
        } else {
            Published::Routed
        }
    }

    fn put(&mut self, queue: &QueueName, kept: Kept) {
        self.sequence += 1;
        if let Some(queue) = self.queues.get_mut(queue) {
            queue.ready.insert(self.sequence, kept);
        }
    }

    /// Registers a consumer, or takes one away.
    pub fn consumers(&mut self, queue: &QueueName, more: bool) -> Result<(), BusError> {
        let queue = self.queue_mut(queue)?;
        queue.consumers = match more {
            true => queue.consumers + 1,
            false => queue.consumers.saturating_sub(1),
        };
        Ok(())
    }

    /// As [`MessageBus::queues`](super::MessageBus::queues).
    pub fn queues(&self, pattern: &str) -> Vec<QueueInfo> {
        let named = self.queues.iter();
        let named = named.filter(|(name, _)| text_matches(pattern, name.as_str()));
        named
            .map(|(name, queue)| QueueInfo {
                name: name.clone(),
                ready: queue.ready.len() as u64,
                unsettled: Some(queue.held.len() as u64),
                delayed: queue.delayed.len() as u64,
                consumers: queue.consumers,
                oldest: None,
            })
            .collect()
    }

    /// As [`MessageBus::peek`](super::MessageBus::peek).
    pub fn peek(&self, queue: &QueueName, limit: usize) -> Result<Vec<Peeked>, BusError> {
        let ready = self.queue(queue)?.ready.values();
        Ok(ready.take(limit).map(Kept::peeked).collect())
    }

    /// As [`MessageBus::delayed`](super::MessageBus::delayed).
    pub fn delayed(&self, limit: usize) -> Vec<Delayed> {
        let (now, today) = (Instant::now(), chrono::Utc::now());
        let queues = self.queues.iter();
        let all = queues.flat_map(|(name, queue)| {
            let delayed = queue.delayed.iter();
            delayed.map(move |((until, _), kept)| Delayed {
                queue: name.clone(),
                due: Some(today + until.saturating_duration_since(now)),
                message: kept.peeked(),
            })
        });
        let mut all: Vec<Delayed> = all.collect();
        all.sort_by_key(|delayed| delayed.due);
        all.truncate(limit);
        all
    }

    /// As [`MessageBus::purge`](super::MessageBus::purge).
    pub fn purge(&mut self, queue: &QueueName) -> Result<u64, BusError> {
        let queue = self.queue_mut(queue)?;
        let purged = queue.ready.len() as u64;
        queue.ready.clear();
        Ok(purged)
    }

    /// Whether there is such a queue.
    pub fn queue_exists(&self, name: &QueueName) -> Result<(), BusError> {
        self.queue(name).map(drop)
    }

    fn queue(&self, name: &QueueName) -> Result<&Queue, BusError> {
        let queue = self.queues.get(name);
        queue.ok_or_else(|| refused(format!("there is no queue `{name}`")))
    }

    fn queue_mut(&mut self, name: &QueueName) -> Result<&mut Queue, BusError> {
        let queue = self.queues.get_mut(name);
        queue.ok_or_else(|| refused(format!("there is no queue `{name}`")))
    }
}

fn refused(reason: String) -> BusError {
    BusError::Refused {
        endpoint: "memory".to_owned(),
        reason,
    }
}
