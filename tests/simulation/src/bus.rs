//! A bus that fails as brokers do.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use maas_model::message::memory::{Kept, Lease};
use maas_model::message::{
    BusError, BusStatus, DeadReason, Delivery, ExchangeName, Message, MessageBus, Outgoing, Part,
    Peeked, Published, QueueInfo, QueueName, Settle, Subscription, Topology,
};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::oracle::Debts;
use crate::world::{State, Who, World};

/// The broker takes no message that names more documents; one more from collectors.
const MOST_IDS: usize = 2;

/// The bus as one process sees it.
#[derive(Debug)]
pub struct SimulatedBus {
    world: Arc<World>,
    who: Who,
    closed: Arc<Closed>,
    /// Whether messages that name many documents are too large.
    small: bool,
}

#[derive(Debug, Default)]
struct Closed {
    is: AtomicBool,
    told: Notify,
}

impl SimulatedBus {
    /// The bus of this world, for this process.
    pub fn new(world: Arc<World>, who: Who) -> Self {
        Self {
            world,
            who,
            closed: Arc::default(),
            small: true,
        }
    }

    /// One that takes messages of any size.
    pub fn unbounded(world: Arc<World>, who: Who) -> Self {
        Self {
            small: false,
            ..Self::new(world, who)
        }
    }

    fn publish_one(&self, state: &mut State, message: &Outgoing) -> Published {
        let who = self.who;
        let ids = Message::parse(&message.body).map_or(0, |message| message.document_ids.len());
        let now = state.millis();
        let key = message.routing_key.as_str();
        let gone = state.key_gone.as_ref();
        let gone = gone.is_some_and(|(gone, until)| key.starts_with(gone.as_str()) && now < *until);
        let returned = state.faults.message_returned;
        let most = MOST_IDS + usize::from(message.exchange == ExchangeName::collect());
        let published = if self.small && ids > most {
            Published::Refused("it is too large".to_owned())
        } else if gone || state.dice.hits(returned) {
            Published::Unroutable
        } else {
            state.broker.publish(message)
        };
        state.say(format_args!(
            "{who} publishes {key} {}: {published:?}",
            message.message_id
        ));
        let twice = state.faults.published_twice;
        if published == Published::Routed && state.dice.hits(twice) {
            state.broker.publish(message);
            state.say(format_args!("{} is there twice", message.message_id));
        }
        state.oracle.published(message, &published);
        published
    }
}

fn unreachable(reason: &str) -> BusError {
    BusError::Unreachable {
        endpoint: "simulated bus".to_owned(),
        source: reason.into(),
    }
}

#[async_trait]
impl MessageBus for SimulatedBus {
    async fn declare(&self, topology: &Topology) -> Result<(), BusError> {
        self.world.point(self.who).await;
        self.world.latency(0).await;
        self.world.state().broker.declare(topology)
    }

    async fn publish(&self, messages: Vec<Outgoing>) -> Result<Vec<Published>, BusError> {
        let world = &self.world;
        if self.closed.is.load(Relaxed) {
            return Err(BusError::Closed);
        }
        world.point(self.who).await;
        world.latency(0).await;
        let outcomes = {
            let mut state = world.state();
            if state.alive.get(self.who.slot).is_some() && !state.is_alive(self.who) {
                return Err(unreachable("nobody publishes"));
            }
            let rate = state.faults.bus_unreachable;
            if state.dice.hits(rate) {
                let who = self.who;
                state.say(format_args!("{who} publishes: not reached"));
                return Err(unreachable("it did not arrive"));
            }
            let part = state.faults.published_in_part;
            let mut outcomes = Vec::with_capacity(messages.len());
            for message in &messages {
                if state.dice.hits(part) {
                    let who = self.who;
                    state.say(format_args!("{who} publishes: cut in between"));
                    world.bus_changed.notify_waiters();
                    return Err(unreachable("cut in between"));
                }
                outcomes.push(self.publish_one(&mut state, message));
            }
            outcomes
        };
        world.bus_changed.notify_waiters();
        world.point(self.who).await;
        world.latency(0).await;
        let mut state = world.state();
        let rate = state.faults.confirm_lost;
        if state.dice.hits(rate) {
            let who = self.who;
            state.say(format_args!("{who} publishes: confirm lost"));
            return Err(unreachable("no confirm came"));
        }
        state.oracle.confirmed(&messages, &outcomes);
        Ok(outcomes)
    }

