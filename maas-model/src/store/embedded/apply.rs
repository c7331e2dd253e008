//! Puts write actions into the tables, within a transaction of the caller.

use std::collections::HashMap;

use rusqlite::{OptionalExtension, Transaction, params};

use crate::document::{DocumentId, IndexName, Version};
use crate::store::WriteOutcome;

/// SQLite has one owner for ever.
const PRIMARY_TERM: u64 = 1;

/// A write action, checked and serialized.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) index: IndexName,
    pub(super) id: DocumentId,
    pub(super) op: PreparedOp,
}

#[derive(Debug)]
pub(super) enum PreparedOp {
    Create(String),
    Index(String, Option<Version>),
    Delete(Option<Version>),
    /// Not to be written; this is its outcome.
    Settled(WriteOutcome),
}

/// An index within this transaction.
struct Open {
    number: i64,
    seq_no: u64,
    documents: i64,
}

/// The outcomes of every call, in the order of its actions.
pub(super) fn apply(
    transaction: &Transaction<'_>,
    calls: &[&[Prepared]],
) -> rusqlite::Result<Vec<Vec<WriteOutcome>>> {
    let mut open = HashMap::new();
    let outcomes = calls
        .iter()
        .map(|actions| {
            actions
                .iter()
                .map(|action| apply_one(transaction, &mut open, action))
                .collect()
        })
        .collect::<rusqlite::Result<_>>()?;
    for index in open.values().filter(|index| index.number != 0) {
        transaction
            .prepare_cached("UPDATE indices SET seq_no = ?2, documents = ?3 WHERE number = ?1")?
            .execute(params![index.number, signed(index.seq_no), index.documents])?;
    }
    Ok(outcomes)
}

pub(super) fn version(seq_no: i64) -> Version {
    Version {
        seq_no: seq_no.unsigned_abs(),
        primary_term: PRIMARY_TERM,
    }
}

fn apply_one<'a>(
    transaction: &Transaction<'_>,
    open: &mut HashMap<&'a IndexName, Open>,
    action: &'a Prepared,
) -> rusqlite::Result<WriteOutcome> {
    if let PreparedOp::Settled(outcome) = &action.op {
        return Ok(outcome.clone());
    }
    let makes = !matches!(
        action.op,
        PreparedOp::Delete(_) | PreparedOp::Index(_, Some(_))
    );
    let index = match open.entry(&action.index) {
        std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
        std::collections::hash_map::Entry::Vacant(entry) => {
            entry.insert(find(transaction, &action.index)?)
        }
    };
    if index.number == 0 {
        if !makes {
            return Ok(missing(&action.op));
        }
        *index = make(transaction, &action.index)?;
    }
    let id = action.id.as_str();
    match &action.op {
        PreparedOp::Settled(outcome) => Ok(outcome.clone()),
        PreparedOp::Create(source) => {
            let created = index.insert(transaction, id, source)?;
            Ok(created.map_or(WriteOutcome::Conflict, WriteOutcome::Created))
        }
        PreparedOp::Index(source, None) => match index.insert(transaction, id, source)? {
            Some(version) => Ok(WriteOutcome::Created(version)),
            None => {
                let updated = index.update(transaction, id, source, None)?;
                Ok(updated.map_or(WriteOutcome::Conflict, WriteOutcome::Updated))
            }
        },
        PreparedOp::Index(source, Some(expected)) => {
            let updated = index.update(transaction, id, source, Some(*expected))?;
            Ok(updated.map_or(WriteOutcome::Conflict, WriteOutcome::Updated))
        }
        PreparedOp::Delete(expected) => index.delete(transaction, id, *expected),
    }
}

/// What an action does to an index that is not there and that it does not make.
fn missing(op: &PreparedOp) -> WriteOutcome {
    match op {
        PreparedOp::Delete(None) => WriteOutcome::NotFound,
        _ => WriteOutcome::Conflict,
    }
}

