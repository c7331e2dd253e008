//! What the thread that writes is asked for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{mpsc, oneshot};

use super::job::Job;
use super::message::Claimed;
use crate::message::BusError;

/// See the module.
pub(super) enum Request {
    /// Work in the database.
    Job(Job),
    /// A message is done with. Nobody waits for it.
    Ack(Ack),
    /// A message comes back: its delivery was dropped.
    GiveBack(GiveBack),
    /// A subscription begins.
    Subscribe(Subscriber),
    /// The subscription of this number ended.
    Unsubscribe(i64),
    /// Everything leased goes back, the thread ends.
    Close(oneshot::Sender<Result<(), BusError>>),
}

/// A message that was leased and is done with.
pub(super) struct Ack {
    pub(super) id: i64,
    pub(super) unsettled: Arc<AtomicUsize>,
}

/// A message that was leased and not settled.
pub(super) struct GiveBack {
    pub(super) id: i64,
    /// Whether a worker had it in hand.
    pub(super) seen: bool,
    pub(super) unsettled: Arc<AtomicUsize>,
}

/// Where the messages of a queue are sent to.
pub(super) struct Subscriber {
    pub(super) number: i64,
    pub(super) queue: i64,
    pub(super) prefetch: usize,
    /// Claimed and not settled, the ones not yet taken from the channel too.
    pub(super) unsettled: Arc<AtomicUsize>,
    /// Holds `prefetch` messages, so there is always room.
    pub(super) messages: mpsc::Sender<Claimed>,
}

impl Subscriber {
    /// How many more messages it takes now.
    pub(super) fn room(&self) -> usize {
        self.prefetch
            .saturating_sub(self.unsettled.load(Ordering::Acquire))
    }
}
