//! The file of the embedded bus: how it is opened, and what its errors mean.

use std::path::Path;

use rusqlite::{Connection, ErrorCode};

use crate::message::BusError;
use crate::sqlite::{self, BUSY_TIMEOUT, OPEN_TIMEOUT};

/// `application_id` of the file, so that a foreign database is not taken for a bus.
const APPLICATION_ID: i64 = 0x4d61_4262;

/// Version of the tables below, kept in `meta`.
const FORMAT: i64 = 1;

/// `redelivered` is 0 for a message that nobody had, 1 for one that was returned, and one more for each time it
/// came back unsettled.
/// A message is ready (0), leased to a subscription of a process (1) or delayed until `due` (2).
/// Ids are never used twice: a late settle cannot meet another message.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO meta VALUES('format', 1), ('topology', 0);
CREATE TABLE IF NOT EXISTS exchange(name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue(
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, kind TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS binding(
    exchange TEXT NOT NULL, pattern TEXT NOT NULL, queue INTEGER NOT NULL,
    PRIMARY KEY(exchange, pattern, queue)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS message(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    priority INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    redelivered INTEGER NOT NULL DEFAULT 0,
    holder TEXT,
    since INTEGER,
    due INTEGER,
    exchange TEXT NOT NULL,
    routing_key TEXT NOT NULL,
    message_id TEXT NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS ready ON message(queue, priority DESC, id) WHERE state = 0;
CREATE INDEX IF NOT EXISTS leased ON message(queue, holder) WHERE state = 1;
CREATE INDEX IF NOT EXISTS delayed ON message(due, queue) WHERE state = 2;
CREATE TABLE IF NOT EXISTS process(token TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscription(
    token TEXT NOT NULL, number INTEGER NOT NULL, queue INTEGER NOT NULL,
    PRIMARY KEY(token, number)) WITHOUT ROWID;
";

/// Opens the file, makes it when it is missing.
pub(super) fn open(file: &Path) -> Result<Connection, BusError> {
    let connect = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(file)?;
        connection.busy_timeout(OPEN_TIMEOUT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // What was confirmed must survive a power cut.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    };
    let connection = connect().map_err(|source| error(file, source))?;
    check_application(&connection, file)?;
    // Before anything is made in it that a newer one may have in another way.
    check_format(&connection, file)?;
    make_tables(&connection)
        .and_then(|()| connection.busy_timeout(BUSY_TIMEOUT))
        .map_err(|source| error(file, source))?;
    Ok(connection)
}

fn check_application(connection: &Connection, file: &Path) -> Result<(), BusError> {
    let id: i64 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(|source| error(file, source))?;
    if id == 0 || id == APPLICATION_ID {
        return Ok(());
    }
    Err(BusError::Damaged {
        place: file.display().to_string(),
        reason: "it is the database of another program; choose another data folder".into(),
    })
}

fn check_format(connection: &Connection, file: &Path) -> Result<(), BusError> {
    let failed = |source| error(file, source);
    let is_made = connection.table_exists(None, "meta").map_err(failed)?;
    if !is_made {
        return Ok(());
    }
    let format: i64 = connection
        .query_row("SELECT value FROM meta WHERE name = 'format'", [], |row| {
            row.get(0)
        })
        .map_err(failed)?;
    if format == FORMAT {
        return Ok(());
    }
    Err(BusError::Damaged {
        place: file.display().to_string(),
        reason: format!(
            "it has format {format}, this program knows {FORMAT}: use the program that made it, or move the file away"
        ),
    })
}

fn make_tables(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    // One transaction, so that a second process never sees half of the tables.
    connection.execute_batch(&format!("BEGIN IMMEDIATE; {TABLES} COMMIT;"))
}

/// What an error of the library means: `Damaged` needs an operator, the rest may pass (another process
/// writes, the disk is full).
pub(super) fn error(file: &Path, source: rusqlite::Error) -> BusError {
    match source.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => BusError::Damaged {
            place: file.display().to_string(),
            reason: source.to_string(),
        },
        _ => BusError::Unreachable {
            endpoint: file.display().to_string(),
            source: sqlite::source(source),
        },
    }
}
