//! Exchanges and queues in memory, for simulations, tests of pipelines and tests of what stands around a bus:
//! every effect is a plain call, nothing waits, nothing is random.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::Instant;

use super::{
    BusError, DeadLetter, DeadMessage, DeadReason, ExchangeName, KeyPattern, Outgoing, Part,
    Peeked, Published, QueueInfo, QueueKind, QueueName, RoutingKey, Topology, carried,
    text_matches,
};

/// All exchanges and queues of a broker.
#[derive(Debug, Default)]
pub struct Broker {
    exchanges: BTreeMap<ExchangeName, BTreeSet<(KeyPattern, QueueName)>>,
    queues: BTreeMap<QueueName, Queue>,
    sequence: u64,
}

#[derive(Debug)]
struct Queue {
    kind: QueueKind,
    owner: String,
    /// By place.
    ready: BTreeMap<u64, Kept>,
    held: BTreeMap<u64, Held>,
    delayed: BTreeMap<(Instant, u64), Kept>,
    consumers: u64,
}

#[derive(Debug)]
struct Held {
    lease: u64,
    holder: Holder,
    message: Kept,
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
    place: u64,
    number: u64,
}

impl Queue {
    fn new(kind: QueueKind, owner: &str) -> Self {
        Self {
            kind,
            owner: owner.to_owned(),
            ready: BTreeMap::new(),
            held: BTreeMap::new(),
            delayed: BTreeMap::new(),
            consumers: 0,
        }
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

    /// Hands out the oldest message that is ready.
    pub fn take(&mut self, name: &QueueName, holder: Holder) -> Option<(Lease, Kept)> {
        self.sequence += 1;
        let number = self.sequence;
        let queue = self.queues.get_mut(name)?;
        let (place, message) = queue.ready.pop_first()?;
        let held = Held {
            lease: number,
            holder,
            message: message.clone(),
        };
        queue.held.insert(place, held);
        let lease = Lease {
            queue: name.clone(),
            place,
            number,
        };
        Some((lease, message))
    }

    /// Hands out the message that was published first, of all that are ready in these queues.
    pub fn take_first(
        &mut self,
        of: impl Fn(&QueueName) -> bool,
        holder: Holder,
    ) -> Option<(Lease, Kept)> {
        let named = self.queues.iter().filter(|(name, _)| of(name));
        let first =
            named.filter_map(|(name, queue)| Some((queue.ready.first_key_value()?.0, name)));
        let name = first.min()?.1.clone();
        self.take(&name, holder)
    }

    /// Takes a message out of hand; `None` when that hand no longer has it.
    fn release(&mut self, lease: &Lease) -> Option<(&mut Queue, Kept)> {
        let queue = self.queues.get_mut(&lease.queue)?;
        let held = queue.held.get(&lease.place)?;
        if held.lease != lease.number {
            return None;
        }
        let held = queue.held.remove(&lease.place)?;
        Some((queue, held.message))
    }

    /// The bodies of all messages of the same queue but this one.
    pub fn others(&self, lease: &Lease) -> impl Iterator<Item = &[u8]> {
        let queue = self.queues.get(&lease.queue).into_iter();
        queue.flat_map(|queue| {
            let held = queue.held.iter();
            let held = held.filter(|(place, _)| **place != lease.place);
            let held = held.map(|(_, held)| &held.message);
            let all = held.chain(queue.ready.values());
            let all = all.chain(queue.delayed.values());
            all.map(|kept| kept.message.body.as_slice())
        })
    }

    /// Forgets the message; `false` when that hand no longer has it.
    pub fn ack(&mut self, lease: &Lease) -> bool {
        self.release(lease).is_some()
    }

    /// The message is ready again, where it was.
    pub fn give_back(&mut self, lease: &Lease) -> bool {
        let Some((queue, kept)) = self.release(lease) else {
            return false;
        };
        queue.ready.insert(lease.place, kept.abandoned());
        true
    }

    /// The message is ready again at `until`.
    pub fn delay(&mut self, lease: &Lease, until: Instant) -> bool {
        let Some((queue, kept)) = self.release(lease) else {
            return false;
        };
        queue.delayed.insert((until, lease.place), kept.returned());
        true
    }

    /// Puts parts in the place of the message. `stays`: it was not forgotten, as when the connection is cut in
    /// between.
    pub fn replace(&mut self, lease: &Lease, parts: Vec<Part>, now: Instant, stays: bool) -> bool {
        self.sequence += parts.len() as u64;
        let last = self.sequence;
        let Some(queue) = self.queues.get_mut(&lease.queue) else {
            return false;
        };
        let Some(held) = queue.held.get(&lease.place) else {
            return false;
        };
        if held.lease != lease.number {
            return false;
        }
        let whole = held.message.clone();
        for (place, part) in (last + 1 - parts.len() as u64..).zip(parts) {
            let kept = Kept {
                message: Outgoing {
                    body: part.body,
                    message_id: part.message_id,
                    ..whole.message.clone()
                },
                redelivered: part.tries > 0,
                tries: part.tries,
                abandoned: 0,
                alone: part.alone,
            };
            queue.delayed.insert((now + part.delay, place), kept);
        }
        if !stays {
            queue.held.remove(&lease.place);
        }
        true
    }

    /// Makes ready all that waits, however long it would have to.
    pub fn wake_all(&mut self) {
        for queue in self.queues.values_mut() {
            let delayed = std::mem::take(&mut queue.delayed).into_iter();
            queue
                .ready
                .extend(delayed.map(|((_, place), kept)| (place, kept)));
        }
    }

    /// Makes ready what has waited until `now`. Tells when the next one will be.
    pub fn wake(&mut self, now: Instant) -> Option<Instant> {
        let mut next = None;
        for queue in self.queues.values_mut() {
            while let Some(entry) = queue.delayed.first_entry() {
                let &(until, place) = entry.key();
                if until > now {
                    next = Some(next.map_or(until, |next: Instant| next.min(until)));
                    break;
                }
                queue.ready.insert(place, entry.remove());
            }
        }
        next
    }

    /// Moves the message to the parking queue of its pool. `stays`: the message was not forgotten, as when
    /// the connection is cut in between.
    pub fn park(
        &mut self,
        lease: &Lease,
        reason: DeadReason,
        stays: bool,
    ) -> Result<bool, BusError> {
        let Some(queue) = self.queues.get(&lease.queue) else {
            return Ok(false);
        };
        let Some(held) = queue.held.get(&lease.place) else {
            return Ok(false);
        };
        if held.lease != lease.number {
            return Ok(false);
        }
        let (exchange, routing_key, headers) = held.message.origin();
        let message = DeadMessage {
            queue: lease.queue.clone(),
            exchange,
            routing_key,
            priority: held.message.message.priority,
            body: held.message.message.body.clone(),
            headers,
        };
        let tries = held.message.tries.saturating_add(1);
        let owner = queue.owner.clone();
        self.park_for(&owner)?;
        let letter = DeadLetter::of_message(&owner, reason, tries, message);
        let outgoing = letter
            .to_outgoing()
            .map_err(|error| refused(error.to_string()))?;
        self.publish(&outgoing);
        if !stays {
            self.release(lease);
        }
        Ok(true)
    }

    /// Gives back everything that this holder has in hand. Names the queues that got something.
    pub fn let_go(&mut self, holder: Holder) -> Vec<QueueName> {
        let mut touched = Vec::new();
        for (name, queue) in &mut self.queues {
            let places: Vec<u64> = (queue.held.iter())
                .filter(|(_, held)| held.holder == holder)
                .map(|(place, _)| *place)
                .collect();
            for place in places {
                if let Some(held) = queue.held.remove(&place) {
                    queue.ready.insert(place, held.message.abandoned());
                    touched.push(name.clone());
                }
            }
        }
        touched
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
            })
            .collect()
    }

    /// As [`MessageBus::peek`](super::MessageBus::peek).
    pub fn peek(&self, queue: &QueueName, limit: usize) -> Result<Vec<Peeked>, BusError> {
        let ready = self.queue(queue)?.ready.values();
        let peeked = ready.take(limit).map(|kept| {
            let (exchange, routing_key, headers) = kept.origin();
            Peeked {
                routing_key,
                exchange,
                body: kept.message.body.clone(),
                headers,
            }
        });
        Ok(peeked.collect())
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

impl Kept {
    fn of(message: Outgoing) -> Self {
        Self {
            message,
            redelivered: false,
            tries: 0,
            abandoned: 0,
            alone: false,
        }
    }

    fn returned(self) -> Self {
        Self {
            redelivered: true,
            tries: self.tries.saturating_add(1),
            abandoned: 0,
            ..self
        }
    }

    fn abandoned(self) -> Self {
        Self {
            redelivered: true,
            abandoned: self.abandoned.saturating_add(1),
            ..self
        }
    }
}

fn refused(reason: String) -> BusError {
    BusError::Refused {
        endpoint: "memory".to_owned(),
        reason,
    }
}
