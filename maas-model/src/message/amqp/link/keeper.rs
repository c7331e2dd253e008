//! The task behind a link: connects, watches, tells how it is, begins again.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{AsyncTcpStream, Connection, ConnectionProperties, Event};
use metrics::gauge;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::state::{Away, State};
use super::{Door, Role};
use crate::message::amqp::line::Line;
use crate::message::amqp::topology::Declared;

/// Longest wait for one attempt to connect: lapin itself would wait for ever.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest wait for the broker's word at the end. With channels that are just being closed lapin sometimes
/// finds its connection in error and waits for ever; all that was to be sent is sent before.
const GOODBYE: Duration = Duration::from_secs(2);
/// First and longest pause between attempts; the real pause is a random part of it.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// How often a connection is looked at whose end was not announced by an event.
const LOOK: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Keeper {
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
    /// One that has not begun.
    pub(super) fn new(
        role: Role,
        door: Door,
        declared: Arc<Declared>,
        state: watch::Sender<State>,
    ) -> Self {
        Self {
            role,
            door,
            declared,
            state,
            said: false,
            met: false,
        }
    }

    pub(super) async fn run(mut self, mut closed: watch::Receiver<bool>) {
        tokio::select! {
            () = self.keep() => {}
            _ = closed.wait_for(|closed| *closed) => {}
        }
        let closed = State::Away(Away::Lost("closed".into()));
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
                    self.away(Away::Lost(reason));
                }
                Ok(Err(error)) => self.away(Away::of(&error)),
                Err(_) => {
                    line.hang_up();
                    self.away(Away::NotYet("no answer in time".into()));
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
            away = Away::Lost(away.reason().to_owned());
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
pub(in crate::message::amqp) fn jittered(pause: Duration) -> Duration {
    // Eight random bits of a UUID are random enough for this.
    let part = f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 512.0;
    pause.mul_f64(0.5 + part)
}
