//! Exchanges, queues and bindings in the file, and which queues a key leads to.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use crate::message::{Binding, KeyPattern, Outgoing, QueueKind, RoutingKey, Topology};

/// Where a message goes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Route {
    /// To these queues; none means unroutable.
    Queues(Vec<i64>),
    /// Nowhere: the exchange does not exist.
    NoExchange,
}

/// The bindings, read once and again when any process changed them.
#[derive(Debug, Default)]
pub(super) struct Routes {
    revision: Option<i64>,
    exchanges: HashMap<String, Vec<(KeyPattern, i64)>>,
    queues: HashMap<String, i64>,
    known: HashMap<(String, String), Vec<i64>>,
}

/// Distinct keys remembered; more than any pipeline has, and a bound against made-up ones.
const KNOWN: usize = 10_000;

impl Routes {
    /// Reads the bindings again if they changed. To be called inside of a transaction.
    pub(super) fn refresh(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let revision: i64 = connection
            .prepare_cached("SELECT value FROM meta WHERE name = 'topology'")?
            .query_row([], |row| row.get(0))?;
        if self.revision == Some(revision) {
            return Ok(());
        }
        *self = Self::default();
        for name in rows::<String>(connection, "SELECT name FROM exchange", |row| row.get(0))? {
            self.exchanges.insert(name, Vec::new());
        }
        for (name, id) in rows(connection, "SELECT name, id FROM queue", |row| {
            Ok((row.get(0)?, row.get(1)?))
        })? {
            self.queues.insert(name, id);
        }
        let bindings = "SELECT exchange, pattern, queue FROM binding";
        for (exchange, pattern, queue) in
            rows::<(String, String, i64)>(connection, bindings, |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })?
        {
            // Only checked patterns are ever stored.
            if let Ok(pattern) = KeyPattern::new(pattern) {
                self.exchanges
                    .entry(exchange)
                    .or_default()
                    .push((pattern, queue));
            }
        }
        self.revision = Some(revision);
        Ok(())
    }

    /// The queues a message goes to, each once.
    pub(super) fn of(&mut self, message: &Outgoing) -> Route {
        let (exchange, key) = (message.exchange.as_str(), message.routing_key.as_str());
        if exchange.is_empty() {
            return Route::Queues(self.queues.get(key).copied().into_iter().collect());
        }
        let Some(bindings) = self.exchanges.get(exchange) else {
            return Route::NoExchange;
        };
        let pair = (exchange.to_owned(), key.to_owned());
        if let Some(queues) = self.known.get(&pair) {
            return Route::Queues(queues.clone());
        }
        let queues = matching(bindings, &message.routing_key);
        if self.known.len() >= KNOWN {
            self.known.clear();
        }
        self.known.insert(pair, queues.clone());
        Route::Queues(queues)
    }

    /// The id of a queue.
    pub(super) fn queue(&self, name: &str) -> Option<i64> {
        self.queues.get(name).copied()
    }
}

fn matching(bindings: &[(KeyPattern, i64)], key: &RoutingKey) -> Vec<i64> {
    let mut queues: Vec<i64> = bindings
        .iter()
        .filter(|(pattern, _)| pattern.matches(key))
        .map(|(_, queue)| *queue)
        .collect();
    queues.sort_unstable();
    queues.dedup();
    queues
}

fn rows<T>(
    connection: &Connection,
    sql: &str,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection
        .prepare_cached(sql)?
        .query_map([], |row| read(row))?
        .collect()
}

/// Why a topology cannot be declared: this queue is kept in another way.
pub(super) struct OtherKind {
    pub(super) queue: String,
    pub(super) kind: String,
}

/// Makes what is missing; with `Err` inside nothing is changed.
pub(super) fn declare(
    connection: &Connection,
    topology: &Topology,
) -> rusqlite::Result<Result<(), OtherKind>> {
    for queue in &topology.queues {
        let kind = kind_name(queue.kind);
        let existing: Option<String> = connection
            .prepare_cached("SELECT kind FROM queue WHERE name = ?")?
            .query_row([queue.name.as_str()], |row| row.get(0))
            .optional()?;
        if let Some(existing) = existing.filter(|existing| existing != kind) {
            return Ok(Err(OtherKind {
                queue: queue.name.to_string(),
                kind: existing,
            }));
        }
    }
    for exchange in &topology.exchanges {
        make_exchange(connection, exchange.as_str())?;
    }
    for queue in &topology.queues {
        let id = make_queue(
            connection,
            queue.name.as_str(),
            &queue.owner,
            kind_name(queue.kind),
        )?;
        parking_queue(connection, &queue.owner)?;
        for Binding { exchange, pattern } in &queue.bindings {
            make_exchange(connection, exchange.as_str())?;
            connection
                .prepare_cached("INSERT OR IGNORE INTO binding VALUES(?, ?, ?)")?
                .execute(params![exchange.as_str(), pattern.as_str(), id])?;
        }
    }
    for owner in &topology.parking {
        parking_queue(connection, owner)?;
    }
    Ok(Ok(()))
}

/// The parking queue of an owner, made when it is missing.
pub(super) fn parking_queue(connection: &Connection, owner: &str) -> rusqlite::Result<i64> {
    make_queue(
        connection,
        &format!("maas.dead.{owner}"),
        owner,
        kind_name(QueueKind::Quorum),
    )
}

fn make_exchange(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    if !name.is_empty() {
        connection
            .prepare_cached("INSERT OR IGNORE INTO exchange VALUES(?)")?
            .execute([name])?;
    }
    changed(connection)
}

fn make_queue(
    connection: &Connection,
    name: &str,
    owner: &str,
    kind: &str,
) -> rusqlite::Result<i64> {
    let existing = connection
        .prepare_cached("SELECT id FROM queue WHERE name = ?")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    if let Some(id) = existing {
        return Ok(id);
    }
    connection
        .prepare_cached("INSERT INTO queue(name, owner, kind) VALUES(?, ?, ?)")?
        .execute([name, owner, kind])?;
    let id = connection.last_insert_rowid();
    changed(connection)?;
    Ok(id)
}

/// Tells all processes to read the bindings again.
fn changed(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE meta SET value = value + 1 WHERE name = 'topology'")?
        .execute([])?;
    Ok(())
}

fn kind_name(kind: QueueKind) -> &'static str {
    match kind {
        QueueKind::Quorum => "quorum",
        QueueKind::Classic => "classic",
    }
}
