//! Messages in hand, and what becomes of them.

use tokio::time::Instant;

use super::queue::Held;
use super::{Broker, Holder, Kept, Lease, Queue, refused};
use crate::message::{BusError, DeadLetter, DeadMessage, DeadReason, Outgoing, Part, QueueName};

impl Broker {
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
        queue.held(lease)?;
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
        let Some(whole) = queue.held(lease).cloned() else {
            return false;
        };
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
        let Some(kept) = queue.held(lease) else {
            return Ok(false);
        };
        let (exchange, routing_key, headers) = kept.origin();
        let message = DeadMessage {
            queue: lease.queue.clone(),
            exchange,
            routing_key,
            priority: kept.message.priority,
            body: kept.message.body.clone(),
            headers,
        };
        let tries = kept.tries.saturating_add(1);
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
}