    async fn subscribe(
        &self,
        queue: &QueueName,
        prefetch: u16,
    ) -> Result<Box<dyn Subscription>, BusError> {
        self.world.point(self.who).await;
        self.world.latency(0).await;
        let mut state = self.world.state();
        let rate = state.faults.bus_unreachable;
        if state.dice.hits(rate) {
            return Err(unreachable("it did not arrive"));
        }
        state.broker.queue_exists(queue)?;
        state.broker.consumers(queue, true)?;
        Ok(Box::new(SimulatedSubscription {
            world: Arc::clone(&self.world),
            who: self.who,
            queue: queue.clone(),
            prefetch: usize::from(prefetch.max(1)),
            unsettled: Arc::default(),
            closed: Arc::clone(&self.closed),
        }))
    }

    async fn queues(&self, pattern: &str) -> Result<Vec<QueueInfo>, BusError> {
        let mut state = self.world.state();
        state.broker.wake(Instant::now());
        Ok(state.broker.queues(pattern))
    }

    async fn peek(&self, queue: &QueueName, limit: usize) -> Result<Vec<Peeked>, BusError> {
        self.world.state().broker.peek(queue, limit)
    }

    async fn purge(&self, queue: &QueueName) -> Result<u64, BusError> {
        self.world.state().broker.purge(queue)
    }

    async fn status(&self) -> Result<BusStatus, BusError> {
        Ok(BusStatus {
            name: "simulated bus".to_owned(),
            version: "1".to_owned(),
            healthy: true,
            detail: String::new(),
        })
    }

    async fn close(&self) -> Result<(), BusError> {
        self.closed.is.store(true, Relaxed);
        self.closed.told.notify_waiters();
        let mut state = self.world.state();
        state.broker.let_go(self.who.holder());
        self.world.bus_changed.notify_waiters();
        Ok(())
    }
}

struct SimulatedSubscription {
    world: Arc<World>,
    who: Who,
    queue: QueueName,
    prefetch: usize,
    unsettled: Arc<AtomicUsize>,
    closed: Arc<Closed>,
}

impl SimulatedSubscription {
    /// A message, or until when there is none for certain.
    fn take(&self) -> Result<(Lease, Kept), Option<Instant>> {
        let mut state = self.world.state();
        let waits_until = state.broker.wake(Instant::now());
        if self.unsettled.load(Relaxed) >= self.prefetch {
            return Err(waits_until);
        }
        let taken = state.broker.take(&self.queue, self.who.holder());
        let (lease, kept) = taken.ok_or(waits_until)?;
        let (who, queue) = (self.who, &self.queue);
        let (id, tries, abandoned) = (&kept.message.message_id, kept.tries, kept.abandoned);
        state.say(format_args!(
            "{who} takes {id} from {queue}: tries {tries}, abandoned {abandoned}"
        ));
        Ok((lease, kept))
    }

    fn deliver(&self, lease: Lease, kept: Kept) -> Delivery {
        self.unsettled.fetch_add(1, Relaxed);
        let (exchange, key, headers): (_, _, BTreeMap<_, _>) = kept.origin();
        let debts = match kept.redelivered {
            true => {
                let state = self.world.state();
                let message_id = &kept.message.message_id;
                state.oracle.debts(&state.documents, message_id)
            }
            false => Debts::default(),
        };
        let settle = SimulatedSettle {
            debts,
            world: Arc::clone(&self.world),
            who: self.who,
            lease,
            body: kept.message.body.clone(),
            message_id: kept.message.message_id.clone(),
            unsettled: Arc::clone(&self.unsettled),
            settled: false,
        };
        let (abandoned, alone) = (kept.abandoned, kept.alone);
        let delivery = Delivery::new(
            self.queue.clone(),
            exchange,
            key,
            kept.message.body,
            kept.message.priority,
            headers,
            kept.redelivered,
            kept.tries,
            Box::new(settle),
        );
        delivery.suspected(abandoned, alone)
    }
}

