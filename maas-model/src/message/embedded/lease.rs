//! One message in hand: settled through the writer, given back when it is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::job::{Desk, job};
use super::message;
use super::request::{Ack, GiveBack, Request};
use super::schema;
use crate::message::{BusError, DeadReason, Part, Settle};

/// The right to settle one message, once.
pub(super) struct Lease {
    id: i64,
    unsettled: Arc<AtomicUsize>,
    requests: Sender<Request>,
    settled: bool,
}

impl Lease {
    pub(super) fn new(id: i64, unsettled: Arc<AtomicUsize>, requests: Sender<Request>) -> Self {
        Self {
            id,
            unsettled,
            requests,
            settled: false,
        }
    }

    /// Asks the writer and waits until it is on disk. Nothing here waits before the request is sent, so a
    /// caller that is cancelled has either settled the message or still holds this lease.
    async fn settle(
        mut self,
        work: impl FnOnce(&Desk, i64) -> rusqlite::Result<()> + Send + 'static,
    ) -> Result<(), BusError> {
        let (reply, answer) = oneshot::channel();
        let (id, unsettled) = (self.id, Arc::clone(&self.unsettled));
        // Room is made inside of the transaction, so that the same one claims the next message.
        let work = move |desk: &mut Desk| {
            work(desk, id).map_err(|source| schema::error(&desk.file, source))?;
            unsettled.fetch_sub(1, Ordering::AcqRel);
            Ok(())
        };
        self.requests
            .send(Request::Job(job(work, reply)))
            .map_err(|_| BusError::Closed)?;
        self.settled = true;
        answer.await.unwrap_or(Err(BusError::Closed))
    }
}

#[async_trait]
impl Settle for Lease {
    /// Does not wait for the disk: an acknowledgement that is lost only brings the message again. No more
    /// than a prefetch of them can wait in the channel, as the writer alone makes room for further messages.
    async fn ack(mut self: Box<Self>) -> Result<(), BusError> {
        let ack = Ack {
            id: self.id,
            unsettled: Arc::clone(&self.unsettled),
        };
        self.requests
            .send(Request::Ack(ack))
            .map_err(|_| BusError::Closed)?;
        self.settled = true;
        Ok(())
    }

    async fn return_after(self: Box<Self>, delay: Duration) -> Result<(), BusError> {
        self.settle(move |desk, id| {
            message::delay(&desk.connection, id, desk.holder.token(), delay)
        })
        .await
    }

    async fn replace(self: Box<Self>, parts: Vec<Part>) -> Result<(), BusError> {
        self.settle(move |desk, id| {
            message::replace(&desk.connection, id, desk.holder.token(), &parts)
        })
        .await
    }

    async fn dead_letter(self: Box<Self>, reason: DeadReason) -> Result<(), BusError> {
        self.settle(move |desk, id| {
            message::bury(&desk.connection, id, desk.holder.token(), reason)
        })
        .await
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if !self.settled {
            let unsettled = Arc::clone(&self.unsettled);
            let back = GiveBack {
                id: self.id,
                seen: true,
                unsettled,
            };
            // A closed bus has given it back already.
            let _ = self.requests.send(Request::GiveBack(back));
        }
    }
}
