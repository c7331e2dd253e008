//! Sends acknowledgements in bulk: one await for many, since each waits for lapin to write its frame.

use futures_util::future::join_all;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use lapin::{Acker, Channel};
use tokio::sync::{mpsc, oneshot};

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
pub(super) struct Settler(mpsc::UnboundedSender<Request>);

/// To wait for what was asked of a settler.
pub(super) struct SettlerWatch(mpsc::WeakUnboundedSender<Request>);

impl Settler {
    /// The channel stays open until all is settled: dropping it closes it, and what was not yet sent
    /// would come again.
    pub(super) fn start(channel: Channel) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(run(channel, receiver));
        Self(sender)
    }

    /// Settles soon. When the channel is gone the message comes again; that is no error.
    pub(super) fn settle(&self, acker: Acker, how: Settling) {
        let _ = self.0.send(Request::Settle(acker, how));
    }

    pub(super) fn watch(&self) -> SettlerWatch {
        SettlerWatch(self.0.downgrade())
    }
}

impl SettlerWatch {
    /// Whether it can still be asked for anything.
    pub(super) fn is_alive(&self) -> bool {
        self.0.strong_count() > 0
    }

    /// Waits until everything asked so far is sent.
    pub(super) async fn flush(&self) {
        let (done, sent) = oneshot::channel();
        if let Some(sender) = self.0.upgrade() {
            let _ = sender.send(Request::Flush(done));
        } else {
            return;
        }
        let _ = sent.await;
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
