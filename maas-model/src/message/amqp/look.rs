//! Looking at queues: depth, first messages, emptying.

use lapin::options::{BasicGetOptions, BasicNackOptions, QueueDeclareOptions, QueuePurgeOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, Queue};

use super::error::{Meaning, about, meaning};
use super::topology::delay_queues;
use super::wire::{self, Incoming};
use crate::message::{BusError, Delayed, Peeked, QueueInfo, QueueName};

/// A channel for looking. Asking for a queue that does not exist closes it.
pub(super) struct Looker<'a> {
    connection: &'a Connection,
    endpoint: &'a str,
}

impl<'a> Looker<'a> {
    pub(super) fn new(connection: &'a Connection, endpoint: &'a str) -> Self {
        Self {
            connection,
            endpoint,
        }
    }

    async fn channel(&self) -> Result<Channel, BusError> {
        self.connection
            .create_channel()
            .await
            .map_err(|error| about(self.endpoint, "", &error))
    }

    /// An error when the queue does not exist.
    pub(super) async fn exists(&self, queue: &QueueName) -> Result<(), BusError> {
        let channel = self.channel().await?;
        passive(&channel, queue)
            .await
            .map(|_| ())
            .map_err(|error| about(self.endpoint, queue.as_str(), &error))
    }

    /// What the broker tells of those queues that exist.
    pub(super) async fn infos(&self, names: &[QueueName]) -> Result<Vec<QueueInfo>, BusError> {
        let mut channel = self.channel().await?;
        let mut infos = Vec::with_capacity(names.len());
        for name in names {
            match passive(&channel, name).await {
                Ok(queue) => infos.push(QueueInfo {
                    name: name.clone(),
                    ready: queue.message_count().into(),
                    unsettled: None,
                    delayed: 0,
                    consumers: queue.consumer_count().into(),
                    oldest: None,
                }),
                Err(error) if matches!(meaning(&error), Meaning::Missing(_)) => {
                    channel = self.channel().await?;
                }
                Err(error) => return Err(about(self.endpoint, name.as_str(), &error)),
            }
        }
        Ok(infos)
    }

    /// The first messages.
    pub(super) async fn peek(
        &self,
        queue: &QueueName,
        limit: usize,
    ) -> Result<Vec<Peeked>, BusError> {
        let messages = self.messages(queue, limit).await;
        let messages = messages.map_err(|error| about(self.endpoint, queue.as_str(), &error))?;
        Ok(messages
            .into_iter()
            .map(|(_, message)| message.peeked)
            .collect())
    }

    /// What waits in the delay queues, the next one first, then those of which that is not known.
    pub(super) async fn delayed(&self, limit: usize) -> Result<Vec<Delayed>, BusError> {
        let mut delayed = Vec::new();
        for queue in delay_queues() {
            let messages = match self.messages(&queue, limit).await {
                Err(error) if matches!(meaning(&error), Meaning::Missing(_)) => continue,
                messages => {
                    messages.map_err(|error| about(self.endpoint, queue.as_str(), &error))?
                }
            };
            delayed.extend(messages.into_iter().filter_map(|(key, message)| {
                Some(Delayed {
                    queue: QueueName::new(key).ok()?,
                    due: message.due,
                    message: message.peeked,
                })
            }));
        }
        delayed.sort_by_key(|message| (message.due.is_none(), message.due));
        delayed.truncate(limit);
        Ok(delayed)
    }

    /// Takes the first messages, each with the key that it lies in this queue by, without settling them, and gives
    /// them back in one go.
    async fn messages(
        &self,
        queue: &QueueName,
        limit: usize,
    ) -> lapin::Result<Vec<(String, Incoming)>> {
        let channel = self.connection.create_channel().await?;
        let mut messages = Vec::new();
        let mut last = None;
        while messages.len() < limit {
            let options = BasicGetOptions { no_ack: false };
            let got = channel.basic_get(queue.as_str().into(), options).await?;
            let Some(message) = got else { break };
            let frame = message.delivery;
            last = Some(frame.delivery_tag);
            let (exchange, key) = (&frame.exchange, &frame.routing_key);
            let name = queue.as_str();
            let incoming = wire::incoming(exchange, key, name, &frame.properties, frame.data);
            messages.push((frame.routing_key.to_string(), incoming));
        }
        if let Some(last) = last {
            let options = BasicNackOptions {
                multiple: true,
                requeue: true,
            };
            channel.basic_nack(last, options).await?;
        }
        Ok(messages)
    }

    /// Removes what waits.
    pub(super) async fn purge(&self, queue: &QueueName) -> Result<u64, BusError> {
        let channel = self.channel().await?;
        let purged = channel
            .queue_purge(queue.as_str().into(), QueuePurgeOptions::default())
            .await;
        purged
            .map(u64::from)
            .map_err(|error| about(self.endpoint, queue.as_str(), &error))
    }
}

async fn passive(channel: &Channel, queue: &QueueName) -> lapin::Result<Queue> {
    let options = QueueDeclareOptions {
        passive: true,
        ..QueueDeclareOptions::default()
    };
    channel
        .queue_declare(queue.as_str().into(), options, FieldTable::default())
        .await
}
