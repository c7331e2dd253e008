//! Between our messages and AMQP properties.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable, ShortString};

use crate::message::{ExchangeName, Outgoing, Peeked, RoutingKey, carried};

/// What a message on the broker is for us.
pub(super) struct Incoming {
    pub(super) peeked: Peeked,
    pub(super) priority: u8,
    pub(super) tries: u32,
    /// Deliveries that the broker counted; classic queues count none.
    pub(super) abandoned: u32,
    pub(super) alone: bool,
    /// When its delay ends or ended, if it was delayed.
    pub(super) due: Option<DateTime<Utc>>,
}

/// The properties of a message to publish.
pub(super) fn properties(message: &Outgoing) -> BasicProperties {
    let mut headers = FieldTable::default();
    for (name, value) in &message.headers {
        headers.insert(
            name.as_str().into(),
            AMQPValue::LongString(value.as_str().into()),
        );
    }
    let properties = BasicProperties::default()
        .with_content_type("application/json".into())
        .with_content_encoding("utf-8".into())
        .with_delivery_mode(2)
        .with_priority(message.priority.min(9))
        .with_message_id(message.message_id.as_str().into());
    if message.headers.is_empty() {
        // As the Python system sends it.
        return properties;
    }
    properties.with_headers(headers)
}

/// Why these properties cannot be sent at all.
pub(super) fn refusal(message: &Outgoing) -> Option<String> {
    // AMQP 0-9-1, "short string".
    let too_long = |text: &str| text.len() > 255;
    if too_long(&message.message_id) {
        return Some("its message id is longer than 255 bytes".into());
    }
    let name = message.headers.keys().find(|name| too_long(name))?;
    Some(format!(
        "the header name `{name:.40}` is longer than 255 bytes"
    ))
}

/// Reads a message of the broker. Names that ours do not allow (another system's) become the default
/// exchange and the queue's name.
pub(super) fn incoming(
    exchange: &ShortString,
    routing_key: &ShortString,
    queue: &str,
    properties: &BasicProperties,
    body: Vec<u8>,
) -> Incoming {
    let table = properties.headers().as_ref();
    let mut headers = our_headers(table);
    if let Some(death) = table.and_then(broker_death) {
        headers.extend(death);
    }
    let abandoned = table
        .and_then(|table| table.inner().get("x-delivery-count"))
        .and_then(number)
        .unwrap_or_default();
    headers.remove(carried::TRIES);
    let alone = headers.remove(carried::ALONE).is_some();
    let due = headers
        .remove(carried::DUE)
        .and_then(|text| DateTime::from_timestamp_millis(text.parse().ok()?));
    let exchange =
        ExchangeName::new(exchange.as_str()).unwrap_or_else(|_| ExchangeName::default_exchange());
    let routing_key = RoutingKey::new(routing_key.as_str()).or_else(|_| RoutingKey::new(queue));
    let (exchange, routing_key) = match routing_key {
        Ok(key) => carried::take_origin(&mut headers, exchange, key),
        // Only a queue named like a pattern: its name cannot be a key.
        Err(_) => (exchange, RoutingKey::unknown()),
    };
    Incoming {
        peeked: Peeked {
            routing_key,
            exchange,
            body,
            headers,
        },
        priority: properties.priority().unwrap_or_default().min(9),
        tries: tries(properties),
        abandoned,
        alone,
        due,
    }
}

/// How many times the message was returned.
pub(super) fn tries(properties: &BasicProperties) -> u32 {
    let table = properties.headers().as_ref();
    let tries = table.and_then(|table| table.inner().get(carried::TRIES));
    tries
        .and_then(text)
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

fn our_headers(table: Option<&FieldTable>) -> BTreeMap<String, String> {
    let Some(table) = table else {
        return BTreeMap::new();
    };
    let ours = table
        .inner()
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-maas-"));
    ours.filter_map(|(name, value)| Some((name.to_string(), text(value)?)))
        .collect()
}

/// What the broker wrote when it gave a message up by itself; a delay that ended looks alike and is none.
fn broker_death(table: &FieldTable) -> Option<BTreeMap<String, String>> {
    let AMQPValue::FieldArray(deaths) = table.inner().get("x-death")? else {
        return None;
    };
    // The newest is first.
    let AMQPValue::FieldTable(death) = deaths.as_slice().first()? else {
        return None;
    };
    let field = |name: &str| death.inner().get(name).and_then(text);
    let reason = field("reason")?;
    if reason == "expired" {
        return None;
    }
    let keys = match death.inner().get("routing-keys") {
        Some(AMQPValue::FieldArray(keys)) => keys.as_slice().first().and_then(text),
        _ => None,
    };
    let queue = field("queue")?;
    let told = format!("the broker gave it up in `{queue}`: {reason}");
    let mut headers = BTreeMap::from([
        (carried::DEATH_QUEUE.to_owned(), queue),
        (carried::DEATH_REASON.to_owned(), told),
    ]);
    headers.extend(field("exchange").map(|exchange| (carried::EXCHANGE.to_owned(), exchange)));
    headers.extend(keys.map(|key| (carried::ROUTING_KEY.to_owned(), key)));
    Some(headers)
}

fn text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => String::from_utf8(text.as_bytes().to_vec()).ok(),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

fn number(value: &AMQPValue) -> Option<u32> {
    match *value {
        AMQPValue::LongLongInt(number) => u32::try_from(number).ok(),
        AMQPValue::LongInt(number) => u32::try_from(number).ok(),
        AMQPValue::LongUInt(number) => Some(number),
        AMQPValue::ShortInt(number) => u32::try_from(number).ok(),
        AMQPValue::ShortShortInt(number) => u32::try_from(number).ok(),
        AMQPValue::ShortShortUInt(number) => Some(number.into()),
        AMQPValue::ShortUInt(number) => Some(number.into()),
        _ => None,
    }
}
