//! Intents whose messages may never come again.

use std::time::Duration;

use maas_model::document::{Document, DocumentId, Version, zulu};
use maas_model::store::{Query, Search, StoreError, WriteAction, WriteOp};
use serde_json::Value;

use super::{Intents, debt_of};
use crate::pool::plan::Debt;

/// An intent whose message may never come again.
#[derive(Debug)]
pub(crate) struct Orphan {
    id: DocumentId,
    version: Option<Version>,
    pub(crate) message_id: String,
    pub(crate) engine: String,
    pub(crate) debt: Debt,
}

impl Intents {
    /// Intents of this pool that nobody has touched for so long, some at a time.
    pub(crate) async fn older_than(&self, age: Duration) -> Result<Vec<Orphan>, StoreError> {
        const MOST: usize = 100;
        let age = chrono::TimeDelta::from_std(age).unwrap_or(chrono::TimeDelta::MAX);
        let now = self.clock.now();
        let before = now.checked_sub_signed(age).unwrap_or(now);
        let old = Query::Range {
            field: "date".to_owned(),
            gt: None,
            gte: None,
            lt: Some(Value::String(zulu(before))),
            lte: None,
        };
        let query = Query::term("pool", self.pool.as_str()).and(old);
        let search = Search::new(query).limited(MOST);
        let found = self.store.search(&self.index, &search).await?;
        // What a search finds may be gone, or have changed.
        let ids: Vec<DocumentId> = found.into_iter().map(|intent| intent.id).collect();
        let found = match ids.is_empty() {
            true => Vec::new(),
            false => self.store.get_many(&self.index, &ids).await?,
        };
        let before = zulu(before);
        let orphan = |intent: Document| {
            let text = |field| intent.text(field).unwrap_or_default().to_owned();
            // Stored dates sort as texts.
            if text("date") >= before {
                return None;
            }
            let debt = debt_of(&intent.source);
            let unread = |error: &StoreError| tracing::warn!(%error, "an old intent stays");
            Some(Orphan {
                message_id: text("message_id"),
                engine: text("engine"),
                debt: debt.inspect_err(unread).ok()?,
                version: intent.version,
                id: intent.id.clone(),
            })
        };
        Ok(found.into_iter().flatten().filter_map(orphan).collect())
    }

    /// Removes an intent as it was found.
    pub(crate) async fn remove(&self, orphan: &Orphan) -> Result<(), StoreError> {
        let action = WriteAction {
            index: self.index.clone(),
            id: orphan.id.clone(),
            op: WriteOp::Delete(orphan.version),
        };
        self.send(vec![Some(action)]).await.map(drop)
    }
}
