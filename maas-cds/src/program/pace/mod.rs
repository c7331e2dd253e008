//! How fast queues are worked on, and how old the oldest message in hand is: known only to the processes that work on
//! them, which note it in the store for whoever asks. See `docs/metrics.md`.
//!
//! ```text
//! maas run: pools -> rate -> note -> store          maas queue list, maas status: store -> read -> standing
//! ```

mod note;
mod rate;
mod standing;
mod store;

use std::time::Duration;

use chrono::Utc;
use maas_model::store::DocumentStore;

pub(crate) use note::{Noted, note};
pub(crate) use standing::Standing;
pub(crate) use store::Paces;
use store::read;

/// A server that does not answer so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What those who work on queues noted; nothing when the store does not tell, which is said.
pub(crate) async fn known(store: &dyn DocumentStore) -> Paces {
    let reason = match tokio::time::timeout(PATIENCE, read(store, Utc::now())).await {
        Ok(Ok(paces)) => return paces,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it does not answer".to_owned(),
    };
    tracing::warn!(
        reason,
        "the store does not tell how fast queues are worked on"
    );
    Paces::new()
}
