//! `CONSOLIDATE_PRODUCT`: one `cds-product` per product, on which all interfaces meet.

mod dissemination;
mod prip;
mod service;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use maas_engine::engine::consolidate::{Consolidate, Consolidator, Draft, Effect, Problem};
use maas_engine::engine::{
    Announcement, Batch, BuildContext, BuildError, Engine, EngineConfig, EngineContext,
    EngineError, EnginePlugin, Notice,
};
use maas_model::document::{Document, DocumentId, IndexName};
use maas_model::message::{KeyPattern, RoutingKey};
use maas_model::model::{Model, PartitionError};
use maas_model::plugin::{Emission, EmitContext, SettingError, Settings};
use serde::Deserialize;

use super::RawClass;
use super::base::{Foundation, Named, emissions_of, product_name};
use super::settings::{min_date_errors, routing_key, routing_key_errors};
use crate::model::{DisseminationService, Levels, PRODUCT_DATES, partition_date};
use crate::name;

/// The model of what is written.
const CLASS: &str = "CdsProduct";

/// The class named in the messages about Sentinel-2 products beside the reports of what was written.
const S2_CLASS: &str = "CdsProductS2";

/// Announces telemetry of Sentinel-2.
const HKTM_KEY: &str = "update.hktm-products";

/// Makes or completes one `CdsProduct` of all raw products of the same name, whatever their interface:
/// which interfaces published it and when, and the datatake it belongs to.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProductConfig {
    /// Products whose partition date is earlier are of no interest and not written (a date).
    min_doi: Option<String>,
    /// Key of the messages that name Sentinel-2 tiles, which belong into containers.
    container_rk: String,
    /// Most products in one message about telemetry or tiles; 0: no limit.
    container_chunk_size: usize,
    /// The dissemination services, whose delay behind the production interface is measured, by name.
    dd_attrs: BTreeMap<String, DisseminationService>,
}

impl Settings for ProductConfig {
    const NAME: &'static str = "CONSOLIDATE_PRODUCT";
    const EXAMPLE: &'static str =
        "{ container_rk: new.container-products, container_chunk_size: 128 }";

    fn check(&self) -> Vec<SettingError> {
        let mut errors = min_date_errors(self.min_doi.as_deref());
        errors.extend(routing_key_errors("container_rk", &self.container_rk));
        errors
    }
}

impl EngineConfig for ProductConfig {
    fn check_in(&self, cx: &BuildContext<'_>) -> Vec<SettingError> {
        Foundation::missing(cx, CLASS)
    }

    fn build(self, cx: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError> {
        Ok(Box::new(Consolidator(Products {
            base: Foundation::build(cx, CLASS, self.min_doi.as_deref())?,
            hktm_rk: routing_key("", HKTM_KEY)?,
            container_rk: routing_key("container_rk", &self.container_rk)?,
            config: self,
        })))
    }

    fn emits(&self, cx: &EmitContext<'_>) -> Vec<Emission> {
        let mut emissions = emissions_of(CLASS, cx.models);
        for key in [HKTM_KEY, &self.container_rk] {
            let notice = |key| Emission::notice(key, Some(S2_CLASS)).only_changed();
            emissions.extend(KeyPattern::new(key).ok().map(notice));
        }
        emissions
    }
}

impl Default for ProductConfig {
    fn default() -> Self {
        Self {
            min_doi: None,
            container_rk: "new.container-products".to_owned(),
            container_chunk_size: 0,
            dd_attrs: BTreeMap::new(),
        }
    }
}

inventory::submit! {
    EnginePlugin::of::<ProductConfig>(module_path!()).version(env!("CARGO_PKG_VERSION"))
}

struct Products {
    base: Foundation,
    hktm_rk: RoutingKey,
    container_rk: RoutingKey,
    config: ProductConfig,
}

/// What one message needs, and the products it found that others are told of.
struct Run {
    class: RawClass,
    levels: Arc<Levels>,
    told: Told,
}

/// Products that are named in messages beside the reports.
#[derive(Default)]
struct Told {
    hktm: Vec<DocumentId>,
    tiles: Vec<DocumentId>,
}

#[async_trait]
impl Consolidate for Products {
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
        let told = Told::default();
        Ok(Run {
            class,
            levels,
            told,
        })
    }

    fn id(&self, _run: &Run, raw: &Document) -> Result<DocumentId, Problem> {
        Ok(DocumentId::new(name::product_id(product_name(raw)?))?)
    }

    fn consolidate(
        &self,
        run: &mut Run,
        raw: &Document,
        product: &mut Document,
    ) -> Result<Effect, Problem> {
        let levels = Arc::clone(&run.levels);
        let named = Named::read(raw, &levels)?;
        match run.class {
            RawClass::PripProduct => self.fill_prip(&named, product, &mut run.told)?,
        }
        Ok(Effect::Consolidated)
    }

    async fn finish(
        &self,
        run: &mut Run,
        drafts: &mut [Draft],
        cx: &mut EngineContext<'_>,
    ) -> Result<Vec<Notice>, EngineError> {
        self.base.attach_datatakes(drafts, cx).await?;
        let Told { hktm, tiles } = std::mem::take(&mut run.told);
        let notices = [(&self.hktm_rk, hktm), (&self.container_rk, tiles)];
        Ok(notices
            .into_iter()
            .filter(|(_, ids)| !ids.is_empty())
            .map(|(routing_key, ids)| self.notice(routing_key, ids, drafts))
            .collect())
    }

    fn index_of(&self, _run: &Run, product: &Document) -> Result<IndexName, PartitionError> {
        self.base.index(self.date(product))
    }

    fn min_date(&self) -> Option<DateTime<Utc>> {
        self.base.min_date
    }

    fn date(&self, product: &Document) -> Option<DateTime<Utc>> {
        partition_date(product, PRODUCT_DATES)
    }

    fn announce(&self, _run: &Run, product: &Document) -> Option<Announcement> {
        self.base.announcement(product)
    }
}

impl Products {
    fn notice(&self, routing_key: &RoutingKey, ids: Vec<DocumentId>, drafts: &[Draft]) -> Notice {
        let named: HashSet<&DocumentId> = ids.iter().collect();
        let products = drafts.iter().map(|draft| &draft.document);
        let indices: BTreeSet<IndexName> = products
            .filter(|product| named.contains(&product.id))
            .filter_map(|product| self.base.index(self.date(product)).ok())
            .collect();
        Notice {
            routing_key: routing_key.clone(),
            document_class: S2_CLASS.to_owned(),
            indices: indices.into_iter().collect(),
            ids,
            chunk_size: self.config.container_chunk_size,
        }
    }
}
