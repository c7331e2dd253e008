//! Sends acknowledgements in bulk: one await for many, since each waits for lapin to write its frame.

use futures_util::future::join_all;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use lapin::{Acker, Channel};
use tokio::sync::{mpsc, oneshot, watch};

use crate::failpoint::{Failpoint, pass};

/// Settlements joined at most.
const BULK: usize = 512;

/// How a delivery is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settling {
    /// The broker may forget it.
    Ack,
    /// The broker delivers it again.
    GiveBack,
}

enum Request {
    Settle(Acker, Settling),
    Flush(oneshot::Sender<()>),
}

/// The task that settles for one channel. It never holds more than the channel's prefetch.
pub(super) struct Settler {
    requests: mpsc::UnboundedSender<Request>,
    ended: watch::Receiver<()>,
}

/// To wait for what was asked of a settler, also when its last user is gone meanwhile.
pub(super) struct SettlerWatch {
    requests: mpsc::WeakUnboundedSender<Request>,
    /// Closed when all is sent and no more can be asked.
    ended: watch::Receiver<()>,
}

impl Settler {
    /// The channel stays open until all is settled: dropping it closes it, and what was not yet sent
    /// would come again.
    pub(super) fn start(channel: Channel) -> Self {
        let (requests, receiver) = mpsc::unbounded_channel();
        let (ending, ended) = watch::channel(());
        tokio::spawn(async move {
            run(channel, receiver).await;
            drop(ending);
        });
        Self { requests, ended }
    }

    /// Settles soon. When the channel is gone the message comes again; that is no error.
    pub(super) fn settle(&self, acker: Acker, how: Settling) {
        let _ = self.requests.send(Request::Settle(acker, how));
    }

    pub(super) fn watch(&self) -> SettlerWatch {
        SettlerWatch {
            requests: self.requests.downgrade(),
            ended: self.ended.clone(),
        }
    }
}

impl SettlerWatch {
    /// Whether something may not be sent yet.
    pub(super) fn is_alive(&self) -> bool {
        self.ended.has_changed().is_ok()
    }

    /// Waits until everything asked so far is sent.
    pub(super) async fn flush(&self) {
        let (done, sent) = oneshot::channel();
        if let Some(requests) = self.requests.upgrade() {
            let _ = requests.send(Request::Flush(done));
            drop(requests);
            let _ = sent.await;
        } else {
            // It ends by itself when the last is sent: its channel would be closed under it otherwise.
            let _ = self.ended.clone().changed().await;
        }
    }
}

async fn run(channel: Channel, mut requests: mpsc::UnboundedReceiver<Request>) {
    let mut bulk = Vec::with_capacity(BULK);
    while requests.recv_many(&mut bulk, BULK).await > 0 {
        let mut flushes = Vec::new();
        let settlements = bulk.drain(..).filter_map(|request| match request {
            Request::Settle(acker, how) => Some(settle(acker, how)),
            Request::Flush(done) => {
                flushes.push(done);
                None
            }
        });
        let settlements: Vec<_> = settlements.collect();
        pass(Failpoint::BusSettling);
        join_all(settlements).await;
        pass(Failpoint::BusSettled);
        for done in flushes {
            let _ = done.send(());
        }
    }
    drop(channel);
}

async fn settle(acker: Acker, how: Settling) {
    let result = match how {
        Settling::Ack => acker.ack(BasicAckOptions { multiple: false }).await,
        Settling::GiveBack => {
            acker
                .nack(BasicNackOptions {
                    multiple: false,
                    requeue: true,
                })
                .await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "not settled, the message comes again");
    }
}
