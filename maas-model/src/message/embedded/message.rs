//! The messages in the file: put, claimed, settled, looked at. All inside of the writer's transaction.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::DateTime;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::route;
use crate::message::body::made;
use crate::message::carried;
use crate::message::{
    DeadLetter, DeadMessage, DeadReason, Delayed, ExchangeName, NameError, Outgoing, Part, Peeked,
    QueueInfo, QueueName, RoutingKey,
};

/// A message that was claimed for a subscription.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) id: i64,
    pub(super) exchange: ExchangeName,
    pub(super) routing_key: RoutingKey,
    pub(super) body: Vec<u8>,
    pub(super) priority: u8,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) redelivered: bool,
    pub(super) tries: u32,
    pub(super) abandoned: u32,
    pub(super) alone: bool,
}

/// Appends a message to a queue.
pub(super) fn put(connection: &Connection, queue: i64, message: &Outgoing) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO message(queue, priority, exchange, routing_key, message_id, headers, body)
             VALUES(?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            queue,
            message.priority.min(9),
            message.exchange.as_str(),
            message.routing_key.as_str(),
            message.message_id,
            headers_text(&message.headers),
            message.body,
        ])?;
    Ok(())
}

/// Leases the first ready messages of a queue to `holder`: highest priority first, then oldest.
pub(super) fn claim(
    connection: &Connection,
    queue: i64,
    holder: &str,
    limit: usize,
) -> rusqlite::Result<Vec<Claimed>> {
    let mut claimed: Vec<Claimed> = connection
        .prepare_cached(
            "UPDATE message SET state = 1, holder = ?2 WHERE id IN (
                 SELECT id FROM message WHERE queue = ?1 AND state = 0
                 ORDER BY priority DESC, id LIMIT ?3)
             RETURNING id, exchange, routing_key, body, priority, headers, redelivered, tries",
        )?
        .query_map(params![queue, holder, sql_limit(limit)], read_claimed)?
        .collect::<Result<_, _>>()?;
    // RETURNING promises no order.
    claimed.sort_by_key(|message| (std::cmp::Reverse(message.priority), message.id));
    Ok(claimed)
}

fn read_claimed(row: &Row<'_>) -> rusqlite::Result<Claimed> {
    let Peeked {
        routing_key,
        exchange,
        body,
        mut headers,
    } = read_peeked(row)?;
    let alone = headers.remove(carried::ALONE).is_some();
    let redelivered: u32 = row.get("redelivered")?;
    Ok(Claimed {
        id: row.get("id")?,
        exchange,
        routing_key,
        body,
        priority: row.get("priority")?,
        headers,
        redelivered: redelivered > 0,
        tries: row.get("tries")?,
        abandoned: redelivered.saturating_sub(1),
        alone,
    })
}

fn read_peeked(row: &Row<'_>) -> rusqlite::Result<Peeked> {
    let mut headers = read_headers(row)?;
    let exchange = ExchangeName::new(row.get::<_, String>("exchange")?).map_err(foreign)?;
    let routing_key = RoutingKey::new(row.get::<_, String>("routing_key")?).map_err(foreign)?;
    let (exchange, routing_key) = carried::take_origin(&mut headers, exchange, routing_key);
    Ok(Peeked {
        routing_key,
        exchange,
        body: row.get("body")?,
        headers,
    })
}

fn read_headers(row: &Row<'_>) -> rusqlite::Result<BTreeMap<String, String>> {
    let text: String = row.get("headers")?;
    if text.is_empty() {
        return Ok(BTreeMap::new());
    }
    serde_json::from_str(&text).map_err(|source| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, source.into())
    })
}

fn foreign(source: NameError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, source.into())
}

/// No headers, the common case, are an empty text.
fn headers_text(headers: &BTreeMap<String, String>) -> String {
    if headers.is_empty() {
        return String::new();
    }
    // A map of texts always serializes.
    serde_json::to_string(headers).unwrap_or_default()
}

