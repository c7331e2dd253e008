//! One message to work on, wherever it came from.

use std::collections::BTreeMap;

use maas_model::message::{Delivery, ExchangeName, QueueName, RoutingKey};

/// What the pool needs to know of a delivery; also made by hand for a single run without a bus.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// The queue whose engines run.
    pub queue: &'a QueueName,
    /// Where it had been published to.
    pub exchange: &'a ExchangeName,
    /// The key it had been published with.
    pub routing_key: &'a RoutingKey,
    /// JSON text.
    pub body: &'a [u8],
    /// 0 to 9; its reports get the same.
    pub priority: u8,
    /// The `x-maas-` properties.
    pub headers: &'a BTreeMap<String, String>,
    /// Whether somebody may have begun the work.
    pub redelivered: bool,
    /// How many times it was tried before.
    pub tries: u32,
}

impl Work<'_> {
    /// Whether an earlier run may have left something behind.
    pub(crate) fn is_suspect(&self) -> bool {
        self.redelivered || self.tries > 0
    }
}

impl<'a> From<&'a Delivery> for Work<'a> {
    fn from(delivery: &'a Delivery) -> Self {
        Self {
            queue: &delivery.queue,
            exchange: &delivery.exchange,
            routing_key: &delivery.routing_key,
            body: &delivery.body,
            priority: delivery.priority,
            headers: &delivery.headers,
            redelivered: delivery.redelivered,
            tries: delivery.tries,
        }
    }
}
