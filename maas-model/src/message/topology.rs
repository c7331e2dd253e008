//! Exchanges, queues and what binds them.

use super::{ExchangeName, KeyPattern, QueueName};

/// What a pipeline needs to exist on the bus.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Topology {
    /// Durable topic exchanges.
    pub exchanges: Vec<ExchangeName>,
    /// Durable queues.
    pub queues: Vec<QueueSpec>,
    /// The owners of dead letters that own no queue: interfaces. Each gets a parking queue.
    pub parking: Vec<String>,
}

/// One durable queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its name.
    pub name: QueueName,
    /// The pool it belongs to: its dead letters go to [`Topology::parking_queue`] of this name.
    pub owner: String,
    /// How it is kept.
    pub kind: QueueKind,
    /// What it receives.
    pub bindings: Vec<Binding>,
}

/// How the broker keeps a queue. The embedded bus keeps all alike and heeds priorities.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum QueueKind {
    /// Replicated, no priorities.
    #[default]
    Quorum,
    /// On one node, with ten priorities: what the original declares.
    Classic,
}

/// Messages published to this exchange with a matching key come to the queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Binding {
    /// From here.
    pub exchange: ExchangeName,
    /// With these keys.
    pub pattern: KeyPattern,
}

impl Topology {
    /// What the names of parking queues begin with.
    pub const PARKING: &str = "maas.dead.";

    /// What the names of the delay queues begin with, where the bus has such. They are shared by all queues.
    pub const DELAY: &str = "maas.delay.";

    /// The queue that keeps the dead letters of a pool or interface: `maas.dead.OWNER`.
    pub fn parking_queue(owner: &str) -> Result<QueueName, super::NameError> {
        QueueName::new(format!("{}{owner}", Self::PARKING))
    }
}
