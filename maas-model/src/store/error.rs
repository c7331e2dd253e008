//! Why a whole call to a store failed.

use crate::BoxError;

/// A call that failed as a whole. What concerns one document only is a
/// [`WriteOutcome`](super::WriteOutcome).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store did not answer, or answered that it cannot now. Try again later.
    #[error("cannot reach {endpoint}")]
    Unreachable {
        /// Where it should be, without credentials.
        endpoint: String,
        /// What happened.
        #[source]
        source: BoxError,
    },
    /// The store has too much to do (429, 503, no space). Try again later.
    #[error("{endpoint} is busy: {reason}")]
    Busy {
        /// Where, without credentials.
        endpoint: String,
        /// The store's own words.
        reason: String,
    },
    /// The credentials are refused. An operator must act.
    #[error("{endpoint} refused the credentials: {reason}")]
    Denied {
        /// Where, without credentials.
        endpoint: String,
        /// The store's own words.
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
    /// The request is wrong and will be wrong again.
    #[error("{endpoint} refused the request: {reason}")]
    Refused {
        /// Where, without credentials.
        endpoint: String,
        /// What was asked and the store's own words.
        reason: String,
    },
    /// What is on disk cannot be read.
    #[error("{place} is damaged: {reason}")]
    Damaged {
        /// File or index.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl StoreError {
    /// Whether the same call may succeed later without anybody's doing.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Busy { .. } => true,
            Self::Denied { .. }
            | Self::Untrusted { .. }
            | Self::Refused { .. }
            | Self::Damaged { .. } => false,
        }
    }
}
