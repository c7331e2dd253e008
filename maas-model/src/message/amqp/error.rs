//! What the broker's errors mean.

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};

use super::tls::mistrust;
use crate::message::BusError;

/// What a caller should know of an error of the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The credentials or rights do not suffice.
    Denied(String),
    /// One side does not trust the other's certificate.
    Untrusted(String),
    /// No such queue or exchange.
    Missing(String),
    /// It exists otherwise, or the message is too large.
    Precondition(String),
    /// The connection or channel is gone; another will come.
    Broken(String),
}

pub(super) fn meaning(error: &lapin::Error) -> Meaning {
    if let Some(reason) = mistrust(error) {
        return Meaning::Untrusted(reason);
    }
    let ErrorKind::ProtocolError(amqp) = error.kind() else {
        return Meaning::Broken(error.to_string());
    };
    let text = amqp.get_message().to_string();
    match amqp.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => Meaning::Denied(text),
        // A virtual host that is still starting is told in the same way as one that does not exist.
        AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) if text.ends_with("is down") => {
            Meaning::Broken(text)
        }
        // The broker answers an unknown virtual host like this.
        AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED | AMQPHardError::INVALIDPATH) => {
            Meaning::Denied(text)
        }
        AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND) => Meaning::Missing(text),
        AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => Meaning::Precondition(text),
        AMQPErrorKind::Soft(_) | AMQPErrorKind::Hard(_) => Meaning::Broken(text),
    }
}

/// The error of a call about `name` (a queue or an exchange).
pub(super) fn about(endpoint: &str, name: &str, error: &lapin::Error) -> BusError {
    let endpoint = endpoint.to_owned();
    match meaning(error) {
        Meaning::Denied(reason) => BusError::Denied { endpoint, reason },
        Meaning::Untrusted(reason) => BusError::Untrusted { endpoint, reason },
        Meaning::Missing(reason) => BusError::Refused { endpoint, reason },
        Meaning::Precondition(reason) => BusError::Mismatch {
            name: name.to_owned(),
            reason: format!(
                "{reason}; write its `kind` as it is in the pipeline, or drain it, delete it and start again"
            ),
        },
        Meaning::Broken(reason) => BusError::Unreachable {
            endpoint,
            source: reason.into(),
        },
    }
}
