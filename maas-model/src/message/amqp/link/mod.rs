//! One connection for one role, kept alive without end.
//!
//! Not by lapin's own recovery: that gives up after some minutes and then hangs without an error. Here a
//! task connects under a timeout, declares what is needed, watches until the connection breaks, drops all
//! of it, waits and begins again.

mod keeper;
mod state;

use std::sync::Arc;
use std::time::Duration;

use lapin::Connection;
use lapin::uri::AMQPUri;
use tokio::sync::watch;
use tokio::time::timeout;

use self::keeper::Keeper;
pub(super) use self::keeper::jittered;
use self::state::Away;
pub(super) use self::state::State;
use super::tls::Tls;
use super::topology::Declared;
use crate::message::BusError;

/// What a connection is for. Publishing and consuming must not share one: the broker stops reading from
/// connections that published when its memory alarm rises, acknowledgements with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Publish,
    Consume,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Consume => "consume",
        }
    }
}

/// Where the broker is and how to get in. The URI holds the password: no `Debug`.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) uri: AMQPUri,
    pub(super) tls: Tls,
    /// For logs and errors.
    pub(super) endpoint: String,
}

/// A connection that comes back.
#[derive(Clone)]
pub(super) struct Link {
    endpoint: String,
    state: watch::Receiver<State>,
}

impl Link {
    /// Begins to connect. Ends when `closed` becomes true.
    pub(super) fn start(
        role: Role,
        door: Door,
        declared: Arc<Declared>,
        closed: watch::Receiver<bool>,
    ) -> Self {
        let away = State::Away(Away::NotYet("not yet connected".into()));
        let (sender, state) = watch::channel(away);
        let endpoint = door.endpoint.clone();
        tokio::spawn(Keeper::new(role, door, declared, sender).run(closed));
        Self { endpoint, state }
    }

    /// How it is now.
    pub(super) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// The connection, waited for without end; `None` when the bus was closed.
    pub(super) async fn up(&mut self) -> Option<Arc<Connection>> {
        let state = self
            .state
            .wait_for(|state| matches!(state, State::Up { .. }))
            .await
            .ok()?;
        match &*state {
            State::Up { connection, .. } => Some(Arc::clone(connection)),
            State::Away(_) => None,
        }
    }

    /// The connection, waited for at most so long; what an operator must mend is told at once.
    pub(super) async fn within(&self, limit: Duration) -> Result<Arc<Connection>, BusError> {
        let mut watch = self.state.clone();
        let decided = |state: &State| match state {
            State::Up { .. } => true,
            State::Away(away) => away.is_final(),
        };
        match timeout(limit, watch.wait_for(decided)).await {
            Ok(Ok(state)) => match &*state {
                State::Up { connection, .. } => Ok(Arc::clone(connection)),
                State::Away(away) => Err(self.error(away)),
            },
            Ok(Err(_)) => Err(BusError::Closed),
            Err(_) => Err(self.too_long()),
        }
    }

    /// As [`Self::within`], but when the connection was lost that is told at once.
    pub(super) async fn now(&self, limit: Duration) -> Result<(), BusError> {
        let mut watch = self.state.clone();
        let told = |state: &State| !matches!(state, State::Away(Away::NotYet(_)));
        match timeout(limit, watch.wait_for(told)).await {
            Ok(Ok(state)) => match &*state {
                State::Up { .. } => Ok(()),
                State::Away(away) => Err(self.error(away)),
            },
            Ok(Err(_)) => Err(BusError::Closed),
            Err(_) => Err(self.too_long()),
        }
    }

    fn error(&self, away: &Away) -> BusError {
        let endpoint = self.endpoint.clone();
        match away.clone() {
            Away::NotYet(_) | Away::Lost(_) => self.too_long(),
            Away::Denied(reason) => BusError::Denied { endpoint, reason },
            Away::Untrusted(reason) => BusError::Untrusted { endpoint, reason },
        }
    }

    /// Waits until it ended for good.
    pub(super) async fn ended(&self) {
        let mut state = self.state.clone();
        while state.changed().await.is_ok() {}
    }

    /// The error of a call that waited too long.
    pub(super) fn too_long(&self) -> BusError {
        let state = self.state();
        let reason = match state {
            State::Up { blocked: None, .. } => {
                "connected, but not all was confirmed in time: is a queue full?".to_owned()
            }
            State::Up { .. } | State::Away(_) => format!("{state:?}"),
        };
        BusError::Unreachable {
            endpoint: self.endpoint.clone(),
            source: reason.into(),
        }
    }
}
