//! Exchanges and queues on the broker: what is declared, how, and again after each connect.
//!
//! ```text
//! exchange --key--> queue --(delivered too often)--> maas.dead --owner--> maas.dead.OWNER
//!   queue --return_after--> exchange maas.delay.5000 -> queue maas.delay.5000 --(5 s)--> queue
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ExchangeKind};
use tokio::time::timeout;

use super::error::about;
use crate::message::{BusError, QueueKind, QueueName, QueueSpec, Topology};

/// The exchange to which the broker itself gives what was delivered too often.
const DEAD_EXCHANGE: &str = "maas.dead";
/// Steps of delays; a delay becomes the next longer step.
const DELAY_STEPS_MS: [u32; 6] = [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000];
/// Deliveries after which the broker gives up by itself. A last resort against a message that kills its
/// process each time: the pool counts tries and gives up long before, for the guilty message only.
const DELIVERY_LIMIT: i32 = 50;
/// Parking queues are looked at again and again, which counts as deliveries: never give up there.
const NO_DELIVERY_LIMIT: i32 = i32::MAX;
/// Longest wait until a topology is declared: a new quorum queue takes 50 ms, and there are dozens.
const DECLARE: Duration = Duration::from_secs(60);
/// Priorities of a classic queue, as the Python system declares them.
const MAX_PRIORITY: i32 = 10;

/// What was declared through this bus, to declare it again and to know names and owners.
#[derive(Debug)]
pub(super) struct Declared {
    endpoint: String,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    topologies: Vec<Topology>,
    owners: BTreeMap<QueueName, String>,
    names: BTreeSet<QueueName>,
}

impl Declared {
    pub(super) fn new(endpoint: String) -> Self {
        Self {
            endpoint,
            known: Mutex::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a topology that was declared.
    pub(super) fn remember(&self, topology: &Topology) {
        self.know(topology);
        let mut known = self.known();
        if !known.topologies.contains(topology) {
            known.topologies.push(topology.clone());
        }
    }

    /// Keeps the names and owners of a topology.
    pub(super) fn know(&self, topology: &Topology) {
        let mut known = self.known();
        for queue in &topology.queues {
            known.owners.insert(queue.name.clone(), queue.owner.clone());
            known.names.insert(queue.name.clone());
        }
        known.names.extend(
            owners(topology)
                .into_iter()
                .filter_map(|o| Topology::parking_queue(o).ok()),
        );
        known.names.extend(delay_queues());
    }

    /// Keeps a name that was asked for.
    pub(super) fn name(&self, queue: &QueueName) {
        self.known().names.insert(queue.clone());
    }

    /// All names known.
    pub(super) fn names(&self) -> Vec<QueueName> {
        self.known().names.iter().cloned().collect()
    }

    /// The owner of a queue's dead letters; one of a queue that was not declared here owns its own.
    pub(super) fn owner(&self, queue: &QueueName) -> String {
        let owner = self.known().owners.get(queue).cloned();
        let parked = || {
            queue
                .as_str()
                .strip_prefix(Topology::PARKING)
                .map(str::to_owned)
        };
        owner.or_else(parked).unwrap_or_else(|| queue.to_string())
    }

    /// Declares everything again on a new connection.
    pub(super) async fn again(&self, connection: &Connection) -> Result<(), BusError> {
        let topologies = self.known().topologies.clone();
        for topology in &topologies {
            declare(connection, &self.endpoint, topology).await?;
        }
        Ok(())
    }
}

/// Declares a topology on a channel of its own: an error closes the channel it happens on.
pub(super) async fn declare(
    connection: &Connection,
    endpoint: &str,
    topology: &Topology,
) -> Result<(), BusError> {
    let declared = timeout(DECLARE, declare_all(connection, endpoint, topology));
    declared.await.unwrap_or_else(|_| Err(unanswered(endpoint)))
}

fn unanswered(endpoint: &str) -> BusError {
    BusError::Unreachable {
        endpoint: endpoint.to_owned(),
        source: "not all queues were declared in time: has one lost the majority of its nodes?"
            .into(),
    }
}

async fn declare_all(
    connection: &Connection,
    endpoint: &str,
    topology: &Topology,
) -> Result<(), BusError> {
    let channel = connection
        .create_channel()
        .await
        .map_err(|error| about(endpoint, "", &error))?;
    let declarer = Declarer { channel, endpoint };
    declarer
        .exchange(DEAD_EXCHANGE, ExchangeKind::Direct)
        .await?;
    for exchange in &topology.exchanges {
        declarer
            .exchange(exchange.as_str(), ExchangeKind::Topic)
            .await?;
    }
    for owner in owners(topology) {
        declarer.parking(owner).await?;
    }
    for queue in &topology.queues {
        declarer.queue_with_bindings(queue).await?;
    }
    declarer.delays().await
}

/// The exchange through which a message comes back after at least `delay` (an hour at most), and after how many
/// milliseconds it does; none for no delay.
pub(super) fn delay_exchange(delay: Duration) -> Option<(String, u32)> {
    if delay.is_zero() {
        return None;
    }
    let longest = DELAY_STEPS_MS[DELAY_STEPS_MS.len() - 1];
    let step = DELAY_STEPS_MS
        .into_iter()
        .find(|&step| Duration::from_millis(step.into()) >= delay);
    let step = step.unwrap_or(longest);
    Some((delay_name(step), step))
}

/// The queues in which messages wait for their delay to end.
pub(super) fn delay_queues() -> impl Iterator<Item = QueueName> {
    let names = DELAY_STEPS_MS.map(|step| QueueName::new(delay_name(step)));
    names.into_iter().flatten()
}

fn delay_name(step_ms: u32) -> String {
    format!("{}{step_ms}", Topology::DELAY)
}

fn owners(topology: &Topology) -> BTreeSet<&str> {
    let pools = topology.queues.iter().map(|queue| queue.owner.as_str());
    pools
        .chain(topology.parking.iter().map(String::as_str))
        .collect()
}

struct Declarer<'a> {
    channel: Channel,
    endpoint: &'a str,
}

impl Declarer<'_> {
    async fn exchange(&self, name: &str, kind: ExchangeKind) -> Result<(), BusError> {
        if name.is_empty() {
            return Ok(());
        }
        let options = ExchangeDeclareOptions {
            durable: true,
            ..Default::default()
        };
        self.channel
            .exchange_declare(name.into(), kind, options, FieldTable::default())
            .await
            .map_err(|error| about(self.endpoint, name, &error))
    }

