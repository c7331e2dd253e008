//! One link through the proxy: two pumps, one each way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::control::Control;
use super::rules::{Fate, Way};
use super::trap::Loss;

/// Bytes forwarded at a time.
const CHUNK: usize = 16 * 1024;
/// Chunks that are on their way at most when they are delayed.
const ON_THE_WAY: usize = 64;

/// Bytes that arrive later.
struct Chunk {
    bytes: Vec<u8>,
    arrives: Instant,
}

/// Both ends of one link know it.
pub(super) struct Link {
    pub(super) fate: watch::Sender<Fate>,
    /// Set while a trapped request is on its way: the first byte of its answer springs the trap.
    trapped: Mutex<Option<oneshot::Sender<()>>>,
}

impl Link {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            fate: watch::Sender::default(),
            trapped: Mutex::default(),
        })
    }

    pub(super) fn cut(&self) {
        self.fate.send_modify(|fate| fate.cut = true);
    }

    fn trapped(&self) -> std::sync::MutexGuard<'_, Option<oneshot::Sender<()>>> {
        self.trapped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forwards both ways until both ended or the link is cut.
pub(super) async fn run(
    link: Arc<Link>,
    control: Arc<Control>,
    client: TcpStream,
    server: TcpStream,
) {
    // What the two sides meant to send at once shall go at once.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let pump = |way| Pump {
        way,
        link: Arc::clone(&link),
        control: Arc::clone(&control),
    };
    let mut fate = link.fate.subscribe();
    tokio::select! {
        _ = fate.wait_for(|fate| fate.cut) => {}
        _ = async { tokio::join!(
            pump(Way::ToServer).run(from_client, to_server),
            pump(Way::ToClient).run(from_server, to_client),
        ) } => {}
    }
}

/// Forwards one way.
struct Pump {
    way: Way,
    link: Arc<Link>,
    control: Arc<Control>,
}

impl Pump {
    async fn run(self, from: OwnedReadHalf, to: OwnedWriteHalf) {
        let (sender, receiver) = mpsc::channel(ON_THE_WAY);
        tokio::join!(self.take(from, sender), self.bring(receiver, to));
    }

    async fn take(&self, mut from: OwnedReadHalf, chunks: mpsc::Sender<Chunk>) {
        let mut buffer = vec![0; CHUNK];
        loop {
            self.flowing().await;
            let read = from.read(&mut buffer).await.unwrap_or(0);
            if read == 0 {
                return;
            }
            let bytes = &buffer[..read];
            if self.link.fate.borrow().vanishes(self.way) {
                continue;
            }
            if self.is_lost(bytes) {
                self.link.cut();
                return;
            }
            let chunk = Chunk {
                bytes: bytes.to_vec(),
                arrives: Instant::now() + self.control.rules().delay,
            };
            if chunks.send(chunk).await.is_err() {
                return;
            }
        }
    }

    async fn bring(&self, mut chunks: mpsc::Receiver<Chunk>, mut to: OwnedWriteHalf) {
        while let Some(chunk) = chunks.recv().await {
            sleep_until(chunk.arrives).await;
            for part in chunk.bytes.chunks(self.part()) {
                self.flowing().await;
                if self.link.fate.borrow().vanishes(self.way) {
                    break;
                }
                if to.write_all(part).await.is_err() {
                    // The reader must learn it too, or it would read on for nobody.
                    self.link.cut();
                    return;
                }
                sleep(self.pause(part.len())).await;
            }
        }
        // The end of the stream is forwarded like its bytes.
        let _ = to.shutdown().await;
    }

    /// Returns when something may be forwarded.
    async fn flowing(&self) {
        let mut fate = self.link.fate.subscribe();
        // Neither can fail: the control and the link own the senders.
        let _ = fate.wait_for(|fate| !fate.half_open).await;
        let _ = self.control.thawed().await;
    }

    /// Whether a trap says that these bytes go no further, and the link neither.
    fn is_lost(&self, bytes: &[u8]) -> bool {
        match self.way {
            Way::ToServer => match self.control.spring(bytes) {
                Some((Loss::Request, sprung)) => {
                    let _ = sprung.send(());
                    true
                }
                Some((Loss::Answer, sprung)) => {
                    *self.link.trapped() = Some(sprung);
                    false
                }
                None => false,
            },
            Way::ToClient => match self.link.trapped().take() {
                Some(sprung) => {
                    let _ = sprung.send(());
                    true
                }
                None => false,
            },
        }
    }

    /// How many bytes go at once: a tenth of a second's worth when the rate is limited.
    fn part(&self) -> usize {
        match self.control.rules().bytes_per_second {
            Some(rate) => (rate as usize / 10).clamp(1, CHUNK),
            None => CHUNK,
        }
    }

    fn pause(&self, bytes: usize) -> Duration {
        match self.control.rules().bytes_per_second {
            Some(rate) => Duration::from_secs_f64(bytes as f64 / f64::from(rate.max(1))),
            None => Duration::ZERO,
        }
    }
}
