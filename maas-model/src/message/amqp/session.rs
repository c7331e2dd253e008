//! One channel of a subscription, and how it begins.

use std::sync::Arc;
use std::time::Duration;

use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Acker, Channel, Connection, Consumer};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::link::Link;
use super::settle::{Settler, Settling};
use super::shared::Shared;
use crate::message::QueueName;

/// Longest wait for the broker's answers while a session begins: the other subscriptions wait with it.
const BEGIN: Duration = Duration::from_secs(10);

/// Lives until its last delivery is settled: closing the channel gives back all that it delivered.
pub(super) struct Session {
    channel: Channel,
    settler: Settler,
}

impl Session {
    /// Begins when it is this one's turn and the link is up; `None` when the bus was closed.
    pub(super) async fn begin(
        link: &mut Link,
        queue: &QueueName,
        prefetch: u16,
        bus: &Shared,
    ) -> Option<Result<(Consumer, Arc<Self>), Failure>> {
        let _turn = bus.turn.lock().await;
        let connection = link.up().await?;
        if !connection.status().connected() {
            // The link does not know yet, and this queue has nothing to do with it.
            return Some(Err(Failure::of("the connection ended", false)));
        }
        let begun = timeout(BEGIN, Self::on(&connection, queue, prefetch)).await;
        Some(match begun {
            Ok(Ok((consumer, session))) => {
                bus.watch_settler(&session.settler);
                Ok((consumer, Arc::new(session)))
            }
            Ok(Err(error)) => {
                let took_all = !connection.status().connected();
                Err(Failure::of(&error.to_string(), took_all))
            }
            Err(_) => Err(Failure::of("the broker does not answer", true)),
        })
    }

    async fn on(
        connection: &Connection,
        queue: &QueueName,
        prefetch: u16,
    ) -> lapin::Result<(Consumer, Self)> {
        let channel = connection.create_channel().await?;
        channel
            .basic_qos(prefetch, BasicQosOptions { global: false })
            .await?;
        let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
        let consumer = channel
            .basic_consume(queue.as_str().into(), "".into(), options, arguments)
            .await?;
        let settler = Settler::start(channel.clone());
        Ok((consumer, Self { channel, settler }))
    }

    pub(super) fn settle(&self, acker: Acker, how: Settling) {
        self.settler.settle(acker, how);
    }

    /// Asks for no more. When it cannot be sent the channel is gone, and with it what it delivered.
    pub(super) async fn cancel(&self, consumer: ShortString) {
        let options = BasicCancelOptions { nowait: false };
        let _ = self.channel.basic_cancel(consumer, options).await;
    }
}

/// Sessions begin one at a time: of a connection that the broker ends because of one queue (it cannot start
/// it: INTERNAL_ERROR) only that queue's session failed.
pub(super) type Turn = Mutex<()>;

/// Why a session did not begin.
pub(super) struct Failure {
    pub(super) reason: String,
    /// The other queues suffer with each attempt.
    pub(super) hurts_others: bool,
}

impl Failure {
    fn of(reason: &str, hurts_others: bool) -> Self {
        let reason = reason.to_owned();
        Self {
            reason,
            hurts_others,
        }
    }
}
