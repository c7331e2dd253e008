//! What a process says of a message that it took; the connection may be cut before the broker hears of it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use maas_model::message::memory::Lease;
use maas_model::message::{BusError, DeadReason, Part, Settle};
use tokio::time::Instant;

use crate::oracle::Debts;
use crate::world::{State, Who, World};

/// A connection that is cut while a message takes the place of another leaves both, and those that wait their turn do so every
/// second: with more in the queue than this nothing new would be seen, only more of the same.
const MOST_COPIES: usize = 30;

pub(super) struct SimulatedSettle {
    pub(super) world: Arc<World>,
    pub(super) who: Who,
    pub(super) lease: Lease,
    pub(super) body: Vec<u8>,
    pub(super) message_id: String,
    /// What it owed when it was taken.
    pub(super) debts: Debts,
    pub(super) unsettled: Arc<AtomicUsize>,
    pub(super) settled: bool,
}

impl SimulatedSettle {
    /// Does what the process says. When the connection is cut in between the message stays, and all that was
    /// in hand comes back.
    fn say<T>(&self, what: fmt::Arguments<'_>, effect: impl FnOnce(&mut State, bool) -> T) -> T {
        let mut state = self.world.state();
        let who = self.who;
        state.say(format_args!("{who} {what}"));
        let rate = state.faults.settlement_lost;
        let cut = state.dice.hits(rate);
        let stays = cut && state.broker.others(&self.lease).count() < MOST_COPIES;
        let answer = effect(&mut state, stays);
        if stays {
            state.say(format_args!("{who} settles: connection cut"));
            state.broker.let_go(who.holder());
        }
        answer
    }

    /// All that must be true of what is acknowledged.
    fn judge(&self, state: &mut State) {
        let before = state.oracle.broken.len();
        let State {
            oracle,
            broker,
            documents,
            ..
        } = state;
        oracle.intents(documents);
        let left = oracle.debts(documents, &self.message_id, &self.body);
        oracle.paid(&self.debts, &left);
        let others = broker.others(&self.lease);
        oracle.acked(&self.lease.queue, &self.body, others);
        if state.oracle.broken.len() > before {
            state.say(format_args!("which breaks: {}", self.message_id));
        }
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
        self.say(format_args!("acks"), |state, stays| {
            self.judge(state);
            if !stays {
                state.broker.ack(&self.lease);
            }
        });
        self.done();
        Ok(())
    }

    async fn return_after(mut self: Box<Self>, delay: Duration) -> Result<(), BusError> {
        self.world.point(self.who).await;
        self.world.latency(0).await;
        self.say(format_args!("returns after {delay:?}"), |state, stays| {
            if !stays {
                state.broker.delay(&self.lease, Instant::now() + delay);
            }
        });
        self.done();
        Ok(())
    }

    async fn replace(mut self: Box<Self>, parts: Vec<Part>) -> Result<(), BusError> {
        self.world.point(self.who).await;
        self.world.latency(0).await;
        let count = parts.len();
        self.say(format_args!("replaces by {count}"), |state, stays| {
            let now = Instant::now();
            state.broker.replace(&self.lease, parts, now, stays);
        });
        self.done();
        Ok(())
    }

    async fn dead_letter(mut self: Box<Self>, reason: DeadReason) -> Result<(), BusError> {
        self.world.point(self.who).await;
        self.world.latency(0).await;
        let kind = reason.kind.clone();
        self.say(format_args!("parks: {kind}"), |state, stays| {
            state.oracle.parked(&self.lease.queue, &reason, &self.body);
            state.broker.park(&self.lease, reason, stays)
        })?;
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
