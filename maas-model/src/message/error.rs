//! Why a call to a bus failed.

use crate::BoxError;

/// A call that failed as a whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BusError {
    /// The bus did not answer within the adapter's limit. Try again later.
    #[error("cannot reach {endpoint}")]
    Unreachable {
        /// Where it should be, without credentials.
        endpoint: String,
        /// What happened.
        #[source]
        source: BoxError,
    },
    /// The credentials are refused. An operator must act.
    #[error("{endpoint} refused the credentials: {reason}")]
    Denied {
        /// Where, without credentials.
        endpoint: String,
        /// The broker's own words.
        reason: String,
    },
    /// The two sides do not know each other's certificates. An operator must act.
    #[error("no trusted connection to {endpoint}: {reason}")]
    Untrusted {
        /// Where, without credentials.
        endpoint: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// An exchange or queue exists with other properties. An operator must act.
    #[error("`{name}` exists with other properties: {reason}")]
    Mismatch {
        /// The exchange or queue.
        name: String,
        /// The broker's own words.
        reason: String,
    },
    /// The request is wrong and will be wrong again.
    #[error("{endpoint} refused the request: {reason}")]
    Refused {
        /// Where, without credentials.
        endpoint: String,
        /// What was asked and the broker's own words.
        reason: String,
    },
    /// What is on disk cannot be read.
    #[error("{place} is damaged: {reason}")]
    Damaged {
        /// The file.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The bus was closed by this process.
    #[error("the bus is closed")]
    Closed,
}

impl BusError {
    /// Whether the same call may succeed later without anybody's doing.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Denied { .. }
            | Self::Untrusted { .. }
            | Self::Mismatch { .. }
            | Self::Refused { .. }
            | Self::Damaged { .. }
            | Self::Closed => false,
        }
    }
}
