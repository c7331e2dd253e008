//! Waiting for a store or a bus that is away, and telling so once.

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::FlowError;
use super::error::Temporary;

const FIRST_DELAY: Duration = Duration::from_millis(100);
/// Short enough to be back at work a moment after the store or the bus is.
const LONGEST_DELAY: Duration = Duration::from_secs(2);

/// Does a thing again until it works or can never work, or until the run is cancelled.
#[derive(Debug, Clone)]
pub(super) struct Patience {
    outages: Arc<Outages>,
    cancel: CancellationToken,
}

/// Whether store and bus answer, for all stages of a flow: each change is said once, however many wait.
#[derive(Debug)]
pub(super) struct Outages {
    interface: String,
    store: AtomicBool,
    bus: AtomicBool,
}

/// What a flow waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Store,
    Bus,
}

/// Growing delays between tries of one thing.
#[derive(Debug)]
pub(super) struct Delays(Duration);

impl Outages {
    pub(super) fn new(interface: &str) -> Self {
        Self {
            interface: interface.to_owned(),
            store: AtomicBool::new(false),
            bus: AtomicBool::new(false),
        }
    }

    fn flag(&self, side: Side) -> &AtomicBool {
        match side {
            Side::Store => &self.store,
            Side::Bus => &self.bus,
        }
    }

    fn began(&self, side: Side, what: &str, error: &dyn Error) {
        if !self.flag(side).swap(true, Relaxed) {
            let reason = causes(error);
            warn!(interface = %self.interface, what, reason, "waiting for the {}", side.name());
        }
    }

    fn over(&self, side: Side) {
        if self.flag(side).load(Relaxed) && self.flag(side).swap(false, Relaxed) {
            info!(interface = %self.interface, "the {} is back", side.name());
        }
    }
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Bus => "bus",
        }
    }
}

impl Delays {
    pub(super) fn new() -> Self {
        Self(FIRST_DELAY)
    }
}

impl Patience {
    pub(super) fn new(outages: Arc<Outages>, cancel: CancellationToken) -> Self {
        Self { outages, cancel }
    }

    pub(super) fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }

    pub(super) async fn until_done<T, E, F>(
        &self,
        what: &'static str,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, FlowError>
    where
        E: Temporary,
        F: Future<Output = Result<T, E>>,
    {
        let mut delays = Delays::new();
        loop {
            match attempt().await {
                Ok(done) => {
                    self.outages.over(E::SIDE);
                    return Ok(done);
                }
                Err(error) if error.is_temporary() => self.outages.began(E::SIDE, what, &error),
                Err(error) => return Err(error.into()),
            }
            self.pause(&mut delays).await?;
        }
    }

    /// Waits, longer each time, unless the run is cancelled.
    pub(super) async fn pause(&self, delays: &mut Delays) -> Result<(), FlowError> {
        let delay = delays.0;
        delays.0 = (delay * 2).min(LONGEST_DELAY);
        self.wait(delay).await
    }

    /// Waits so long, unless the run is cancelled.
    pub(super) async fn wait(&self, delay: Duration) -> Result<(), FlowError> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(FlowError::Cancelled),
            () = tokio::time::sleep(delay) => Ok(()),
        }
    }
}

/// An error with its causes, on one line.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
