//! A TCP proxy in front of any server, to hurt the way between: cut, refuse, delay, narrow, freeze, half-open,
//! vanish, and lose the answer of a request that was executed.
//!
//! Everything is set on the [`Proxy`] while it runs, from any task. Nothing here knows a protocol, so it
//! stands in front of a broker or a store, with TLS or without.

mod control;
mod link;
mod rules;
#[cfg(test)]
mod tests;
mod trap;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

use self::control::Control;
use self::link::Link;
pub use self::rules::Way;
pub use self::trap::{Loss, Sprung};

/// Listens on a port of its own until it is dropped; then all its links are cut.
pub struct Proxy {
    url: String,
    control: Arc<Control>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// Stands in front of the server of a URL with a port; the server need not run yet.
    pub async fn in_front_of(url: &str) -> Result<Self> {
        let mut url = Url::parse(url).context("the URL of the server")?;
        let host = url.host_str().context("the server has no host")?.to_owned();
        let port = url.port_or_known_default();
        let target = format!("{host}:{}", port.context("the server has no port")?);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        // A `localhost` stays one: certificates are made out to names.
        if url.set_port(Some(listener.local_addr()?.port())).is_err() {
            anyhow::bail!("the URL of the server takes no port");
        }
        let control = Arc::<Control>::default();
        let listening = tokio::spawn(listen(listener, target, Arc::clone(&control)));
        Ok(Self {
            url: url.as_str().trim_end_matches('/').to_owned(),
            control,
            listening,
        })
    }

    /// The URL of the server through this proxy, with user, password and path as they were.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many links are open.
    pub fn links(&self) -> usize {
        self.control.links().len()
    }

    /// How many links were made so far.
    pub fn made(&self) -> usize {
        self.control.made()
    }

    /// Ends all links that are open. New ones can be made.
    pub fn cut(&self) {
        for link in self.control.links() {
            link.cut();
        }
    }

    /// Whether new links are closed as soon as they are made.
    pub fn refuse(&self, refuse: bool) {
        self.control.change(|rules| rules.refuse = refuse);
    }

    /// What is sent from now on arrives so much later, each way.
    pub fn delay(&self, delay: Duration) {
        self.control.change(|rules| rules.delay = delay);
    }

    /// How many bytes each link forwards in a second, each way; `None` for as many as come.
    pub fn narrow(&self, bytes_per_second: Option<u32>) {
        self.control
            .change(|rules| rules.bytes_per_second = bytes_per_second);
    }

    /// Forwards nothing on any link, new ones too, until [`thaw`](Self::thaw). Nothing is lost: what
    /// waits goes on then.
    pub fn freeze(&self) {
        self.control.change(|rules| rules.frozen = true);
    }

    /// Ends a [`freeze`](Self::freeze).
    pub fn thaw(&self) {
        self.control.change(|rules| rules.frozen = false);
    }

    /// The links that are open now keep their sockets and forward nothing any more. New ones work.
    pub fn half_open(&self) {
        for link in self.control.links() {
            link.fate.send_modify(|fate| fate.half_open = true);
        }
    }

    /// What goes this way on the links that are open now is taken and vanishes. New ones work.
    ///
    /// With [`Way::ToClient`] a broker goes on to receive and to execute what nobody hears of.
    pub fn vanish(&self, way: Way) {
        for link in self.control.links() {
            link.fate
                .send_modify(|fate| fate.vanishing[way as usize] = true);
        }
    }

    /// Loses the next request whose first bytes are `meant`, or its answer once the server has begun to
    /// give it (so the request was executed), and cuts its link. Replaces an earlier trap.
    ///
    /// For protocols with one request at a time on a link, as HTTP/1.1 is spoken by all our clients.
    pub fn lose(&self, loss: Loss, meant: impl Fn(&[u8]) -> bool + Send + 'static) -> Sprung {
        self.control.set_trap(loss, meant)
    }

    /// [`lose`](Self::lose) for an HTTP request whose first line holds this text: `POST /_bulk`.
    pub fn lose_http(&self, loss: Loss, line: &str) -> Sprung {
        let line = line.to_owned();
        self.lose(loss, move |bytes| {
            let first = bytes.split(|byte| *byte == b'\n').next();
            String::from_utf8_lossy(first.unwrap_or_default()).contains(&line)
        })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listening.abort();
        self.cut();
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("links", &self.links())
            .field("rules", &self.control.rules())
            .finish_non_exhaustive()
    }
}

async fn listen(listener: TcpListener, target: String, control: Arc<Control>) {
    // A failed accept (no descriptor left) concerns one client, which sees its link end.
    loop {
        let Ok((client, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        if !control.rules().refuse {
            tokio::spawn(connect(client, target.clone(), Arc::clone(&control)));
        }
    }
}

async fn connect(client: TcpStream, target: String, control: Arc<Control>) {
    let link = Link::new();
    // Known from the start, so that a cut reaches it while the server is still connected to.
    control.keep(&link);
    let mut fate = link.fate.subscribe();
    let server = tokio::select! {
        server = TcpStream::connect(target) => server,
        _ = fate.wait_for(|fate| fate.cut) => return,
    };
    // A server that is away: the client's link ends, as it would without us.
    if let Ok(server) = server {
        link::run(link, control, client, server).await;
    }
}
