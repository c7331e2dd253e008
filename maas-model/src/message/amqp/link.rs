//! One connection for one role, kept alive without end.
//!
//! Not by lapin's own recovery: that gives up after some minutes and then hangs without an error. Here a
//! task connects under a timeout, declares what is needed, watches until the connection breaks, drops all
//! of it, waits and begins again.

use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

use futures_util::StreamExt;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{AsyncTcpStream, Connection, ConnectionProperties, Event};
use metrics::gauge;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::error::{Meaning, meaning};
use super::line::Line;
use super::tls::Tls;
use super::topology::Declared;
use crate::message::BusError;

/// Longest wait for one attempt to connect: lapin itself would wait for ever.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest wait for the broker's word at the end. With channels that are just being closed lapin sometimes
/// finds its connection in error and waits for ever; all that was to be sent is sent before.
const GOODBYE: Duration = Duration::from_secs(2);
/// First and longest pause between attempts; the real pause is a random part of it.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// How often a connection is looked at whose end was not announced by an event.
const LOOK: Duration = Duration::from_secs(1);

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

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Away {
    /// It may come by itself.
    For(String),
    /// The credentials are refused: an operator must act.
    Denied(String),
    /// A certificate is not trusted: an operator must act.
    Untrusted(String),
}

impl Away {
    fn of(error: &lapin::Error) -> Self {
        match meaning(error) {
            Meaning::Denied(reason) => Self::Denied(reason),
            Meaning::Untrusted(reason) => Self::Untrusted(reason),
            Meaning::Missing(reason) | Meaning::Precondition(reason) | Meaning::Broken(reason) => {
                Self::For(reason)
            }
        }
    }

    fn reason(&self) -> &str {
        let (Self::For(reason) | Self::Denied(reason) | Self::Untrusted(reason)) = self;
        reason
    }
}

