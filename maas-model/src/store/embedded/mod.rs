//! The store that needs no server: one SQLite file in a local folder.
//!
//! One thread writes and joins concurrent callers into one transaction; a few connections read.
//! Several processes may open the same folder. Documents are JSON text in one table per index;
//! [`matches`](super::matches) decides what a query means and SQL narrows down, by indexes that are made
//! when a field is first searched in a table that is worth it.
//!
//! What `Ok` reports is synced to the disk: it survives the end of the process and a power cut alike.
//! Why, and what was measured: `docs/decisions/0003-embedded-store.md`.

mod apply;
mod catalog;
mod connection;
mod indexing;
mod narrow;
mod pages;
mod prepare;
mod readers;
mod select;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension};

use super::evaluate::{Part, Tally};
use super::{
    Aggregation, Bucket, DocumentStore, IndexInfo, Pages, Query, Search, StoreError, StoreStatus,
    WriteAction, WriteOutcome,
};
use crate::document::{Document, DocumentId, IndexName};
use crate::model::Model;
use catalog::{Catalog, Table};
use indexing::Indexing;
use pages::EmbeddedPages;
use readers::Readers;
use select::{Selection, Step};
use writer::Writer;

/// Name of the file in the folder.
const FILE: &str = "store.sqlite";

/// A store in a local folder.
#[derive(Debug)]
pub struct EmbeddedStore {
    file: PathBuf,
    writer: Arc<Writer>,
    readers: Arc<Readers>,
    catalog: SharedCatalog,
    indexing: Indexing,
}

type SharedCatalog = Arc<RwLock<Arc<Catalog>>>;

impl EmbeddedStore {
    /// Opens the store in `folder`, making folder and file when they are not there. Blocks for some
    /// milliseconds, or until another process that is making the same file is done.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let file = folder.join(FILE);
        let connection = connection::create(&file)?;
        Self::start(connection, file)
    }

    /// The same for documents that nobody misses after a power cut: tests, trials. Nothing is synced.
    pub fn open_fleeting(folder: &Path) -> Result<Self, StoreError> {
        let file = folder.join(FILE);
        let connection = connection::create(&file)?;
        connection
            .pragma_update(None, "synchronous", "off")
            .map_err(|error| connection::failure(&file, error))?;
        Self::start(connection, file)
    }

    fn start(connection: Connection, file: PathBuf) -> Result<Self, StoreError> {
        let catalog =
            Catalog::load(&connection).map_err(|error| connection::failure(&file, error))?;
        let writer =
            Writer::start(connection, file.clone()).map_err(|source| StoreError::Unreachable {
                endpoint: file.display().to_string(),
                source: source.into(),
            })?;
        let writer = Arc::new(writer);
        Ok(Self {
            readers: Arc::new(Readers::new(file.clone())),
            catalog: Arc::new(RwLock::new(Arc::new(catalog))),
            indexing: Indexing::new(Arc::clone(&writer)),
            writer,
            file,
        })
    }

    /// Reads with the models as they are now, whoever installed them.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection, &Catalog) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.catalog);
        self.readers
            .read(move |connection| read(connection, &*current(&shared, connection)?))
            .await
    }

    /// As [`EmbeddedStore::read`], for a query: gives the tables behind `index` and what selects.
    async fn select<T: Send + 'static>(
        &self,
        index: &IndexName,
        query: &Query,
        read: impl FnOnce(&Connection, Vec<Table>, Selection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        query.check().map_err(|reason| self.refused(reason))?;
        let index = index.clone();
        let query = query.clone();
        let indexing = self.indexing.clone();
        self.read(move |connection, catalog| {
            let tables = catalog.tables(connection, &index)?;
            let kinds = catalog.kinds_of(index.as_str());
            let selection = Selection { query, kinds };
            indexing.suggest(&tables, &selection);
            read(connection, tables, selection)
        })
        .await
    }

    fn refused(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Refused {
            endpoint: self.file.display().to_string(),
            reason: reason.into(),
        }
    }
}

#[async_trait]
impl DocumentStore for EmbeddedStore {
    async fn get_many(
        &self,
        index: &IndexName,
        ids: &[DocumentId],
    ) -> Result<Vec<Option<Document>>, StoreError> {
        let index = index.clone();
        let ids = ids.to_vec();
        self.read(move |connection, catalog| {
            let mut documents = vec![None; ids.len()];
            for table in catalog.tables(connection, &index)?.iter().rev() {
                get_from(connection, table, &ids, &mut documents)?;
            }
            Ok(documents)
        })
        .await
    }

    async fn write(&self, actions: Vec<WriteAction>) -> Result<Vec<WriteOutcome>, StoreError> {
        if actions.is_empty() {
            return Ok(Vec::new());
        }
        let prepared = self
            .read(move |_, catalog| Ok(prepare::prepare(actions, catalog)))
            .await?;
        self.writer.write(prepared).await
    }

    async fn search(
        &self,
        index: &IndexName,
        search: &Search,
    ) -> Result<Vec<Document>, StoreError> {
        search.check().map_err(|reason| self.refused(reason))?;
        let search = search.clone();
        self.select(
            index,
            &search.query.clone(),
            move |connection, tables, selection| {
                let found = if search.sort.is_empty() {
                    let mut found = Vec::new();
                    selection.visit(connection, &tables, &Part::Whole, |document| {
                        found.push(document);
                        if found.len() < search.limit {
                            Step::Next
                        } else {
                            Step::Stop
                        }
                    })?;
                    found
                } else {
                    let hits =
                        selection.sorted(connection, &tables, &search.sort, Some(search.limit))?;
                    selection.fetch(connection, &tables, &hits)?
                };
                Ok(found
                    .into_iter()
                    .map(|found| found.into_document(&tables, &search))
                    .collect())
            },
        )
        .await
    }

