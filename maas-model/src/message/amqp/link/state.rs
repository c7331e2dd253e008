//! How a link is, and why it is not up.

use std::fmt;
use std::sync::Arc;

use lapin::Connection;

use crate::message::amqp::error::{Meaning, meaning};

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::message::amqp) enum Away {
    /// There was none yet. A broker that turns a client away may just hang up; another attempt may hear why.
    NotYet(String),
    /// It was lost, and may come back by itself.
    Lost(String),
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
                Self::NotYet(reason)
            }
        }
    }

    pub(super) fn reason(&self) -> &str {
        let (Self::NotYet(reason)
        | Self::Lost(reason)
        | Self::Denied(reason)
        | Self::Untrusted(reason)) = self;
        reason
    }

    /// Whether an operator must act.
    pub(super) fn is_final(&self) -> bool {
        matches!(self, Self::Denied(_) | Self::Untrusted(_))
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
