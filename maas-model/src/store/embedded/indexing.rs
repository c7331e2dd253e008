//! Makes an index for fields when they are first searched in a table that is worth it.
//!
//! An index costs a little at every write, so none is made in advance: most fields are never searched.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tracing::{debug, warn};

use super::catalog::{Table, has_table};
use super::narrow::IndexOver;
use super::select::Selection;
use super::writer::Writer;

/// Tables with fewer documents are searched through in some milliseconds.
const WORTH_IT: u64 = 2_000;

/// Indexes of one table; what would need further ones is searched through.
const MOST_INDEXES: i64 = 12;

/// Remembers what was asked for, so that it is asked for once per process.
#[derive(Debug, Clone)]
pub(super) struct Indexing {
    writer: Arc<Writer>,
    asked: Arc<Mutex<HashSet<(i64, IndexOver)>>>,
}

impl Indexing {
    pub(super) fn new(writer: Arc<Writer>) -> Self {
        Self {
            writer,
            asked: Arc::default(),
        }
    }

    /// Asks the writing thread for the indexes that `selection` could use; the search that asks does
    /// not wait for them.
    pub(super) fn suggest(&self, tables: &[Table], selection: &Selection) {
        let mut big = tables
            .iter()
            .filter(|table| table.documents >= WORTH_IT)
            .peekable();
        if big.peek().is_none() {
            return;
        }
        let Some(condition) = selection.condition() else {
            return;
        };
        for table in big {
            for index in &condition.indexes {
                self.ask(table.number, index);
            }
        }
    }

    fn ask(&self, number: i64, index: &IndexOver) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let new = asked.insert((number, index.clone()));
        if !new {
            return;
        }
        let wanted = index.clone();
        let later = self.writer.run_later(move |connection| {
            if let Err(error) = make(connection, number, &wanted) {
                warn!(%error, table = number, "index not made, searches stay slow");
            }
        });
        if later.is_err() {
            asked.remove(&(number, index.clone()));
        }
    }
}

pub(super) fn make(
    connection: &Connection,
    number: i64,
    index: &IndexOver,
) -> rusqlite::Result<()> {
    if !has_table(connection, number)? {
        return Ok(());
    }
    let indexes: i64 = connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND tbl_name = ?1",
        [format!("d{number}")],
        |row| row.get(0),
    )?;
    if indexes > MOST_INDEXES {
        return Ok(());
    }
    let name = index.name(number);
    debug!(index = name, "making index");
    connection.execute_batch(&format!(
        "CREATE INDEX IF NOT EXISTS {name} ON d{number} ({}); \
         PRAGMA analysis_limit = 1000; ANALYZE d{number};",
        index.columns()
    ))
}