/// Forgets a message that `holder` leases.
pub(super) fn ack(connection: &Connection, id: i64, holder: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM message WHERE id = ? AND state = 1 AND holder = ?")?
        .execute(params![id, holder])?;
    Ok(())
}

/// Makes a leased message ready again at its place. `seen`: a worker had it.
pub(super) fn give_back(
    connection: &Connection,
    id: i64,
    holder: &str,
    seen: bool,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE message SET state = 0, holder = NULL,
                 redelivered = iif(?3, max(redelivered, 1) + 1, redelivered)
             WHERE id = ?1 AND state = 1 AND holder = ?2",
        )?
        .execute(params![id, holder, seen])?;
    Ok(())
}

/// Puts `parts` behind the other messages in the place of a leased one.
pub(super) fn replace(
    connection: &Connection,
    id: i64,
    holder: &str,
    parts: &[Part],
) -> rusqlite::Result<()> {
    let now = now_ms();
    for part in parts {
        let due = now.saturating_add(milliseconds(part.delay));
        let mark = json!({ carried::ALONE: part.alone.then_some("true") }).to_string();
        // A key with null is removed from the headers.
        connection
            .prepare_cached(
                "INSERT INTO message(queue, state, priority, tries, redelivered, since, due,
                     exchange, routing_key, message_id, headers, body)
                 SELECT queue, iif(?4 > ?3, 2, 0), priority, ?5, 1, ?3, ?4,
                     exchange, routing_key, ?6,
                     json_patch(iif(headers = '', '{}', headers), ?7), ?8
                 FROM message WHERE id = ?1 AND state = 1 AND holder = ?2",
            )?
            .execute(params![
                id,
                holder,
                now,
                due,
                part.tries,
                part.message_id,
                mark,
                part.body
            ])?;
    }
    ack(connection, id, holder)
}

/// Makes a leased message ready again after `delay`.
pub(super) fn delay(
    connection: &Connection,
    id: i64,
    holder: &str,
    delay: Duration,
) -> rusqlite::Result<()> {
    let now = now_ms();
    connection
        .prepare_cached(
            "UPDATE message SET state = iif(?4 > ?3, 2, 0), holder = NULL, redelivered = 1,
                 tries = tries + 1, since = ?3, due = ?4
             WHERE id = ?1 AND state = 1 AND holder = ?2",
        )?
        .execute(params![
            id,
            holder,
            now,
            now.saturating_add(milliseconds(delay))
        ])?;
    Ok(())
}

/// Makes the messages ready whose delay is over, or whose delay began in the future: then the clock was
/// set back, and nobody should wait for it.
pub(super) fn end_delays(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "UPDATE message SET state = 0, since = NULL, due = NULL
             WHERE state = 2 AND (due <= ?1 OR since > ?1)",
        )?
        .execute([now_ms()])?;
    Ok(())
}

/// How long until the next delay ends. One that began in the future, before the clock was set back, ends now.
pub(super) fn next_delay(connection: &Connection) -> rusqlite::Result<Option<Duration>> {
    let now = now_ms();
    let due: Option<i64> = connection
        .prepare_cached(
            "SELECT min(CASE WHEN since > ?1 THEN ?1 ELSE due END) FROM message WHERE state = 2",
        )?
        .query_row([now], |row| row.get(0))?;
    Ok(due.map(|due| Duration::from_millis(u64::try_from(due - now).unwrap_or(0))))
}

/// Moves a leased message to the parking queue of its queue's owner.
pub(super) fn bury(
    connection: &Connection,
    id: i64,
    holder: &str,
    reason: DeadReason,
) -> rusqlite::Result<()> {
    let found = connection
        .prepare_cached(
            "SELECT m.*, q.name AS queue_name, q.owner FROM message m JOIN queue q ON q.id = m.queue
             WHERE m.id = ? AND state = 1 AND holder = ?",
        )?
        .query_row(params![id, holder], |row| {
            let queue = QueueName::new(row.get::<_, String>("queue_name")?).map_err(foreign)?;
            Ok((row.get::<_, String>("owner")?, queue, read_claimed(row)?))
        })
        .optional()?;
    let Some((owner, queue, message)) = found else {
        return Ok(());
    };
    let dead = DeadMessage {
        queue,
        exchange: message.exchange,
        routing_key: message.routing_key,
        priority: message.priority,
        body: message.body,
        headers: message.headers,
    };
    let letter = DeadLetter::of_message(&owner, reason, message.tries + 1, dead);
    let parking = route::parking_queue(connection, &owner)?;
    let outgoing = letter.to_outgoing().map_err(foreign)?;
    put(connection, parking, &outgoing)?;
    ack(connection, id, holder)
}

