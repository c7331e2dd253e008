//! The messages of one queue as the writer claims them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::lease::Lease;
use super::message::Claimed;
use super::request::{GiveBack, Request};
use crate::message::{Delivery, QueueName, Subscription};

/// Receives what was claimed for it; what it never handed out goes back uncounted.
pub(super) struct EmbeddedSubscription {
    pub(super) number: i64,
    pub(super) queue: QueueName,
    pub(super) unsettled: Arc<AtomicUsize>,
    pub(super) messages: mpsc::Receiver<Claimed>,
    pub(super) requests: Sender<Request>,
    pub(super) closed: Arc<AtomicBool>,
}

#[async_trait]
impl Subscription for EmbeddedSubscription {
    async fn next(&mut self) -> Option<Delivery> {
        let message = self.messages.recv().await?;
        if self.closed.load(Ordering::Acquire) {
            return None;
        }
        let lease = Lease::new(
            message.id,
            Arc::clone(&self.unsettled),
            self.requests.clone(),
        );
        let delivery = Delivery::new(
            self.queue.clone(),
            message.exchange,
            message.routing_key,
            message.body,
            message.priority,
            message.headers,
            message.redelivered,
            message.tries,
            Box::new(lease),
        );
        Some(delivery.suspected(message.abandoned, message.alone))
    }
}

impl Drop for EmbeddedSubscription {
    fn drop(&mut self) {
        // First no more may come, then what came goes back.
        self.messages.close();
        let _ = self.requests.send(Request::Unsubscribe(self.number));
        while let Ok(message) = self.messages.try_recv() {
            let unsettled = Arc::clone(&self.unsettled);
            let back = GiveBack {
                id: message.id,
                seen: false,
                unsettled,
            };
            let _ = self.requests.send(Request::GiveBack(back));
        }
    }
}