/// Number 0 when there is no such index.
fn find(transaction: &Transaction<'_>, index: &IndexName) -> rusqlite::Result<Open> {
    transaction
        .prepare_cached("SELECT number, seq_no, documents FROM indices WHERE name = ?1")?
        .query_row([index.as_str()], |row| {
            Ok(Open {
                number: row.get(0)?,
                seq_no: row.get::<_, i64>(1)?.unsigned_abs(),
                documents: row.get(2)?,
            })
        })
        .optional()
        .map(|found| {
            found.unwrap_or(Open {
                number: 0,
                seq_no: 0,
                documents: 0,
            })
        })
}

fn make(transaction: &Transaction<'_>, index: &IndexName) -> rusqlite::Result<Open> {
    transaction.execute("INSERT INTO indices (name) VALUES (?1)", [index.as_str()])?;
    let number = transaction.last_insert_rowid();
    transaction.execute_batch(&format!(
        "CREATE TABLE d{number} (
            rid INTEGER PRIMARY KEY,
            id  TEXT NOT NULL UNIQUE,
            seq INTEGER NOT NULL,
            src TEXT NOT NULL
        )"
    ))?;
    Ok(Open {
        number,
        seq_no: 0,
        documents: 0,
    })
}

impl Open {
    /// `None` when the document exists.
    fn insert(
        &mut self,
        transaction: &Transaction<'_>,
        id: &str,
        source: &str,
    ) -> rusqlite::Result<Option<Version>> {
        let seq = signed(self.seq_no + 1);
        let written = transaction
            .prepare_cached(&format!(
                "INSERT INTO d{} (id, seq, src) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING",
                self.number
            ))?
            .execute(params![id, seq, source])?;
        if written == 0 {
            return Ok(None);
        }
        self.documents += 1;
        Ok(Some(self.advance()))
    }

    /// `None` when the document is not there, or not at the version expected.
    fn update(
        &mut self,
        transaction: &Transaction<'_>,
        id: &str,
        source: &str,
        expected: Option<Version>,
    ) -> rusqlite::Result<Option<Version>> {
        let seq = signed(self.seq_no + 1);
        let written = match expected {
            Some(expected) if expected.primary_term != PRIMARY_TERM => 0,
            Some(expected) => transaction
                .prepare_cached(&format!(
                    "UPDATE d{} SET seq = ?2, src = ?3 WHERE id = ?1 AND seq = ?4",
                    self.number
                ))?
                .execute(params![id, seq, source, signed(expected.seq_no)])?,
            None => transaction
                .prepare_cached(&format!(
                    "UPDATE d{} SET seq = ?2, src = ?3 WHERE id = ?1",
                    self.number
                ))?
                .execute(params![id, seq, source])?,
        };
        Ok((written > 0).then(|| self.advance()))
    }

    fn delete(
        &mut self,
        transaction: &Transaction<'_>,
        id: &str,
        expected: Option<Version>,
    ) -> rusqlite::Result<WriteOutcome> {
        let stored: Option<i64> = transaction
            .prepare_cached(&format!("SELECT seq FROM d{} WHERE id = ?1", self.number))?
            .query_row([id], |row| row.get(0))
            .optional()?;
        match (stored, expected) {
            (None, None) => return Ok(WriteOutcome::NotFound),
            (None, Some(_)) => return Ok(WriteOutcome::Conflict),
            (Some(stored), Some(expected)) if version(stored) != expected => {
                return Ok(WriteOutcome::Conflict);
            }
            (Some(_), _) => {}
        }
        transaction
            .prepare_cached(&format!("DELETE FROM d{} WHERE id = ?1", self.number))?
            .execute([id])?;
        self.documents -= 1;
        self.advance();
        Ok(WriteOutcome::Deleted)
    }

    fn advance(&mut self) -> Version {
        self.seq_no += 1;
        version(signed(self.seq_no))
    }
}

/// SQLite's integers are signed; beyond their range no document ever has a version.
fn signed(seq_no: u64) -> i64 {
    i64::try_from(seq_no).unwrap_or(i64::MAX)
}
