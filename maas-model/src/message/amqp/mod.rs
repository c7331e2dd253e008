//! The bus on RabbitMQ (AMQP 0-9-1).
//!
//! Two connections, one to publish and one to consume, each kept alive by its own supervisor; every
//! subscription, every declaration and every look has a channel of its own on the second, because an error
//! closes the channel it happens on. Topology: see [`topology`].

mod consume;
mod error;
mod hand;
mod lease;
mod line;
mod link;
mod look;
mod publish;
mod settle;
mod tls;
mod topology;
mod wire;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use lapin::uri::{AMQPScheme, AMQPUri};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;
use url::Url;

use self::consume::AmqpSubscription;
use self::hand::Hands;
use self::link::{Door, Link, Role, State};
use self::look::Looker;
use self::publish::{Item, Publisher};
use self::settle::{Settler, SettlerWatch};
use self::tls::Tls;
use self::topology::Declared;
use super::{
    BusError, BusOptions, BusStatus, MessageBus, Outgoing, Peeked, Published, QueueInfo, QueueName,
    RoutingKey, Subscription, Topology, meter, names,
};

/// Messages sent and not confirmed at most.
const WINDOW: usize = 1_000;
/// How long a call waits for a bus that is away, and for progress, before it fails as temporary.
const WAIT: Duration = Duration::from_secs(30);
/// The same for a call that asks how the bus is.
const STATUS_WAIT: Duration = Duration::from_secs(5);
/// A dead peer is noticed after twice this.
const HEARTBEAT_SECONDS: u16 = 10;
/// What brokers take by default since 3.8; a smaller limit is learnt from the first refusal.
const MAX_MESSAGE_BYTES: usize = 128 * 1024 * 1024;

/// See the module.
pub struct RabbitBus {
    inner: Arc<Inner>,
}

/// What subscriptions and deliveries share with the bus.
pub(super) struct Inner {
    door: Door,
    declared: Arc<Declared>,
    started: OnceLock<Started>,
    /// No new delivery is handed out.
    closing: AtomicBool,
    /// Ends the links.
    closed: watch::Sender<bool>,
    settlers: Mutex<Vec<SettlerWatch>>,
    hands: Arc<Hands>,
}

struct Started {
    publish: Link,
    consume: Link,
    items: mpsc::Sender<Item>,
}

impl RabbitBus {
    /// Prepares a bus; the broker is reached when the first method is called. `url` as in
    /// [`BusUrl`](super::BusUrl), `endpoint` is the same without credentials.
    pub(super) fn new(url: &Url, endpoint: String, options: &BusOptions) -> Result<Self, BusError> {
        let refused = |reason: String| BusError::Refused {
            endpoint: endpoint.clone(),
            reason,
        };
        let mut uri: AMQPUri = url.as_str().parse().map_err(refused)?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        if uri.vhost.is_empty() {
            // `amqp://host/` means the default virtual host to everybody but the standard.
            uri.vhost = "/".into();
        }
        let tls = Tls::of(url, options);
        if uri.scheme == AMQPScheme::AMQPS {
            // Wrong files are told before anything starts.
            tls.connector().map_err(refused)?;
        }
        let door = Door {
            uri,
            tls,
            endpoint: endpoint.clone(),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                door,
                declared: Arc::new(Declared::new(endpoint)),
                started: OnceLock::new(),
                closing: AtomicBool::new(false),
                closed: watch::Sender::new(false),
                settlers: Mutex::default(),
                hands: Arc::default(),
            }),
        })
    }
}

