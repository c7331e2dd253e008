//! What waits in queues, left where it is.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use maas_model::document::zulu;
use maas_model::message::{MessageBus, Peeked, QueueName};
use serde_json::{Value, json};

use crate::program::Outcome;
use crate::program::options::OutputOption;
use crate::program::output::{self, Rows};
use crate::program::pace::{Paces, Standing};

/// Delayed messages that are looked at; where more wait, the figures of a queue are the least there are.
const MOST_DELAYED: usize = 10_000;

/// The delayed messages of one queue.
#[derive(Default)]
struct Delays {
    count: u64,
    next: Option<DateTime<Utc>>,
}

pub(super) async fn list(
    bus: &dyn MessageBus,
    pattern: &str,
    paces: &Paces,
    output: OutputOption,
) -> anyhow::Result<Outcome> {
    let mut delays = BTreeMap::<QueueName, Delays>::new();
    for delayed in bus.delayed(MOST_DELAYED).await? {
        let of_queue = delays.entry(delayed.queue).or_default();
        of_queue.count += 1;
        of_queue.next = of_queue.next.or(delayed.due);
    }
    let mut rows = Rows::new([
        "queue",
        "ready",
        "unsettled",
        "delayed",
        "next",
        "consumers",
        "oldest_seconds",
        "backlog_seconds",
    ]);
    let now = Utc::now();
    for mut info in bus.queues(pattern).await? {
        let of_queue = delays.remove(&info.name).unwrap_or_default();
        info.delayed = info.delayed.max(of_queue.count);
        let standing = Standing::of(&info, paces.get(info.name.as_str()).copied(), now);
        rows.push([
            json!(info.name),
            json!(info.ready),
            json!(info.unsettled),
            json!(info.delayed),
            json!(of_queue.next.map(zulu)),
            json!(info.consumers),
            json!(standing.oldest_whole_seconds()),
            json!(standing.backlog_whole_seconds()),
        ]);
    }
    rows.print(output.output)?;
    Ok(Outcome::Done)
}

pub(super) async fn peek(
    bus: &dyn MessageBus,
    queue: &QueueName,
    limit: usize,
) -> anyhow::Result<Outcome> {
    for message in bus.peek(queue, limit).await? {
        output::line(&shown(&message).to_string())?;
    }
    Ok(Outcome::Done)
}

pub(super) async fn peek_delayed(
    bus: &dyn MessageBus,
    queue: &QueueName,
    limit: usize,
) -> anyhow::Result<Outcome> {
    let all = bus.delayed(MOST_DELAYED).await?;
    let ours = all.into_iter().filter(|delayed| delayed.queue == *queue);
    for delayed in ours.take(limit) {
        let mut printed = shown(&delayed.message);
        printed["due"] = json!(delayed.due.map(zulu));
        output::line(&printed.to_string())?;
    }
    Ok(Outcome::Done)
}

fn shown(message: &Peeked) -> Value {
    let body: Value = serde_json::from_slice(&message.body)
        .unwrap_or_else(|_| json!(String::from_utf8_lossy(&message.body)));
    json!({
        "exchange": message.exchange,
        "routing_key": message.routing_key,
        "headers": message.headers,
        "body": body,
    })
}
