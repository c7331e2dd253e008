//! Waiting for a store or a bus that is away.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::FlowError;
use super::error::Temporary;

const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// Does a thing again until it works or can never work, or until the run is cancelled.
#[derive(Debug, Clone)]
pub(super) struct Patience {
    interface: String,
    cancel: CancellationToken,
}

impl Patience {
    pub(super) fn new(interface: &str, cancel: CancellationToken) -> Self {
        Self {
            interface: interface.to_owned(),
            cancel,
        }
    }

    pub(super) fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Says once that it waits, and once that it goes on.
    pub(super) async fn until_done<T, E, F>(
        &self,
        what: &'static str,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, FlowError>
    where
        E: Temporary,
        F: Future<Output = Result<T, E>>,
    {
        let mut delay = FIRST_DELAY;
        let mut waiting = false;
        loop {
            match attempt().await {
                Ok(done) => {
                    if waiting {
                        info!(interface = %self.interface, what, "resumed");
                    }
                    return Ok(done);
                }
                Err(error) if error.is_temporary() => {
                    if !waiting {
                        warn!(interface = %self.interface, what, %error, "waiting");
                        waiting = true;
                    }
                }
                Err(error) => return Err(error.into()),
            }
            self.pause(delay).await?;
            delay = (delay * 2).min(LONGEST_DELAY);
        }
    }

    /// Waits, unless the run is cancelled.
    pub(super) async fn pause(&self, delay: Duration) -> Result<(), FlowError> {
        tokio::select! {
            () = tokio::time::sleep(delay) => Ok(()),
            () = self.cancel.cancelled() => Err(FlowError::Cancelled),
        }
    }
}
