//! A bus under test, with names of its own on it.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::message::{
    Binding, Delivery, ExchangeName, KeyPattern, MessageBus, Outgoing, Published, QueueInfo,
    QueueKind, QueueName, QueueSpec, RoutingKey, Subscription, Topology,
};

/// How long a promise may take before it counts as broken.
const DEADLINE: Duration = Duration::from_secs(30);

/// A bus and a random prefix for all names, so that tests run side by side on one server.
pub struct Fixture {
    /// The bus.
    pub bus: Arc<dyn MessageBus>,
    prefix: String,
    _keep: Box<dyn Any + Send + Sync>,
}

impl Fixture {
    /// `keep` lives as long as the fixture: a temporary folder, a server.
    pub fn new(bus: Arc<dyn MessageBus>, keep: impl Any + Send + Sync) -> Self {
        let prefix = format!("t{}", uuid::Uuid::new_v4().simple());
        Self {
            bus,
            prefix,
            _keep: Box::new(keep),
        }
    }

    /// A name that no other test has.
    pub fn name(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }

    /// The exchange of this test.
    pub fn exchange(&self) -> ExchangeName {
        ExchangeName::new(self.name("exchange")).unwrap()
    }

    /// A queue of this test.
    pub fn queue(&self, name: &str) -> QueueName {
        QueueName::new(self.name(name)).unwrap()
    }

    /// Declares a queue of pool `pool`, bound to the exchange with these keys.
    pub async fn declare(&self, queue: &str, keys: &[&str]) -> QueueName {
        self.bus
            .declare(&self.topology(queue, keys, QueueKind::Quorum))
            .await
            .unwrap();
        self.queue(queue)
    }

    /// What [`Self::declare`] declares.
    pub fn topology(&self, queue: &str, keys: &[&str], kind: QueueKind) -> Topology {
        let bindings = keys.iter().map(|key| Binding {
            exchange: self.exchange(),
            pattern: KeyPattern::new(*key).unwrap(),
        });
        Topology {
            exchanges: vec![self.exchange()],
            queues: vec![QueueSpec {
                name: self.queue(queue),
                owner: self.name("pool"),
                kind,
                bindings: bindings.collect(),
            }],
            parking: vec![self.name("interface")],
        }
    }

    /// A message for the exchange of this test.
    pub fn message(&self, key: &str, body: impl Into<Vec<u8>>) -> Outgoing {
        Outgoing {
            exchange: self.exchange(),
            routing_key: RoutingKey::new(key).unwrap(),
            body: body.into(),
            message_id: uuid::Uuid::new_v4().to_string(),
            priority: 5,
            headers: BTreeMap::new(),
        }
    }

    /// Publishes and expects every message to be routed.
    pub async fn publish(&self, messages: Vec<Outgoing>) {
        let outcomes = self.bus.publish(messages).await.unwrap();
        assert!(
            outcomes.iter().all(|outcome| *outcome == Published::Routed),
            "{outcomes:?}"
        );
    }

    /// Publishes one numbered message for each of `numbers`.
    pub async fn publish_numbers(&self, key: &str, numbers: std::ops::Range<usize>) {
        self.publish(
            numbers
                .map(|number| self.message(key, number.to_string()))
                .collect(),
        )
        .await;
    }

    /// Subscribes.
    pub async fn subscribe(&self, queue: &QueueName, prefetch: u16) -> Box<dyn Subscription> {
        self.bus.subscribe(queue, prefetch).await.unwrap()
    }

    /// What the bus says of a queue.
    pub async fn info(&self, queue: &QueueName) -> QueueInfo {
        let mut queues = self.bus.queues(queue.as_str()).await.unwrap();
        assert_eq!(queues.len(), 1, "`{queue}` is not told once");
        queues.remove(0)
    }

    /// Waits until so many messages are ready.
    pub async fn ready(&self, queue: &QueueName, expected: u64) {
        eventually("that many are ready", async || {
            self.info(queue).await.ready == expected
        })
        .await;
    }
}

/// The next delivery, before the deadline.
pub async fn next(subscription: &mut Box<dyn Subscription>) -> Delivery {
    let next = tokio::time::timeout(DEADLINE, subscription.next());
    next.await
        .expect("no message came")
        .expect("the subscription ended")
}

/// Asks again and again until the answer is yes.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while !condition().await {
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The text of a delivery, which is then acknowledged.
pub(super) async fn take(subscription: &mut Box<dyn Subscription>) -> String {
    let delivery = next(subscription).await;
    let text = String::from_utf8(delivery.body.clone()).unwrap();
    delivery.ack().await.unwrap();
    text
}

/// Whether a message is there at this moment.
pub(super) async fn has_one(subscription: &mut Box<dyn Subscription>) -> bool {
    // Long enough for what is on the way to this process; a message that comes later proves nothing else.
    tokio::time::timeout(Duration::from_millis(200), subscription.next())
        .await
        .is_ok()
}