    async fn scan(&self, index: &IndexName, search: &Search) -> Result<Box<dyn Pages>, StoreError> {
        search.check().map_err(|reason| self.refused(reason))?;
        let search = search.clone();
        let readers = Arc::clone(&self.readers);
        let pages = self
            .select(
                index,
                &search.query.clone(),
                move |connection, tables, selection| {
                    EmbeddedPages::start(connection, readers, tables, selection, search)
                },
            )
            .await?;
        Ok(Box::new(pages))
    }

    async fn count(&self, index: &IndexName, query: &Query) -> Result<u64, StoreError> {
        self.select(index, query, |connection, tables, selection| {
            if selection.query == Query::All {
                return Ok(tables.iter().map(|table| table.documents).sum());
            }
            let mut count = 0;
            let part = Part::of(selection.query.fields());
            selection.visit(connection, &tables, &part, |_| {
                count += 1;
                Step::Next
            })?;
            Ok(count)
        })
        .await
    }

    async fn aggregate(
        &self,
        index: &IndexName,
        aggregation: &Aggregation,
    ) -> Result<Vec<Bucket>, StoreError> {
        let aggregation = aggregation.clone();
        self.select(
            index,
            &aggregation.query.clone(),
            move |connection, tables, selection| {
                let mut tally = Tally::new(&aggregation, &selection.kinds);
                let part = Part::of(aggregation.fields());
                selection.visit(connection, &tables, &part, |found| {
                    tally.add(&found.id, &found.source);
                    Step::Next
                })?;
                Ok(tally.finish())
            },
        )
        .await
    }

    /// Nothing to do: what is committed is visible.
    async fn refresh(&self, _index: &IndexName) -> Result<(), StoreError> {
        Ok(())
    }

    async fn install(&self, model: &Model) -> Result<(), StoreError> {
        let model = model.clone();
        self.writer
            .transact(move |transaction| catalog::install(transaction, &model))
            .await
    }

    async fn indices(&self, pattern: &str) -> Result<Vec<IndexInfo>, StoreError> {
        let pattern = pattern.to_owned();
        self.read(move |connection, catalog| {
            catalog::all_tables(connection)?
                .into_iter()
                .filter(|table| fits(table.index.as_str(), &pattern))
                .map(|table| {
                    Ok(IndexInfo {
                        aliases: catalog.aliases_of(table.index.as_str()),
                        documents: table.documents,
                        bytes: size(connection, &table)?,
                        name: table.index,
                    })
                })
                .collect()
        })
        .await
    }

    async fn drop_index(&self, index: &IndexName) -> Result<(), StoreError> {
        let name = index.clone();
        let is_alias = self
            .read(move |_, catalog| Ok(catalog.is_alias(name.as_str())))
            .await?;
        if is_alias {
            return Err(self.refused(format!("`{index}` is an alias: name one of its indices")));
        }
        let name = index.clone();
        self.writer
            .transact(move |transaction| catalog::drop_index(transaction, name.as_str()))
            .await
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        let installed = self.read(|_, catalog| Ok(catalog.aliases())).await?;
        Ok(StoreStatus {
            name: format!("embedded store in {}", self.file.display()),
            version: format!("SQLite {}", rusqlite::version()),
            healthy: true,
            free_bytes: free_bytes(&self.file),
            installed,
            detail: String::new(),
        })
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.readers.close();
        self.writer
            .run(|connection| {
                connection
                    .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                    .optional()
                    .map(drop)
            })
            .await?;
        self.writer.stop();
        Ok(())
    }
}

/// The models, read again only when some process has installed one since.
fn current(shared: &SharedCatalog, connection: &Connection) -> rusqlite::Result<Arc<Catalog>> {
    let known = Arc::clone(&shared.read().unwrap_or_else(PoisonError::into_inner));
    if Catalog::current_version(connection)? == known.version() {
        return Ok(known);
    }
    let loaded = Arc::new(Catalog::load(connection)?);
    *shared.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&loaded);
    Ok(loaded)
}

/// Fills the places that are still empty.
fn get_from(
    connection: &Connection,
    table: &Table,
    ids: &[DocumentId],
    documents: &mut [Option<Document>],
) -> rusqlite::Result<()> {
    let sql = format!("SELECT seq, src FROM d{} WHERE id = ?1", table.number);
    let mut statement = connection.prepare_cached(&sql)?;
    for (id, place) in ids.iter().zip(documents) {
        if place.is_some() {
            continue;
        }
        *place = statement
            .query_row([id.as_str()], |row| {
                Ok(Document {
                    index: table.index.clone(),
                    id: id.clone(),
                    version: Some(apply::version(row.get(0)?)),
                    source: select::source(row.get_ref(1)?.as_str()?, &Part::Whole)?,
                })
            })
            .optional()?;
    }
    Ok(())
}

/// Whether `name` fits `pattern`, in which `*` stands for any text.
fn fits(name: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Bytes of the pages that hold a table and its indexes.
fn size(connection: &Connection, table: &Table) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(
            "SELECT coalesce(sum(pgsize), 0) FROM dbstat
             WHERE aggregate = TRUE AND name IN (SELECT name FROM sqlite_schema WHERE tbl_name = ?1)",
        )?
        .query_row([format!("d{}", table.number)], |row| row.get::<_, i64>(0))
        .map(i64::unsigned_abs)
}

#[cfg(unix)]
fn free_bytes(file: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(file).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_file: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests;
