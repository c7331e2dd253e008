//! A bus that fails as brokers do.

mod settle;
mod subscription;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use async_trait::async_trait;
use maas_model::message::{
    BusError, BusStatus, Delayed, ExchangeName, Message, MessageBus, Outgoing, Peeked, Published,
    QueueInfo, QueueName, Subscription, Topology,
};
use tokio::sync::Notify;
use tokio::time::Instant;

use self::subscription::SimulatedSubscription;
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

    async fn delayed(&self, limit: usize) -> Result<Vec<Delayed>, BusError> {
        Ok(self.world.state().broker.delayed(limit))
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
