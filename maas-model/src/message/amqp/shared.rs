//! What subscriptions and deliveries share with the bus.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use lapin::Connection;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::hand::Hands;
use super::link::{Door, Link, Role, State};
use super::publish::{Item, Publisher};
use super::session::Turn;
use super::settle::{Settler, SettlerWatch};
use super::topology::{self, Declared};
use crate::message::{BusError, Outgoing, Published, QueueName, RoutingKey, Topology, meter};

/// Messages sent and not confirmed at most.
const WINDOW: usize = 1_000;
/// How long a call waits for a bus that is away, and for progress, before it fails as temporary.
const WAIT: Duration = Duration::from_secs(30);
/// The same for a call that asks how the bus is.
pub(super) const STATUS_WAIT: Duration = Duration::from_secs(5);
/// What brokers take by default since 3.8; a smaller limit is learnt from the first refusal.
const MAX_MESSAGE_BYTES: usize = 128 * 1024 * 1024;

/// See the module.
pub(super) struct Shared {
    door: Door,
    pub(super) declared: Arc<Declared>,
    started: OnceLock<Started>,
    /// No new delivery is handed out.
    closing: AtomicBool,
    /// Ends the links.
    closed: watch::Sender<bool>,
    settlers: Mutex<Vec<SettlerWatch>>,
    pub(super) hands: Arc<Hands>,
    pub(super) turn: Turn,
}

/// The connections, and the way to the task that publishes.
pub(super) struct Started {
    pub(super) publish: Link,
    pub(super) consume: Link,
    items: mpsc::Sender<Item>,
}

impl Shared {
    /// A bus that nobody uses yet.
    pub(super) fn new(door: Door) -> Self {
        Self {
            declared: Arc::new(Declared::new(door.endpoint.clone())),
            door,
            started: OnceLock::new(),
            closing: AtomicBool::new(false),
            closed: watch::Sender::new(false),
            settlers: Mutex::default(),
            hands: Arc::default(),
            turn: Turn::default(),
        }
    }

    /// Begins to connect when nobody has yet. Must run on a tokio runtime.
    pub(super) fn started(&self) -> Result<&Started, BusError> {
        if self.is_closed() {
            return Err(BusError::Closed);
        }
        Ok(self.started.get_or_init(|| {
            let link = |role| {
                let declared = Arc::clone(&self.declared);
                Link::start(role, self.door.clone(), declared, self.closed.subscribe())
            };
            let (publish, consume) = (link(Role::Publish), link(Role::Consume));
            let (items, receiver) = mpsc::channel(WINDOW);
            let publisher = Publisher::new(publish.clone(), receiver, WINDOW, MAX_MESSAGE_BYTES);
            tokio::spawn(publisher.run());
            Started {
                publish,
                consume,
                items,
            }
        }))
    }

    /// The connection for all but publishing.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>, BusError> {
        self.started()?.consume.within(WAIT).await
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    pub(super) fn endpoint(&self) -> &str {
        &self.door.endpoint
    }

    pub(super) fn refused(&self, reason: String) -> BusError {
        BusError::Refused {
            endpoint: self.endpoint().to_owned(),
            reason,
        }
    }

    /// The key that leads to a queue from the default exchange.
    pub(super) fn key_of(&self, queue: &QueueName) -> Result<RoutingKey, BusError> {
        RoutingKey::new(queue.as_str()).map_err(|error| self.refused(error.to_string()))
    }

    pub(super) async fn publish(
        &self,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<Published>, BusError> {
        let started = self.started()?;
        started.publish.within(WAIT).await?;
        let mut replies = Vec::with_capacity(messages.len());
        for message in messages {
            let (reply, outcome) = oneshot::channel();
            let item = Item {
                message: Arc::new(message),
                reply,
            };
            match timeout(WAIT, started.items.send(item)).await {
                Ok(sent) => sent.map_err(|_| BusError::Closed)?,
                Err(_) => return Err(started.publish.too_long()),
            }
            replies.push(outcome);
        }
        let mut outcomes = Vec::with_capacity(replies.len());
        for reply in replies {
            match timeout(WAIT, reply).await {
                Ok(outcome) => outcomes.push(outcome.map_err(|_| BusError::Closed)?),
                Err(_) => return Err(started.publish.too_long()),
            }
        }
        meter::published(&outcomes);
        Ok(outcomes)
    }

    /// Publishes one message of our own making; when its exchange or queue is missing that is declared
    /// first (with the parking queues of `owners`).
    pub(super) async fn put(&self, message: Outgoing, owners: &[String]) -> Result<(), BusError> {
        if self.publish(vec![message.clone()]).await? == [Published::Routed] {
            return Ok(());
        }
        let connection = self.connection().await?;
        let missing = Topology {
            parking: owners.to_vec(),
            ..Topology::default()
        };
        topology::declare(&connection, self.endpoint(), &missing).await?;
        match self.publish(vec![message]).await?.pop() {
            Some(Published::Routed) => Ok(()),
            Some(Published::Refused(reason)) => Err(self.refused(reason)),
            Some(Published::Unroutable) | None => {
                Err(self.refused("a queue is missing and cannot be made".into()))
            }
        }
    }

    /// After a subscription broke: its queue may have been deleted.
    pub(super) async fn declare_again(&self, queue: &QueueName) {
        let Ok(Started { consume, .. }) = self.started() else {
            return;
        };
        // A link that is away declares all by itself.
        if let State::Up { connection, .. } = consume.state()
            && let Err(error) = self.declared.again(&connection).await
        {
            tracing::debug!(%error, %queue, "cannot declare the topology again");
        }
    }

    pub(super) fn watch_settler(&self, settler: &Settler) {
        let mut settlers = self.settlers.lock().unwrap_or_else(PoisonError::into_inner);
        settlers.retain(SettlerWatch::is_alive);
        settlers.push(settler.watch());
    }

    fn take_settlers(&self) -> Vec<SettlerWatch> {
        std::mem::take(&mut self.settlers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells the broker what was acknowledged, if that is there, and ends the links.
    pub(super) async fn close(&self) {
        self.closing.store(true, Ordering::Release);
        let settlers = self.take_settlers();
        let told = join_all(settlers.iter().map(SettlerWatch::flush));
        let _ = timeout(STATUS_WAIT, told).await;
        self.closed.send_replace(true);
        if let Some(started) = self.started.get() {
            tokio::join!(started.publish.ended(), started.consume.ended());
        }
    }

    /// Subscriptions and deliveries that outlive the bus keep what they need; the links end all the same.
    pub(super) fn end(&self) {
        self.closing.store(true, Ordering::Release);
        self.closed.send_replace(true);
    }
}
