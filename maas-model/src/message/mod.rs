//! How the parts of a chain tell each other which documents are new: the message, and the bus that
//! carries it. Two adapters behind one trait: `embedded` (durable, one local folder) and `amqp` (RabbitMQ).

mod amqp;
mod body;
mod bus;
mod carried;
mod dead;
mod dead_store;
mod delivery;
mod embedded;
mod error;
pub mod memory;
mod meter;
mod names;
mod open;
mod other_version;
mod topology;

pub use amqp::RabbitBus;
pub use body::{Message, MessageError};
pub use bus::{
    BusStatus, Delayed, MessageBus, Outgoing, Peeked, Published, QueueInfo, Subscription,
};
pub use dead::{DeadEnd, DeadLetter, DeadMessage, DeadOriginal, DeadReason};
pub use dead_store::{DeadFilter, DeadLetters, ReplayRecord, Replayed, Resolved};
pub use delivery::{Delivery, Part, Settle};
pub use embedded::EmbeddedBus;
pub use error::BusError;
pub(crate) use names::text_matches;
pub use names::{ExchangeName, KeyPattern, NameError, QueueName, RoutingKey};
pub use open::{BusOptions, BusUrl, BusUrlError, open};
pub use topology::{Binding, QueueKind, QueueSpec, Topology};
