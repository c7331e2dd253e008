//! The levels of the data flow, read once.

use std::sync::{Arc, PoisonError, RwLock};

use maas_engine::engine::{EngineContext, EngineError};
use maas_model::document::IndexName;
use maas_model::store::{Query, Search};

use crate::model::Levels;

/// Keeps the levels for the life of an engine. An empty data flow is looked for again at the next
/// message: it may be collected by then.
#[derive(Debug)]
pub(super) struct LevelCache {
    dataflow: IndexName,
    known: RwLock<Option<Arc<Levels>>>,
}

impl LevelCache {
    pub(super) fn new(dataflow: IndexName) -> Self {
        Self {
            dataflow,
            known: RwLock::new(None),
        }
    }

    pub(super) async fn get(&self, cx: &EngineContext<'_>) -> Result<Arc<Levels>, EngineError> {
        let known = self
            .known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(levels) = known {
            return Ok(levels);
        }
        let levels = Arc::new(self.read(cx).await?);
        if levels.is_empty() {
            tracing::warn!(index = %self.dataflow, "the data flow is empty, so no level is known");
        } else {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            *known = Some(Arc::clone(&levels));
        }
        Ok(levels)
    }

    async fn read(&self, cx: &EngineContext<'_>) -> Result<Levels, EngineError> {
        let mut levels = Levels::default();
        let mut pages = cx.scan(&self.dataflow, &Search::new(Query::All)).await?;
        while let Some(page) = pages.next().await? {
            page.iter().for_each(|row| levels.add(row));
        }
        Ok(levels)
    }
}
