//! Finding the documents of a query: SQL narrows down, [`matches`] decides.

use std::sync::Arc;

use rusqlite::types::Value as SqlValue;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::apply::version;
use super::catalog::{Table, has_table};
use super::narrow::{Condition, narrow};
use crate::document::{Document, DocumentId, Source};
use crate::store::evaluate::{Part, SortKeys, compare, select, sort_keys};
use crate::store::{Kinds, Query, Search, Sort, matches};

/// A query with all it needs to run on a blocking thread.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    pub(super) query: Query,
    pub(super) kinds: Arc<Kinds>,
}

/// Where a document stands: the place of its table in a list, and its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) table: usize,
    pub(super) rid: i64,
}

/// A document, or the part of it that was asked for.
pub(super) struct Found {
    pub(super) hit: Hit,
    pub(super) id: DocumentId,
    pub(super) seq_no: i64,
    pub(super) source: Source,
}

/// What a visitor wants after one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Next,
    Stop,
}

impl Selection {
    pub(super) fn condition(&self) -> Option<Condition> {
        narrow(&self.query, &self.kinds)
    }

    /// Shows `visit` every document that matches, table by table, as far as `part` goes: at least to the
    /// fields of the query.
    pub(super) fn visit(
        &self,
        connection: &Connection,
        tables: &[Table],
        part: &Part,
        mut visit: impl FnMut(Found) -> Step,
    ) -> rusqlite::Result<()> {
        let condition = self.condition();
        for (at, table) in tables.iter().enumerate() {
            let number = table.number;
            let mut sql = format!("SELECT rid, id, seq, src FROM d{number}");
            let mut bound: &[SqlValue] = &[];
            if let Some(condition) = &condition {
                sql.push_str(" WHERE ");
                sql.push_str(&condition.sql);
                bound = &condition.values;
            }
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(bound))?;
            while let Some(row) = rows.next()? {
                let found = Found::read(row, at, part)?;
                if self.matches(&found) && visit(found) == Step::Stop {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The documents of a page in the order of their rows, from behind `after`; nothing is narrowed.
    pub(super) fn page(
        &self,
        connection: &Connection,
        tables: &[Table],
        after: Hit,
        limit: usize,
    ) -> rusqlite::Result<Vec<Found>> {
        let mut page = Vec::new();
        for (at, table) in tables.iter().enumerate().skip(after.table) {
            if !has_table(connection, table.number)? {
                continue;
            }
            let from = if at == after.table { after.rid } else { 0 };
            let sql = format!(
                "SELECT rid, id, seq, src FROM d{} WHERE rid > ?1 ORDER BY rid",
                table.number
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([from])?;
            while let Some(row) = rows.next()? {
                let found = Found::read(row, at, &Part::Whole)?;
                if self.matches(&found) {
                    page.push(found);
                    if page.len() == limit {
                        return Ok(page);
                    }
                }
            }
        }
        Ok(page)
    }

    /// All hits in the order of `sort`; with `limit` only the first ones, found in bounded memory.
    pub(super) fn sorted(
        &self,
        connection: &Connection,
        tables: &[Table],
        sort: &[Sort],
        limit: Option<usize>,
    ) -> rusqlite::Result<Vec<Hit>> {
        let mut hits: Vec<(SortKeys, Hit)> = Vec::new();
        let sorted_by = sort.iter().map(|sort| sort.field.as_str());
        let part = Part::of(self.query.fields().into_iter().chain(sorted_by));
        let by_keys = |a: &(SortKeys, Hit), b: &(SortKeys, Hit)| compare(&a.0, &b.0, sort);
        self.visit(connection, tables, &part, |found| {
            hits.push((
                sort_keys(&found.id, &found.source, sort, &self.kinds),
                found.hit,
            ));
            if let Some(limit) = limit
                && hits.len() >= 2 * limit + 1_000
            {
                hits.sort_by(by_keys);
                hits.truncate(limit);
            }
            Step::Next
        })?;
        hits.sort_by(by_keys);
        hits.truncate(limit.unwrap_or(usize::MAX));
        Ok(hits.into_iter().map(|(_, hit)| hit).collect())
    }

    /// The documents of these hits that are still there and still match.
    pub(super) fn fetch(
        &self,
        connection: &Connection,
        tables: &[Table],
        hits: &[Hit],
    ) -> rusqlite::Result<Vec<Found>> {
        let mut fetched = Vec::with_capacity(hits.len());
        let mut there = Vec::with_capacity(tables.len());
        for table in tables {
            there.push(has_table(connection, table.number)?);
        }
        for hit in hits.iter().filter(|hit| there[hit.table]) {
            let sql = format!(
                "SELECT rid, id, seq, src FROM d{} WHERE rid = ?1",
                tables[hit.table].number
            );
            let found = connection
                .prepare_cached(&sql)?
                .query_row([hit.rid], |row| Found::read(row, hit.table, &Part::Whole))
                .optional()?;
            fetched.extend(found.filter(|found| self.matches(found)));
        }
        Ok(fetched)
    }

    fn matches(&self, found: &Found) -> bool {
        matches(&self.query, &found.id, &found.source, &self.kinds)
    }
}

impl Found {
    fn read(row: &Row<'_>, table: usize, part: &Part) -> rusqlite::Result<Self> {
        Ok(Self {
            hit: Hit {
                table,
                rid: row.get(0)?,
            },
            id: DocumentId::new(row.get::<_, String>(1)?)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?,
            seq_no: row.get(2)?,
            source: source(row.get_ref(3)?.as_str()?, part)?,
        })
    }

    pub(super) fn into_document(self, tables: &[Table], search: &Search) -> Document {
        Document {
            index: tables[self.hit.table].index.clone(),
            id: self.id,
            version: Some(version(self.seq_no)),
            source: select(self.source, &search.fields),
        }
    }
}

/// The content of a row.
pub(super) fn source(text: &str, part: &Part) -> rusqlite::Result<Source> {
    part.read(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, error.into())
    })
}