/// The first ready messages of a queue.
pub(super) fn peek(
    connection: &Connection,
    queue: i64,
    limit: usize,
) -> rusqlite::Result<Vec<Peeked>> {
    connection
        .prepare_cached(
            "SELECT exchange, routing_key, body, headers FROM message
             WHERE queue = ? AND state = 0 ORDER BY priority DESC, id LIMIT ?",
        )?
        .query_map(params![queue, sql_limit(limit)], read_peeked)?
        .collect()
}

/// The messages that wait for their delay to end, the next one first.
pub(super) fn delayed(connection: &Connection, limit: usize) -> rusqlite::Result<Vec<Delayed>> {
    connection
        .prepare_cached(
            "SELECT q.name, due, exchange, routing_key, body, headers
             FROM message m JOIN queue q ON q.id = m.queue
             WHERE state = 2 ORDER BY due, m.id LIMIT ?",
        )?
        .query_map([sql_limit(limit)], |row| {
            Ok(Delayed {
                queue: QueueName::new(row.get::<_, String>("name")?).map_err(foreign)?,
                due: DateTime::from_timestamp_millis(row.get("due")?),
                message: read_peeked(row)?,
            })
        })?
        .collect()
}

/// Removes the ready messages of a queue.
pub(super) fn purge(connection: &Connection, queue: i64) -> rusqlite::Result<u64> {
    let removed = connection
        .prepare_cached("DELETE FROM message WHERE queue = ? AND state = 0")?
        .execute([queue])?;
    Ok(removed as u64)
}

/// All queues with their depths, by name.
pub(super) fn counts(connection: &Connection) -> rusqlite::Result<Vec<QueueInfo>> {
    // Each count, and each search for the first message, reads only its own partial index.
    connection
        .prepare_cached(
            "SELECT name,
                 (SELECT count(*) FROM message m WHERE m.queue = q.id AND state = 0) AS ready,
                 (SELECT count(*) FROM message m WHERE m.queue = q.id AND state = 1) AS unsettled,
                 (SELECT count(*) FROM message m WHERE m.queue = q.id AND state = 2) AS delayed,
                 (SELECT count(*) FROM subscription s WHERE s.queue = q.id) AS consumers,
                 (SELECT body FROM message WHERE id = min(
                     coalesce((SELECT min(id) FROM message m WHERE m.queue = q.id AND state = 0), ?1),
                     coalesce((SELECT min(id) FROM message m WHERE m.queue = q.id AND state = 1), ?1),
                     coalesce((SELECT min(id) FROM message m WHERE m.queue = q.id AND state = 2), ?1)
                 )) AS first
             FROM queue q ORDER BY name",
        )?
        .query_map([i64::MAX], |row| {
            let first: Option<Vec<u8>> = row.get("first")?;
            let count = |column| row.get(column).map(i64::unsigned_abs);
            Ok(QueueInfo {
                name: QueueName::new(row.get::<_, String>("name")?).map_err(foreign)?,
                ready: count("ready")?,
                unsettled: Some(count("unsettled")?),
                delayed: count("delayed")?,
                consumers: count("consumers")?,
                oldest: first.as_deref().and_then(made),
            })
        })?
        .collect()
}

fn milliseconds(delay: Duration) -> i64 {
    i64::try_from(delay.as_millis()).unwrap_or(i64::MAX / 4)
}

fn sql_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
