//! `maas get`: one document.

use clap::Args;
use maas_model::document::{DocumentId, IndexName};
use serde_json::json;

use super::{Outcome, options::Connection, output};

/// Print one document; exit code 1 when it is not there.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// Index or alias.
    index: String,
    /// Its id.
    id: String,
}

impl Get {
    pub(crate) async fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        let (index, id) = (IndexName::new(self.index)?, DocumentId::new(self.id)?);
        let store = connection.open_store()?;
        let found = store.get_many(&index, std::slice::from_ref(&id)).await?;
        let Some(document) = found.into_iter().flatten().next() else {
            tracing::warn!(%index, %id, "no such document");
            return Ok(Outcome::NotWell);
        };
        let printed = json!({
            "_index": document.index,
            "_id": document.id,
            "_seq_no": document.version.map(|version| version.seq_no),
            "_source": document.source,
        });
        output::line(&serde_json::to_string_pretty(&printed)?)?;
        Ok(Outcome::Done)
    }
}
