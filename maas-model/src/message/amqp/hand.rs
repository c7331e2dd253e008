//! What this process has in hand, so that a message that comes again meanwhile is not worked on twice.
//!
//! When a channel ends, the broker delivers again what was not settled on it: after a lost connection, and
//! when work takes longer than its consumer timeout. The work goes on all the same. What comes again of it is
//! not handed out but settled with the work, so that work longer than the timeout is done once and does not
//! go round for ever.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lapin::Acker;
use lapin::message::Delivery as Frame;

use super::session::Session;
use super::settle::Settling;
use super::wire;
use crate::message::QueueName;

/// Of how many messages is remembered that they are done, though the broker could not be told.
const DONE: usize = 4_096;
/// How long. The broker delivers them again as soon as it can; an operator may replay them later.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// One message, as the broker delivers it any number of times.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Tag {
    queue: QueueName,
    pub(super) message_id: String,
    tries: u32,
    bytes: usize,
}

impl Tag {
    /// `None` when nothing tells the message from others.
    pub(super) fn of(queue: &QueueName, frame: &Frame) -> Option<Self> {
        let message_id = frame.properties.message_id().as_ref()?.to_string();
        (!message_id.is_empty()).then(|| Self {
            queue: queue.clone(),
            message_id,
            tries: wire::tries(&frame.properties),
            bytes: frame.data.len(),
        })
    }
}

/// What settles a message now.
#[derive(Clone)]
pub(super) struct Grip {
    pub(super) acker: Acker,
    pub(super) session: Arc<Session>,
}

impl Grip {
    /// Whether the channel is there. When it is gone the message comes again.
    fn holds(&self) -> bool {
        self.acker.usable()
    }

    pub(super) fn settle(self, how: Settling) {
        self.session.settle(self.acker, how);
    }
}

/// What is to be done with a message that came again.
pub(super) enum Meeting {
    /// Nobody here knows it: hand it out.
    New,
    /// It is in hand, and will be settled with that.
    InHand,
    /// It is done.
    Done(Grip),
}

/// All messages in hand, of all subscriptions of a bus.
#[derive(Default)]
pub(super) struct Hands(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    held: HashMap<Tag, Arc<Mutex<Grip>>>,
    done: VecDeque<(Instant, Tag)>,
}

impl Hands {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message came that was delivered before.
    pub(super) fn meet(&self, tag: &Tag, grip: Grip) -> Meeting {
        let mut inner = self.inner();
        if let Some(held) = inner.held.get(tag) {
            let mut held = lock(held);
            // A twin that was published twice is a message of its own.
            if held.holds() {
                return Meeting::New;
            }
            *held = grip;
            return Meeting::InHand;
        }
        match inner.forget(tag) {
            true => Meeting::Done(grip),
            false => Meeting::New,
        }
    }

    /// A message is handed out.
    pub(super) fn take(self: &Arc<Self>, tag: Option<Tag>, grip: Grip) -> Hold {
        let grip = Arc::new(Mutex::new(grip));
        let mut inner = self.inner();
        let tag = tag.filter(|tag| !inner.held.contains_key(tag));
        if let Some(tag) = &tag {
            inner.held.insert(tag.clone(), Arc::clone(&grip));
        }
        Hold {
            hands: Arc::clone(self),
            tag,
            grip,
            is_settled: false,
        }
    }
}

impl Inner {
    fn remember(&mut self, tag: Tag) {
        if self.done.len() == DONE {
            self.done.pop_front();
        }
        self.done.push_back((Instant::now(), tag));
    }

    /// Whether it was remembered; each time it is done it can come again once.
    fn forget(&mut self, tag: &Tag) -> bool {
        self.done.retain(|(since, _)| since.elapsed() < REMEMBERED);
        let place = self.done.iter().position(|(_, done)| done == tag);
        place.and_then(|place| self.done.remove(place)).is_some()
    }
}

fn lock(grip: &Mutex<Grip>) -> MutexGuard<'_, Grip> {
    grip.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to settle one message, once. Dropped, the message goes back.
pub(super) struct Hold {
    hands: Arc<Hands>,
    /// Under which it is known; a twin has none.
    tag: Option<Tag>,
    grip: Arc<Mutex<Grip>>,
    is_settled: bool,
}

impl Hold {
    /// Whether the message comes again, so that it must not be put elsewhere, too.
    pub(super) fn is_gone(&self) -> bool {
        !lock(&self.grip).holds()
    }

    /// Settles it as it came last.
    pub(super) fn settle(&mut self, how: Settling) {
        if std::mem::replace(&mut self.is_settled, true) {
            return;
        }
        let mut inner = self.hands.inner();
        let tag = self.tag.take();
        if let Some(tag) = &tag {
            inner.held.remove(tag);
        }
        let grip = lock(&self.grip).clone();
        if let (Settling::Ack, false, Some(tag)) = (how, grip.holds(), tag) {
            inner.remember(tag);
        }
        grip.settle(how);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.settle(Settling::GiveBack);
    }
}
