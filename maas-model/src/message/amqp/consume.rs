//! Subscriptions: one channel each, begun again whenever it breaks.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};
use lapin::Consumer;
use lapin::message::Delivery as Frame;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::hand::{Grip, Hands, Meeting, Tag};
use super::lease::{Lease, Original};
use super::link::{Link, jittered};
use super::session::Session;
use super::settle::Settling;
use super::shared::Shared;
use super::wire;
use crate::message::{Delivery, QueueName, Subscription};

/// Shortest and longest pause before a broken subscription begins again; the real pause is a random part of it.
/// It grows only while each attempt costs the other queues their connection.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// A message as it came, with the channel that must settle it.
pub(super) struct Arrived {
    frame: Frame,
    session: Arc<Session>,
}

/// Receives from the task of [`run`].
pub(super) struct AmqpSubscription {
    pub(super) queue: QueueName,
    pub(super) arrived: mpsc::Receiver<Arrived>,
    pub(super) bus: Arc<Shared>,
}

#[async_trait]
impl Subscription for AmqpSubscription {
    async fn next(&mut self) -> Option<Delivery> {
        loop {
            let Arrived { frame, session } = self.arrived.recv().await?;
            if self.bus.is_closed() {
                return None;
            }
            // Of a channel that is gone: it will come again.
            if !frame.acker.usable() {
                continue;
            }
            return Some(self.delivery(frame, session));
        }
    }
}

impl AmqpSubscription {
    fn delivery(&self, frame: Frame, session: Arc<Session>) -> Delivery {
        let queue = self.queue.as_str();
        let tag = Tag::of(&self.queue, &frame);
        let Frame {
            exchange,
            routing_key,
            redelivered,
            properties,
            data,
            acker,
            ..
        } = frame;
        let message_id = properties.message_id().as_ref().map(ToString::to_string);
        let incoming = wire::incoming(&exchange, &routing_key, queue, &properties, data);
        let peeked = incoming.peeked;
        let lease = Lease::new(
            Arc::clone(&self.bus),
            self.bus.hands.take(tag, Grip { acker, session }),
            Original {
                queue: self.queue.clone(),
                exchange: peeked.exchange.clone(),
                routing_key: peeked.routing_key.clone(),
                // A copy: the worker may do with the delivery's own body what it likes.
                body: peeked.body.clone(),
                message_id: message_id.unwrap_or_default(),
                priority: incoming.priority,
                headers: peeked.headers.clone(),
                tries: incoming.tries,
                alone: incoming.alone,
            },
        );
        Delivery::new(
            self.queue.clone(),
            peeked.exchange,
            peeked.routing_key,
            peeked.body,
            incoming.priority,
            peeked.headers,
            redelivered || incoming.tries > 0,
            incoming.tries,
            Box::new(lease),
        )
        .suspected(incoming.abandoned.max(redelivered.into()), incoming.alone)
    }
}

impl Drop for AmqpSubscription {
    fn drop(&mut self) {
        // First no more may come, then what came and was never handed out goes back.
        self.arrived.close();
        while let Ok(Arrived { frame, session }) = self.arrived.try_recv() {
            session.settle(frame.acker, Settling::GiveBack);
        }
    }
}

/// Why a channel is no longer consumed from.
enum Ended {
    /// The subscription was dropped.
    Dropped,
    /// It broke, or the broker cancelled it (queue deleted, node gone).
    Broken(String),
}

/// Consumes until the subscription is dropped or the bus closed.
pub(super) async fn run(
    mut link: Link,
    bus: Arc<Shared>,
    queue: QueueName,
    prefetch: u16,
    arrived: mpsc::Sender<Arrived>,
) {
    let mut said = false;
    let mut pause = PAUSE.0;
    loop {
        let begun = tokio::select! {
            begun = Session::begin(&mut link, &queue, prefetch, &bus) => begun,
            () = arrived.closed() => return,
        };
        let reason = match begun {
            None => return,
            Some(Ok((consumer, session))) => {
                pause = PAUSE.0;
                if std::mem::take(&mut said) {
                    tracing::info!(%queue, "receiving again");
                }
                match consume(consumer, session, &queue, &bus.hands, &arrived).await {
                    Ended::Dropped => return,
                    Ended::Broken(reason) => reason,
                }
            }
            Some(Err(failure)) => {
                if failure.hurts_others {
                    pause = (pause * 2).min(PAUSE.1);
                    tell_suspect(&queue, pause, &failure.reason);
                }
                failure.reason
            }
        };
        if !std::mem::replace(&mut said, true) {
            tracing::warn!(%queue, reason, "receiving stopped, beginning again");
        }
        tokio::select! {
            () = sleep(jittered(pause)) => {}
            () = arrived.closed() => return,
        }
        bus.declare_again(&queue).await;
    }
}

/// Once, at the third time in a row: a connection may also end by chance just then.
fn tell_suspect(queue: &QueueName, pause: Duration, reason: &str) {
    if pause == PAUSE.0 * 8 {
        tracing::error!(
            %queue,
            reason,
            "the broker ends the whole connection, or does not answer, whenever this queue is to be received from. \
             Its log tells why; a queue that it cannot start is made anew when `rabbitmqctl delete_queue` removed it"
        );
    }
}

async fn consume(
    mut consumer: Consumer,
    session: Arc<Session>,
    queue: &QueueName,
    hands: &Hands,
    arrived: &mpsc::Sender<Arrived>,
) -> Ended {
    loop {
        let frame = tokio::select! {
            frame = consumer.next() => frame,
            () = arrived.closed() => {
                give_back_rest(consumer, &session).await;
                return Ended::Dropped;
            }
        };
        match frame {
            Some(Ok(frame)) => {
                if is_known(hands, queue, &frame, &session) {
                    continue;
                }
                let message = Arrived {
                    frame,
                    session: Arc::clone(&session),
                };
                // There is room for a whole prefetch; a few of a channel that broke may still be there.
                if let Err(unsent) = arrived.send(message).await {
                    session.settle(unsent.0.frame.acker, Settling::GiveBack);
                }
            }
            Some(Err(error)) => return Ended::Broken(error.to_string()),
            None => return Ended::Broken("the broker cancelled the subscription".into()),
        }
    }
}

/// Whether this process has it in hand, or has done it; then nothing is left to do here.
fn is_known(hands: &Hands, queue: &QueueName, frame: &Frame, session: &Arc<Session>) -> bool {
    let Some(tag) = Tag::of(queue, frame).filter(|_| frame.redelivered) else {
        return false;
    };
    let grip = Grip {
        acker: frame.acker.clone(),
        session: Arc::clone(session),
    };
    match hands.meet(&tag, grip) {
        Meeting::New => return false,
        Meeting::InHand => tracing::debug!(%queue, tag.message_id, "came again while in hand"),
        Meeting::Done(grip) => {
            tracing::debug!(%queue, tag.message_id, "came again and is done");
            grip.settle(Settling::Ack);
        }
    }
    true
}

/// Cancels, and gives back what had been delivered already.
async fn give_back_rest(mut consumer: Consumer, session: &Session) {
    session.cancel(consumer.tag()).await;
    while let Some(Some(Ok(frame))) = consumer.next().now_or_never() {
        session.settle(frame.acker, Settling::GiveBack);
    }
}