    async fn queue(&self, name: &str, arguments: FieldTable) -> Result<(), BusError> {
        self.channel
            .queue_declare(name.into(), QueueDeclareOptions::durable(), arguments)
            .await
            .map(|_| ())
            .map_err(|error| about(self.endpoint, name, &error))
    }

    async fn bind(&self, queue: &str, exchange: &str, key: &str) -> Result<(), BusError> {
        let options = QueueBindOptions::default();
        self.channel
            .queue_bind(
                queue.into(),
                exchange.into(),
                key.into(),
                options,
                FieldTable::default(),
            )
            .await
            .map_err(|error| about(self.endpoint, exchange, &error))
    }

    async fn parking(&self, owner: &str) -> Result<(), BusError> {
        let name = Topology::parking_queue(owner).map_err(|error| BusError::Refused {
            endpoint: self.endpoint.to_owned(),
            reason: error.to_string(),
        })?;
        let mut arguments = quorum();
        arguments.insert(
            "x-delivery-limit".into(),
            AMQPValue::LongInt(NO_DELIVERY_LIMIT),
        );
        self.queue(name.as_str(), arguments).await?;
        self.bind(name.as_str(), DEAD_EXCHANGE, owner).await
    }

    async fn queue_with_bindings(&self, queue: &QueueSpec) -> Result<(), BusError> {
        let arguments = match queue.kind {
            QueueKind::Quorum => quorum_with_dead_letters(&queue.owner),
            QueueKind::Classic => classic(),
        };
        self.queue(queue.name.as_str(), arguments).await?;
        for binding in &queue.bindings {
            let exchange = binding.exchange.as_str();
            self.exchange(exchange, ExchangeKind::Topic).await?;
            self.bind(queue.name.as_str(), exchange, binding.pattern.as_str())
                .await?;
        }
        Ok(())
    }

    /// A fanout exchange keeps the key of a message, and the key is the queue to go back to.
    async fn delays(&self) -> Result<(), BusError> {
        for step in DELAY_STEPS_MS {
            let name = delay_name(step);
            let mut arguments = quorum();
            keep_until_taken(&mut arguments, "");
            arguments.insert("x-message-ttl".into(), AMQPValue::LongUInt(step));
            arguments.insert(
                "x-delivery-limit".into(),
                AMQPValue::LongInt(NO_DELIVERY_LIMIT),
            );
            self.exchange(&name, ExchangeKind::Fanout).await?;
            self.queue(&name, arguments).await?;
            self.bind(&name, &name, "").await?;
        }
        Ok(())
    }
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments
}

fn quorum_with_dead_letters(owner: &str) -> FieldTable {
    let mut arguments = quorum();
    arguments.insert(
        "x-delivery-limit".into(),
        AMQPValue::LongInt(DELIVERY_LIMIT),
    );
    keep_until_taken(&mut arguments, DEAD_EXCHANGE);
    arguments.insert("x-dead-letter-routing-key".into(), text(owner));
    arguments
}

/// Dead-letters to `exchange`, and keeps the message until the other queue has confirmed it.
fn keep_until_taken(arguments: &mut FieldTable, exchange: &str) {
    arguments.insert("x-dead-letter-exchange".into(), text(exchange));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    // The strategy demands it; without a length limit nothing is ever rejected.
    arguments.insert("x-overflow".into(), text("reject-publish"));
}

/// Exactly what the Python system declares, so that both can use one queue. It has no delivery limit, so
/// the broker never dead-letters from it.
fn classic() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-priority".into(), AMQPValue::LongInt(MAX_PRIORITY));
    arguments
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}
