//! What every engine that consolidates products stands on.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use maas_engine::engine::consolidate::Draft;
use maas_engine::engine::{
    Announcement, Batch, BuildContext, BuildError, EngineContext, EngineError,
};
use maas_model::document::{Document, IndexName};
use maas_model::model::{Model, Models, PartitionError};
use maas_model::plugin::SettingError;

use super::datatake::attach_datatakes;
use super::levels::LevelCache;
use super::report::mission_report;
use crate::engine::RawClass;
use crate::engine::settings::min_date;
use crate::model::{Levels, partition_index};

const DATATAKE: &str = "CdsDatatake";
const DATAFLOW: &str = "CdsDataflow";

/// The model that is written, the documents that are read beside the raw ones, and the earliest date of
/// interest.
pub(in crate::engine) struct Foundation {
    pub(in crate::engine) target: Arc<Model>,
    pub(in crate::engine) min_date: Option<DateTime<Utc>>,
    datatakes: IndexName,
    levels: LevelCache,
    models: Models,
}

impl Foundation {
    /// The models of the pipeline that it needs and does not find.
    pub(in crate::engine) fn missing(cx: &BuildContext<'_>, class: &str) -> Vec<SettingError> {
        cx.missing(&[class, DATATAKE, DATAFLOW])
    }

    /// For documents of the model `class`; `min_doi` was checked before.
    pub(in crate::engine) fn build(
        cx: &BuildContext<'_>,
        class: &str,
        min_doi: Option<&str>,
    ) -> Result<Self, BuildError> {
        Ok(Self {
            target: Arc::clone(cx.model("", class)?),
            min_date: min_date(min_doi),
            datatakes: cx.model("", DATATAKE)?.alias.clone(),
            levels: LevelCache::new(cx.model("", DATAFLOW)?.alias.clone()),
            models: cx.models.clone(),
        })
    }

    /// What the raw documents of a message are, and the levels of their types.
    pub(in crate::engine) async fn begin(
        &self,
        batch: &Batch,
        cx: &EngineContext<'_>,
    ) -> Result<(RawClass, Arc<Levels>), EngineError> {
        let class = RawClass::of(&batch.message.document_class)?;
        Ok((class, self.levels.get(cx).await?))
    }

    pub(in crate::engine) async fn attach_datatakes(
        &self,
        drafts: &mut [Draft],
        cx: &EngineContext<'_>,
    ) -> Result<(), EngineError> {
        attach_datatakes(drafts, &self.datatakes, cx).await
    }

    /// The index of a document of this date.
    pub(in crate::engine) fn index(
        &self,
        date: Option<DateTime<Utc>>,
    ) -> Result<IndexName, PartitionError> {
        partition_index(&self.target, date)
    }

    /// How a document is announced.
    pub(in crate::engine) fn announcement(&self, document: &Document) -> Option<Announcement> {
        mission_report(&self.target, &self.models, document)
    }
}
