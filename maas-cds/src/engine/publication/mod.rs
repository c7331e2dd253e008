//! `CONSOLIDATE_PUBLICATION`: one `cds-publication` per product and interface.

mod prip;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use maas_engine::engine::consolidate::{Consolidate, Consolidator, Draft, Effect, Problem};
use maas_engine::engine::{
    Announcement, Batch, BuildContext, BuildError, Engine, EngineConfig, EngineContext,
    EngineError, EnginePlugin, Notice,
};
use maas_model::document::{Document, DocumentId, IndexName};
use maas_model::model::{Model, PartitionError};
use maas_model::plugin::{Emission, EmitContext, SettingError, Settings};
use serde::Deserialize;

use super::RawClass;
use super::base::{Foundation, Named, emissions_of};
use super::settings::min_date_errors;
use crate::model::{Levels, PUBLICATION_DATES, PripProduct, is_sensing_level, partition_date};

/// The model of what is written.
const CLASS: &str = "CdsPublication";

/// Makes one `CdsPublication` of every raw product: when an interface published it, and how long after
/// sensing and after its origin.
#[derive(Debug, Clone, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PublicationConfig {
    /// Publications whose partition date is earlier are of no interest and not written (a date).
    min_doi: Option<String>,
}

impl Settings for PublicationConfig {
    const NAME: &'static str = "CONSOLIDATE_PUBLICATION";
    const EXAMPLE: &'static str = "{ min_doi: 2024-01-01T00:00:00.000Z }";

    fn check(&self) -> Vec<SettingError> {
        min_date_errors(self.min_doi.as_deref())
    }
}

impl EngineConfig for PublicationConfig {
    fn check_in(&self, cx: &BuildContext<'_>) -> Vec<SettingError> {
        Foundation::missing(cx, CLASS)
    }

    fn build(self, cx: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError> {
        Ok(Box::new(Consolidator(Publications {
            base: Foundation::build(cx, CLASS, self.min_doi.as_deref())?,
        })))
    }

    fn emits(&self, cx: &EmitContext<'_>) -> Vec<Emission> {
        emissions_of(CLASS, cx.models)
    }
}

inventory::submit! {
    EnginePlugin::of::<PublicationConfig>(module_path!()).version(env!("CARGO_PKG_VERSION"))
}

struct Publications {
    base: Foundation,
}

/// What one message needs.
struct Run {
    class: RawClass,
    levels: Arc<Levels>,
}

#[async_trait]
impl Consolidate for Publications {
    type Run = Run;

    fn target(&self) -> &Arc<Model> {
        &self.base.target
    }

    async fn begin(
        &self,
        batch: &Batch,
        _raws: &[Arc<Document>],
        cx: &mut EngineContext<'_>,
    ) -> Result<Run, EngineError> {
        let (class, levels) = self.base.begin(batch, cx).await?;
        Ok(Run { class, levels })
    }

    fn id(&self, run: &Run, raw: &Document) -> Result<DocumentId, Problem> {
        match run.class {
            RawClass::PripProduct => Ok(raw.id.clone()),
        }
    }

    /// By the same rule as the partition of the document, as far as the raw product tells it.
    fn place(&self, run: &Run, raw: &Document) -> Option<IndexName> {
        let named = Named::read(raw, &run.levels).ok()?;
        let raw = PripProduct::new(raw);
        let date = if is_sensing_level(named.level) {
            raw.start_date()
        } else {
            raw.publication_date()
        };
        self.base.index(Some(date?)).ok()
    }

    fn consolidate(
        &self,
        run: &mut Run,
        raw: &Document,
        publication: &mut Document,
    ) -> Result<Effect, Problem> {
        let named = Named::read(raw, &run.levels)?;
        match run.class {
            RawClass::PripProduct => prip::fill(&named, publication),
        }
        Ok(Effect::Consolidated)
    }

    async fn finish(
        &self,
        _run: &mut Run,
        drafts: &mut [Draft],
        cx: &mut EngineContext<'_>,
    ) -> Result<Vec<Notice>, EngineError> {
        self.base.attach_datatakes(drafts, cx).await?;
        Ok(Vec::new())
    }

    fn index_of(&self, _run: &Run, publication: &Document) -> Result<IndexName, PartitionError> {
        self.base.index(self.date(publication))
    }

    fn min_date(&self) -> Option<DateTime<Utc>> {
        self.base.min_date
    }

    fn date(&self, publication: &Document) -> Option<DateTime<Utc>> {
        partition_date(publication, PUBLICATION_DATES)
    }

    fn announce(&self, _run: &Run, publication: &Document) -> Option<Announcement> {
        self.base.announcement(publication)
    }
}