/// How a link is.
#[derive(Clone)]
pub(super) enum State {
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
        let away = State::Away(Away::For("not yet connected".into()));
        let (sender, state) = watch::channel(away);
        let endpoint = door.endpoint.clone();
        tokio::spawn(
            Keeper {
                role,
                door,
                declared,
                state: sender,
                said: false,
                met: false,
            }
            .run(closed),
        );
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
        let decided = |state: &State| !matches!(state, State::Away(Away::For(_)));
        match timeout(limit, watch.wait_for(decided)).await {
            Ok(Ok(state)) => match &*state {
                State::Up { connection, .. } => Ok(Arc::clone(connection)),
                State::Away(away) => Err(self.error(away)),
            },
            Ok(Err(_)) => Err(BusError::Closed),
            Err(_) => Err(self.too_long()),
        }
    }

    fn error(&self, away: &Away) -> BusError {
        let endpoint = self.endpoint.clone();
        match away.clone() {
            Away::For(_) => self.too_long(),
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

/// The task behind a link.
struct Keeper {
    role: Role,
    door: Door,
    declared: Arc<Declared>,
    state: watch::Sender<State>,
    /// Whether the present absence was told.
    said: bool,
    /// Whether it was ever up. Later whatever is wrong is waited for: an operator can mend it meanwhile.
    met: bool,
}

impl Keeper {
    async fn run(mut self, mut closed: watch::Receiver<bool>) {
        tokio::select! {
            () = self.keep() => {}
            _ = closed.wait_for(|closed| *closed) => {}
        }
        let closed = State::Away(Away::For("closed".into()));
        let last = self.state.send_replace(closed);
        if let State::Up { connection, .. } = last {
            // The broker takes back what is unsettled when this does not arrive, too.
            let _ = timeout(GOODBYE, connection.close(200, "closed".into())).await;
        }
    }

    async fn keep(&mut self) {
        let mut pause = PAUSE.0;
        loop {
            let line = Line::default();
            match timeout(CONNECT, self.connect(line.clone())).await {
                Ok(Ok(connection)) => {
                    line.let_go();
                    pause = PAUSE.0;
                    let reason = self.watch(connection).await;
                    self.away(Away::For(reason));
                }
                Ok(Err(error)) => self.away(Away::of(&error)),
                Err(_) => {
                    line.hang_up();
                    self.away(Away::For("no answer in time".into()));
                }
            }
            sleep(jittered(pause)).await;
            pause = (pause * 2).min(PAUSE.1);
        }
    }

    async fn connect(&self, line: Line) -> lapin::Result<Connection> {
        let name = format!("maas {}", self.role.name());
        let options = ConnectionProperties::default().with_connection_name(name.into());
        let (uri, tls) = (self.door.uri.clone(), self.door.tls.clone());
        let runtime = lapin::runtime::default_runtime()?;
        Connection::connector(
            uri,
            runtime,
            async move |AMQPUri {
                            scheme, authority, ..
                        },
                        runtime| {
                let address = runtime.to_socket_addrs((authority.host.clone(), authority.port));
                let stream = AsyncTcpStream::connect(&runtime, address).await?;
                if let AsyncTcpStream::Plain(socket) = &stream {
                    line.hold(socket.get_ref())?;
                }
                if scheme == AMQPScheme::AMQP {
                    return Ok(stream);
                }
                let connector = tls.connector().map_err(io::Error::other)?;
                let name = tls.server_name.as_deref().unwrap_or(&authority.host);
                Ok(stream.into_rustls(&connector, name).await?)
            },
            options,
        )
        .await
    }

    /// Until the connection breaks; tells why.
    async fn watch(&mut self, connection: Connection) -> String {
        let mut events = Box::pin(connection.events_listener());
        // A broker that lost its disk gets its queues again before anybody asks for them.
        if let Err(error) = self.declared.again(&connection).await {
            tracing::warn!(%error, bus = self.door.endpoint, "cannot declare the topology again");
        }
        let connection = Arc::new(connection);
        self.up(&connection, None);
        loop {
            match timeout(LOOK, events.next()).await {
                Ok(Some(Event::ConnectionBlocked(reason))) => self.up(&connection, Some(reason)),
                Ok(Some(Event::ConnectionUnblocked)) => self.up(&connection, None),
                // Also told when only a channel failed: then the connection goes on.
                Ok(Some(Event::Error(error))) if !connection.status().connected() => {
                    return error.to_string();
                }
                Ok(Some(_)) => {}
                Ok(None) => return "the connection ended".into(),
                Err(_) if !connection.status().connected() => return "the connection ended".into(),
                Err(_) => {}
            }
        }
    }

    fn up(&mut self, connection: &Arc<Connection>, blocked: Option<String>) {
        let (role, bus) = (self.role.name(), &self.door.endpoint);
        match &blocked {
            Some(reason) => tracing::warn!(role, bus, reason, "the broker blocks publishing"),
            None => tracing::info!(role, bus, "connected to the bus"),
        }
        self.said = false;
        self.met = true;
        gauge!("maas_bus_connected", "role" => role).set(1.0);
        gauge!("maas_bus_blocked", "role" => role).set(f64::from(u8::from(blocked.is_some())));
        self.state.send_replace(State::Up {
            connection: Arc::clone(connection),
            blocked,
        });
    }

    fn away(&mut self, mut away: Away) {
        if self.met {
            away = Away::For(away.reason().to_owned());
        }
        let (role, bus, reason) = (self.role.name(), &self.door.endpoint, away.reason());
        if !std::mem::replace(&mut self.said, true) {
            tracing::warn!(role, bus, reason, "the bus is away, connecting again");
        }
        gauge!("maas_bus_connected", "role" => role).set(0.0);
        self.state.send_replace(State::Away(away));
    }
}

/// Between half of `pause` and the whole, so that many processes do not come back in step.
pub(super) fn jittered(pause: Duration) -> Duration {
    // Eight random bits of a UUID are random enough for this.
    let part = f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 512.0;
    pause.mul_f64(0.5 + part)
}
