//! Waits for one request and lets its answer never arrive.

use tokio::sync::oneshot;

/// Tells whether these bytes, as read from the client in one go, begin the request that is meant.
pub(super) type Meant = Box<dyn Fn(&[u8]) -> bool + Send>;

/// What happens to the request that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// It does not reach the server.
    Request,
    /// The server executes it, and its answer does not reach the client.
    Answer,
}

/// Set until one request matches.
pub(super) struct Trap {
    pub(super) meant: Meant,
    pub(super) loss: Loss,
    pub(super) sprung: oneshot::Sender<()>,
}

/// Tells when a trap has done its work.
#[derive(Debug)]
pub struct Sprung(pub(super) oneshot::Receiver<()>);

impl Sprung {
    /// Returns when the request was lost, or executed and its answer lost; the link is cut by then.
    /// `false` when that will never be: another trap was set, or the link ended before.
    pub async fn wait(self) -> bool {
        self.0.await.is_ok()
    }

    /// Whether it has happened already.
    pub fn is_sprung(&mut self) -> bool {
        self.0.try_recv().is_ok()
    }
}
