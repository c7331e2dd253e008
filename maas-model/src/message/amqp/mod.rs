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
mod session;
mod settle;
mod shared;
mod tls;
mod topology;
mod wire;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use lapin::uri::{AMQPScheme, AMQPUri};
use tokio::sync::mpsc;
use url::Url;

use self::consume::AmqpSubscription;
use self::link::{Door, State};
use self::look::Looker;
use self::shared::{STATUS_WAIT, Shared};
use self::tls::Tls;
use super::{
    BusError, BusOptions, BusStatus, Delayed, MessageBus, Outgoing, Peeked, Published, QueueInfo,
    QueueName, Subscription, Topology, names,
};

/// A dead peer is noticed after twice this.
const HEARTBEAT_SECONDS: u16 = 10;

/// See the module.
pub struct RabbitBus {
    shared: Arc<Shared>,
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
        let door = Door { uri, tls, endpoint };
        Ok(Self {
            shared: Arc::new(Shared::new(door)),
        })
    }
}

#[async_trait]
impl MessageBus for RabbitBus {
    async fn declare(&self, topology: &Topology) -> Result<(), BusError> {
        let connection = self.shared.connection().await?;
        topology::declare(&connection, self.shared.endpoint(), topology).await?;
        self.shared.declared.remember(topology);
        Ok(())
    }

    async fn publish(&self, messages: Vec<Outgoing>) -> Result<Vec<Published>, BusError> {
        self.shared.publish(messages).await
    }

    async fn subscribe(
        &self,
        queue: &QueueName,
        prefetch: u16,
    ) -> Result<Box<dyn Subscription>, BusError> {
        let link = self.shared.started()?.consume.clone();
        let connection = self.shared.connection().await?;
        Looker::new(&connection, self.shared.endpoint())
            .exists(queue)
            .await?;
        self.shared.declared.name(queue);
        let prefetch = prefetch.max(1);
        let (sender, arrived) = mpsc::channel(prefetch.into());
        let bus = Arc::clone(&self.shared);
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
        self.shared.declared.know(topology);
    }

    async fn queues(&self, pattern: &str) -> Result<Vec<QueueInfo>, BusError> {
        let connection = self.shared.connection().await?;
        let mut known = self.shared.declared.names();
        known.retain(|name| names::text_matches(pattern, name.as_str()));
        if let (true, Ok(name)) = (known.is_empty(), QueueName::new(pattern)) {
            // A whole name, perhaps of a queue that another process declared.
            known.push(name);
        }
        Looker::new(&connection, self.shared.endpoint())
            .infos(&known)
            .await
    }

    async fn peek(&self, queue: &QueueName, limit: usize) -> Result<Vec<Peeked>, BusError> {
        let connection = self.shared.connection().await?;
        Looker::new(&connection, self.shared.endpoint())
            .peek(queue, limit)
            .await
    }

    async fn delayed(&self, limit: usize) -> Result<Vec<Delayed>, BusError> {
        let connection = self.shared.connection().await?;
        Looker::new(&connection, self.shared.endpoint())
            .delayed(limit)
            .await
    }

    async fn purge(&self, queue: &QueueName) -> Result<u64, BusError> {
        let connection = self.shared.connection().await?;
        Looker::new(&connection, self.shared.endpoint())
            .purge(queue)
            .await
    }

    async fn status(&self) -> Result<BusStatus, BusError> {
        let started = self.shared.started()?;
        started.consume.now(STATUS_WAIT).await?;
        started.publish.now(STATUS_WAIT).await?;
        let state = started.publish.state();
        Ok(BusStatus {
            name: format!("RabbitMQ at {}", self.shared.endpoint()),
            version: "AMQP 0-9-1".into(),
            healthy: matches!(state, State::Up { blocked: None, .. }),
            detail: format!("{state:?}"),
        })
    }

    async fn close(&self) -> Result<(), BusError> {
        self.shared.close().await;
        Ok(())
    }
}

impl Drop for RabbitBus {
    fn drop(&mut self) {
        self.shared.end();
    }
}

impl fmt::Debug for RabbitBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitBus")
            .field("endpoint", &self.shared.endpoint())
            .finish_non_exhaustive()
    }
}
