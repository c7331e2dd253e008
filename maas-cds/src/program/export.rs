//! `maas export`: documents as JSON lines.

use std::io::{BufWriter, Write, stdout};

use clap::Args;
use maas_model::document::IndexName;
use maas_model::store::{Query, Search};
use serde_json::json;

use super::{Outcome, options::Connection};

/// Print all documents of an index as JSON lines with `_index`, `_id` and `_source`.
///
/// An alias exports all its indices. `maas import` reads what this prints.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Index or alias.
    index: String,
}

impl Export {
    pub(crate) async fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        let index = IndexName::new(self.index)?;
        let store = connection.open_store()?;
        store.refresh(&index).await?;
        let mut pages = store.scan(&index, &Search::new(Query::All)).await?;
        let mut out = BufWriter::new(stdout().lock());
        while let Some(page) = pages.next().await? {
            for document in page {
                let line = json!({
                    "_index": document.index, "_id": document.id, "_source": document.source,
                });
                writeln!(out, "{line}")?;
            }
        }
        out.flush()?;
        Ok(Outcome::Done)
    }
}
