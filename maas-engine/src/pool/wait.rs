//! Waiting for what is away, and telling so once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use maas_model::chance;
use maas_model::store::StoreError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::reason::too_many_tries;
use super::run::Run;
use super::verdict::{Cause, Stop};

/// How long one message waits inside the pool before it is handed back.
const IN_HAND: Duration = Duration::from_secs(60);
const FIRST: Duration = Duration::from_millis(100);
/// Short enough to be back at work a moment after the store or the bus is.
const LONGEST: Duration = Duration::from_secs(2);

/// Growing pauses between tries of one call, until a minute has passed.
#[derive(Debug)]
pub(crate) struct Patience {
    next: Duration,
    until: Option<Instant>,
}

/// Why there is no further try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Enough {
    /// The minute is over.
    Waited,
    /// The pool is stopping.
    Stopping,
}

impl Patience {
    /// Gives up after a minute.
    pub(crate) fn of_a_message() -> Self {
        Self {
            next: FIRST,
            until: Some(Instant::now() + IN_HAND),
        }
    }

    /// Never gives up.
    pub(crate) fn endless() -> Self {
        Self {
            next: FIRST,
            until: None,
        }
    }

    /// Sleeps, longer each time; `Err` when there shall be no further try.
    pub(crate) async fn pause(&mut self, stop: &CancellationToken) -> Result<(), Enough> {
        if self
            .until
            .is_some_and(|until| Instant::now() + self.next > until)
        {
            return Err(Enough::Waited);
        }
        let pause = jittered(self.next);
        self.next = (self.next * 2).min(LONGEST);
        tokio::select! {
            biased;
            () = stop.cancelled() => Err(Enough::Stopping),
            () = tokio::time::sleep(pause) => Ok(()),
        }
    }

    /// The same in the middle of a message, which is handed back when there shall be no further try.
    pub(crate) async fn wait(
        &mut self,
        stop: &CancellationToken,
        reason: &str,
    ) -> Result<(), Stop> {
        self.pause(stop).await.map_err(|enough| match enough {
            Enough::Waited => Stop::Away(reason.to_owned()),
            Enough::Stopping => Stop::HandBack,
        })
    }
}

impl Run<'_> {
    /// Waits when the store may answer later; a request that it will never take is the engine's fault.
    pub(super) async fn wait(
        &self,
        patience: &mut Patience,
        error: StoreError,
        who: &str,
    ) -> Result<(), Stop> {
        match error {
            StoreError::Refused { .. } => Err(Stop::Failed {
                cause: Cause::Passing,
                reason: too_many_tries(who, causes(&error)),
            }),
            // An operator may mend the others without a new try of ours being wrong.
            _ => {
                self.shared.store_outage.began(&error);
                self.pause(patience, &causes(&error)).await
            }
        }
    }

    pub(super) async fn pause(&self, patience: &mut Patience, reason: &str) -> Result<(), Stop> {
        patience.wait(self.stop, reason).await
    }
}

/// Between half of `pause` and all of it, so that workers who failed together do not try together.
pub(crate) fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + chance::share() / 2.0)
}

/// Whether something outside answers; each change of it is logged once.
#[derive(Debug)]
pub(crate) struct Outage {
    what: &'static str,
    pool: String,
    away: AtomicBool,
}

impl Outage {
    pub(crate) fn new(what: &'static str, pool: &str) -> Self {
        Self {
            what,
            pool: pool.to_owned(),
            away: AtomicBool::new(false),
        }
    }

    /// It did not answer.
    pub(crate) fn began(&self, error: &dyn std::error::Error) {
        if !self.away.swap(true, Ordering::Relaxed) {
            let reason = causes(error);
            tracing::warn!(pool = self.pool, reason, "waiting for the {}", self.what);
        }
    }

    /// It answered.
    pub(crate) fn over(&self) {
        if self.away.load(Ordering::Relaxed) && self.away.swap(false, Ordering::Relaxed) {
            tracing::info!(pool = self.pool, "the {} is back", self.what);
        }
    }

    /// Whether it was away when last asked.
    pub(crate) fn is_on(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }
}

/// An error with its causes, on one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
