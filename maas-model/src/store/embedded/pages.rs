//! The pages of a scan.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::Connection;

use super::catalog::Table;
use super::readers::Readers;
use super::select::{Found, Hit, Selection};
use crate::document::Document;
use crate::store::{Pages, Search, StoreError};

/// A scan in progress. Between pages it holds nothing of the file.
#[derive(Debug)]
pub(super) struct EmbeddedPages {
    readers: Arc<Readers>,
    what: Arc<What>,
    next: Next,
}

#[derive(Debug)]
struct What {
    tables: Vec<Table>,
    selection: Selection,
    search: Search,
}

/// Where the next page begins.
#[derive(Debug, Clone)]
enum Next {
    /// Behind this row, in the order of rows.
    After(Hit),
    /// At this place of a list made in the beginning, because there is an order or an index finds few.
    Listed(Arc<[Hit]>, usize),
}

impl EmbeddedPages {
    pub(super) fn start(
        connection: &Connection,
        readers: Arc<Readers>,
        tables: Vec<Table>,
        selection: Selection,
        search: Search,
    ) -> rusqlite::Result<Self> {
        let next = if search.sort.is_empty() && selection.condition().is_none() {
            Next::After(Hit { table: 0, rid: 0 })
        } else {
            let hits = selection.sorted(connection, &tables, &search.sort, None)?;
            Next::Listed(hits.into(), 0)
        };
        let what = Arc::new(What {
            tables,
            selection,
            search,
        });
        Ok(Self {
            readers,
            what,
            next,
        })
    }
}

#[async_trait]
impl Pages for EmbeddedPages {
    async fn next(&mut self) -> Result<Option<Vec<Document>>, StoreError> {
        let what = Arc::clone(&self.what);
        let next = self.next.clone();
        let (page, next) = self
            .readers
            .read(move |connection| what.page(connection, next))
            .await?;
        self.next = next;
        Ok((!page.is_empty()).then_some(page))
    }
}

impl What {
    fn page(&self, connection: &Connection, next: Next) -> rusqlite::Result<(Vec<Document>, Next)> {
        let limit = self.search.limit;
        match next {
            Next::After(after) => {
                let found = self
                    .selection
                    .page(connection, &self.tables, after, limit)?;
                let after = found.last().map_or(after, |found| found.hit);
                Ok((self.documents(found), Next::After(after)))
            }
            Next::Listed(hits, mut at) => {
                // A whole page may be gone meanwhile; a page is never empty before the end.
                let mut found = Vec::new();
                while found.is_empty() && at < hits.len() {
                    let end = hits.len().min(at + limit);
                    found = self
                        .selection
                        .fetch(connection, &self.tables, &hits[at..end])?;
                    at = end;
                }
                Ok((self.documents(found), Next::Listed(hits, at)))
            }
        }
    }

    fn documents(&self, found: Vec<Found>) -> Vec<Document> {
        found
            .into_iter()
            .map(|found| found.into_document(&self.tables, &self.search))
            .collect()
    }
}
