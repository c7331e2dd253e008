//! How the parts of a chain tell each other which documents are new: the message, and the bus that
//! carries it. Two adapters behind one trait: `embedded` (durable, one local folder) and `amqp` (RabbitMQ).

mod body;
mod bus;
mod dead;
mod delivery;
mod error;
mod names;
mod topology;

pub use body::{Message, MessageError};
pub use bus::{BusStatus, MessageBus, Outgoing, Peeked, Published, QueueInfo, Subscription};
pub use dead::{DeadLetter, DeadReason};
pub use delivery::{Delivery, Settle};
pub use error::BusError;
pub use names::{ExchangeName, KeyPattern, NameError, QueueName, RoutingKey};
pub use topology::{Binding, QueueKind, QueueSpec, Topology};
