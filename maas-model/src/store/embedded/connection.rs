//! Opening the file, and what every connection to it has in common.

use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use crate::private;
use crate::sqlite::{self, BUSY_TIMEOUT, OPEN_TIMEOUT};
use crate::store::StoreError;

/// Pages in the log before they are moved into the file (16 MiB): fewer syncs than SQLite's 1,000.
const CHECKPOINT_PAGES: u32 = 4_000;

/// More than the statements of 40 partitions.
const CACHED_STATEMENTS: usize = 256;

/// Version of the tables below, kept in `PRAGMA user_version`.
const SCHEMA_VERSION: i64 = 1;

/// One row per index and model; the documents of index `n` stand in a table `d<n>` of their own.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS indices (
        number    INTEGER PRIMARY KEY AUTOINCREMENT,
        name      TEXT NOT NULL UNIQUE,
        seq_no    INTEGER NOT NULL DEFAULT 0,
        documents INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE IF NOT EXISTS models (
        alias       TEXT PRIMARY KEY,
        partitioned INTEGER NOT NULL,
        fields      TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT OR IGNORE INTO counters VALUES ('models', 0);
";

/// Makes folder and file, readable by the owner only, and the tables.
pub(super) fn create(file: &Path) -> Result<Connection, StoreError> {
    let wrap = |source: io::Error| StoreError::Unreachable {
        endpoint: file.display().to_string(),
        source: source.into(),
    };
    if let Some(folder) = file.parent() {
        private::make_folder(folder).map_err(wrap)?;
    }
    // SQLite gives its log files the rights of the main file.
    private::append(file).map_err(wrap)?;
    let mut connection = connect(file, OPEN_TIMEOUT)?;
    prepare(&mut connection)
        .and_then(|()| connection.busy_timeout(BUSY_TIMEOUT))
        .map_err(|error| failure(file, error))?;
    check_version(file, &connection)?;
    Ok(connection)
}

/// A further connection to a file that [`create`] has prepared.
pub(super) fn open(file: &Path) -> Result<Connection, StoreError> {
    connect(file, BUSY_TIMEOUT)
}

fn connect(file: &Path, patience: Duration) -> Result<Connection, StoreError> {
    Connection::open(file)
        .and_then(|connection| {
            connection.busy_timeout(patience)?;
            connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "synchronous", "full")?;
            connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
            connection.pragma_update(None, "cache_size", -8_000)?;
            Ok(connection)
        })
        .map_err(|error| failure(file, error))
}

/// SQLite's error in our words: what another try may cure, what needs a person, what is our request.
pub(super) fn failure(file: &Path, error: rusqlite::Error) -> StoreError {
    let place = file.display().to_string();
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::OutOfMemory,
        ) => StoreError::Busy {
            endpoint: place,
            reason: error.to_string(),
        },
        Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => StoreError::Unreachable {
            endpoint: place,
            source: sqlite::source(error),
        },
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => StoreError::Denied {
            endpoint: place,
            reason: error.to_string(),
        },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged {
            place,
            reason: error.to_string(),
        },
        _ => StoreError::Refused {
            endpoint: place,
            reason: error.to_string(),
        },
    }
}

fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction =
        connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let version: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == 0 {
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    transaction.commit()
}

fn check_version(file: &Path, connection: &Connection) -> Result<(), StoreError> {
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| failure(file, error))?;
    if version == SCHEMA_VERSION {
        return Ok(());
    }
    Err(StoreError::Damaged {
        place: file.display().to_string(),
        reason: format!(
            "it has layout {version}, this program knows {SCHEMA_VERSION}: \
             use the program that made it, or move the file away"
        ),
    })
}