impl Inner {
    /// Begins to connect when nobody has yet. Must run on a tokio runtime.
    fn started(&self) -> Result<&Started, BusError> {
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

    fn is_closed(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    fn endpoint(&self) -> &str {
        &self.door.endpoint
    }

    fn refused(&self, reason: String) -> BusError {
        BusError::Refused {
            endpoint: self.endpoint().to_owned(),
            reason,
        }
    }

    /// The key that leads to a queue from the default exchange.
    fn key_of(&self, queue: &QueueName) -> Result<RoutingKey, BusError> {
        RoutingKey::new(queue.as_str()).map_err(|error| self.refused(error.to_string()))
    }

    async fn publish(&self, messages: Vec<Outgoing>) -> Result<Vec<Published>, BusError> {
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
    async fn put(&self, message: Outgoing, owners: &[String]) -> Result<(), BusError> {
        if self.publish(vec![message.clone()]).await? == [Published::Routed] {
            return Ok(());
        }
        let connection = self.started()?.consume.within(WAIT).await?;
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
    async fn declare_again(&self, queue: &QueueName) {
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

    fn watch_settler(&self, settler: &Settler) {
        let mut settlers = self.settlers.lock().unwrap_or_else(PoisonError::into_inner);
        settlers.retain(SettlerWatch::is_alive);
        settlers.push(settler.watch());
    }

    fn take_settlers(&self) -> Vec<SettlerWatch> {
        std::mem::take(&mut self.settlers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl MessageBus for RabbitBus {
    async fn declare(&self, topology: &Topology) -> Result<(), BusError> {
        let connection = self.inner.started()?.consume.within(WAIT).await?;
        topology::declare(&connection, self.inner.endpoint(), topology).await?;
        self.inner.declared.remember(topology);
        Ok(())
    }

    async fn publish(&self, messages: Vec<Outgoing>) -> Result<Vec<Published>, BusError> {
        self.inner.publish(messages).await
    }

    async fn subscribe(
        &self,
        queue: &QueueName,
        prefetch: u16,
    ) -> Result<Box<dyn Subscription>, BusError> {
        let link = self.inner.started()?.consume.clone();
        let connection = link.within(WAIT).await?;
        Looker::new(&connection, self.inner.endpoint())
            .exists(queue)
            .await?;
        self.inner.declared.name(queue);
        let prefetch = prefetch.max(1);
        let (sender, arrived) = mpsc::channel(prefetch.into());
        let bus = Arc::clone(&self.inner);
        tokio::spawn(consume::run(
            link,
            Arc::clone(&bus),
            queue.clone(),
            prefetch,
            sender,
        ));
        Ok(Box::new(AmqpSubscription {
            queue: queue.clone(),
            arrived,
            bus,
        }))
    }

    fn know(&self, topology: &Topology) {
        self.inner.declared.know(topology);
    }

    async fn queues(&self, pattern: &str) -> Result<Vec<QueueInfo>, BusError> {
        let connection = self.inner.started()?.consume.within(WAIT).await?;
        let mut known = self.inner.declared.names();
        known.retain(|name| names::text_matches(pattern, name.as_str()));
        if let (true, Ok(name)) = (known.is_empty(), QueueName::new(pattern)) {
            // A whole name, perhaps of a queue that another process declared.
            known.push(name);
        }
        Looker::new(&connection, self.inner.endpoint())
            .infos(&known)
            .await
    }

    async fn peek(&self, queue: &QueueName, limit: usize) -> Result<Vec<Peeked>, BusError> {
        let connection = self.inner.started()?.consume.within(WAIT).await?;
        Looker::new(&connection, self.inner.endpoint())
            .peek(queue, limit)
            .await
    }

    async fn purge(&self, queue: &QueueName) -> Result<u64, BusError> {
        let connection = self.inner.started()?.consume.within(WAIT).await?;
        Looker::new(&connection, self.inner.endpoint())
            .purge(queue)
            .await
    }

    async fn status(&self) -> Result<BusStatus, BusError> {
        let started = self.inner.started()?;
        started.consume.within(STATUS_WAIT).await?;
        started.publish.within(STATUS_WAIT).await?;
        let state = started.publish.state();
        Ok(BusStatus {
            name: format!("RabbitMQ at {}", self.inner.endpoint()),
            version: "AMQP 0-9-1".into(),
            healthy: matches!(state, State::Up { blocked: None, .. }),
            detail: format!("{state:?}"),
        })
    }

    async fn close(&self) -> Result<(), BusError> {
        let started = self.inner.started.get();
        self.inner.closing.store(true, Ordering::Release);
        let settlers = self.inner.take_settlers();
        // What was acknowledged is told to the broker, if that is there.
        let _ = timeout(
            STATUS_WAIT,
            join_all(settlers.iter().map(SettlerWatch::flush)),
        )
        .await;
        self.inner.closed.send_replace(true);
        if let Some(Started {
            publish, consume, ..
        }) = started
        {
            tokio::join!(publish.ended(), consume.ended());
        }
        Ok(())
    }
}

impl Drop for RabbitBus {
    fn drop(&mut self) {
        // Subscriptions and deliveries that outlive the bus keep it; the links end all the same.
        self.inner.closing.store(true, Ordering::Release);
        self.inner.closed.send_replace(true);
    }
}

impl fmt::Debug for RabbitBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitBus")
            .field("endpoint", &self.inner.endpoint())
            .finish_non_exhaustive()
    }
}
