//! How a link is, and why it is not up.

use std::fmt;
use std::sync::Arc;

use lapin::Connection;

use crate::message::amqp::error::{Meaning, meaning};

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::message::amqp) enum Away {
    /// It may come by itself.
    For(String),
    /// The credentials are refused: an operator must act.
    Denied(String),
    /// A certificate is not trusted: an operator must act.
    Untrusted(String),
}

impl Away {
    pub(super) fn of(error: &lapin::Error) -> Self {
        match meaning(error) {
            Meaning::Denied(reason) => Self::Denied(reason),
            Meaning::Untrusted(reason) => Self::Untrusted(reason),
            Meaning::Missing(reason) | Meaning::Precondition(reason) | Meaning::Broken(reason) => {
                Self::For(reason)
            }
        }
    }

    pub(super) fn reason(&self) -> &str {
        let (Self::For(reason) | Self::Denied(reason) | Self::Untrusted(reason)) = self;
        reason
    }
}

/// How a link is.
#[derive(Clone)]
pub(in crate::message::amqp) enum State {
    /// Not connected, and why.
    Away(Away),
    /// Connected; `blocked` by an alarm of the broker.
    Up {
        connection: Arc<Connection>,
        blocked: Option<String>,
    },
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away(away) => write!(f, "away: {}", away.reason()),
            Self::Up {
                blocked: Some(reason),
                ..
            } => write!(f, "blocked by the broker: {reason}"),
            Self::Up { blocked: None, .. } => write!(f, "connected"),
        }
    }
}