#[async_trait]
impl Subscription for SimulatedSubscription {
    async fn next(&mut self) -> Option<Delivery> {
        loop {
            let changed = self.world.bus_changed.notified();
            let told = self.closed.told.notified();
            if self.closed.is.load(Relaxed) {
                return None;
            }
            let until = match self.take() {
                Ok((lease, kept)) => return Some(self.deliver(lease, kept)),
                Err(until) => until,
            };
            let later = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = told => {}
                () = changed => {}
                () = later => {}
            }
        }
    }
}

impl Drop for SimulatedSubscription {
    fn drop(&mut self) {
        // A queue that is gone has no consumers.
        let _ = self.world.state().broker.consumers(&self.queue, false);
    }
}

struct SimulatedSettle {
    world: Arc<World>,
    who: Who,
    lease: Lease,
    body: Vec<u8>,
    message_id: String,
    debts: Debts,
    unsettled: Arc<AtomicUsize>,
    settled: bool,
}

impl SimulatedSettle {
    /// Whether the connection is cut before the broker hears of it.
    fn is_lost(state: &mut State) -> bool {
        let rate = state.faults.settlement_lost;
        state.dice.hits(rate)
    }

    /// All that was in hand comes back.
    fn cut(&self, state: &mut State) {
        let who = self.who;
        state.say(format_args!("{who} settles: connection cut"));
        state.broker.let_go(who.holder());
    }

    fn done(&mut self) {
        if !std::mem::replace(&mut self.settled, true) {
            self.unsettled.fetch_sub(1, Relaxed);
        }
        self.world.bus_changed.notify_waiters();
    }
}

#[async_trait]
impl Settle for SimulatedSettle {
    async fn ack(mut self: Box<Self>) -> Result<(), BusError> {
        self.world.point(self.who).await;
        {
            let mut state = self.world.state();
            let who = self.who;
            state.say(format_args!("{who} acks"));
            let State {
                oracle,
                broker,
                documents,
                ..
            } = &mut *state;
            oracle.intents(documents);
            let left = oracle.debts(documents, &self.message_id);
            oracle.paid(&self.debts, &left);
            let others = broker.others(&self.lease);
            oracle.acked(&self.lease.queue, &self.body, others);
            match Self::is_lost(&mut state) {
                true => self.cut(&mut state),
                false => drop(state.broker.ack(&self.lease)),
            }
        }
        self.done();
        Ok(())
    }

    async fn return_after(mut self: Box<Self>, delay: Duration) -> Result<(), BusError> {
        self.world.point(self.who).await;
        self.world.latency(0).await;
        {
            let mut state = self.world.state();
            let who = self.who;
            state.say(format_args!("{who} returns after {delay:?}"));
            match Self::is_lost(&mut state) {
                true => self.cut(&mut state),
                false => drop(state.broker.delay(&self.lease, Instant::now() + delay)),
            }
        }
        self.done();
        Ok(())
    }

    async fn replace(mut self: Box<Self>, parts: Vec<Part>) -> Result<(), BusError> {
        self.world.point(self.who).await;
        self.world.latency(0).await;
        {
            let mut state = self.world.state();
            let (who, count) = (self.who, parts.len());
            state.say(format_args!("{who} replaces by {count}"));
            let stays = Self::is_lost(&mut state);
            state
                .broker
                .replace(&self.lease, parts, Instant::now(), stays);
            if stays {
                self.cut(&mut state);
            }
        }
        self.done();
        Ok(())
    }

    async fn dead_letter(mut self: Box<Self>, reason: DeadReason) -> Result<(), BusError> {
        self.world.point(self.who).await;
        self.world.latency(0).await;
        {
            let mut state = self.world.state();
            let who = self.who;
            state.say(format_args!("{who} parks: {}", reason.kind));
            state.oracle.parked(&reason, &self.body);
            let stays = Self::is_lost(&mut state);
            state.broker.park(&self.lease, reason, stays)?;
            if stays {
                self.cut(&mut state);
            }
        }
        self.done();
        Ok(())
    }
}

impl Drop for SimulatedSettle {
    fn drop(&mut self) {
        if !self.settled {
            self.world.state().broker.give_back(&self.lease);
            self.done();
        }
    }
}
