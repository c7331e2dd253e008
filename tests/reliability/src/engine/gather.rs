//! `GATHER`: sums up by search, and notes when a search did not see what its message named.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use maas_engine::engine::{
    Batch, BuildContext, BuildError, Change, Engine, EngineConfig, EngineContext, EngineError,
    EnginePlugin, Output,
};
use maas_model::document::{Document, DocumentId};
use maas_model::model::Model;
use maas_model::plugin::{Emission, EmitContext, Settings};
use maas_model::store::{Aggregation, Group, Measure, MeasureKind, Query};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// Keeps one document per site with the number of its documents and the sum of their values.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GatherConfig {
    /// The model of the documents that are summed up; it declares `site` and `value`.
    source_model: String,
    /// The model of the sums.
    target_model: String,
}

impl Settings for GatherConfig {
    const NAME: &'static str = "GATHER";
    const EXAMPLE: &'static str = "{ source_model: Thing, target_model: Site }";
}

impl EngineConfig for GatherConfig {
    fn build(self, cx: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError> {
        Ok(Box::new(Gather {
            source: Arc::clone(cx.model("source_model", &self.source_model)?),
            target: Arc::clone(cx.model("target_model", &self.target_model)?),
        }))
    }

    fn emits(&self, _: &EmitContext<'_>) -> Vec<Emission> {
        Vec::new()
    }
}

inventory::submit! { EnginePlugin::of::<GatherConfig>(module_path!()) }

static UNSEEN: AtomicUsize = AtomicUsize::new(0);
static RUNS: AtomicUsize = AtomicUsize::new(0);

/// How many named documents a search did not see, and how often engines of this kind ran, since the last
/// call.
pub fn take_unseen() -> (usize, usize) {
    (
        UNSEEN.swap(0, Ordering::SeqCst),
        RUNS.swap(0, Ordering::SeqCst),
    )
}

struct Gather {
    source: Arc<Model>,
    target: Arc<Model>,
}

#[async_trait]
impl Engine for Gather {
    async fn run(&self, batch: &Batch, cx: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        RUNS.fetch_add(1, Ordering::SeqCst);
        let mut members: BTreeMap<String, Vec<DocumentId>> = BTreeMap::new();
        for input in cx.input(batch).await? {
            if let Some(site) = input.source.get("site").and_then(Value::as_str) {
                let of_site = members.entry(site.to_owned()).or_default();
                of_site.push(input.id.clone());
            }
        }
        let ids: Result<Vec<_>, _> = members.keys().map(DocumentId::new).collect();
        let ids = ids.map_err(|error| EngineError::Refused(error.to_string()))?;
        // Before the search: whoever saw less and is slower is overtaken.
        let stored = cx.get_many(&self.target.alias, &ids).await?;
        let sums = self.sums(members.keys().collect(), cx).await?;
        let seen = cx
            .count(&self.source.alias, &Query::Ids(batch.ids.clone()))
            .await?;
        UNSEEN.fetch_add(
            batch.ids.len() - usize::try_from(seen).unwrap_or(0),
            Ordering::SeqCst,
        );

        let mut output = Output::default();
        for ((id, stored), (site, inputs)) in ids.into_iter().zip(stored).zip(members) {
            let before = stored.as_ref().map(|stored| stored.source.clone());
            let mut document = stored.unwrap_or_else(|| {
                Document::new(self.target.alias.clone(), id, Default::default())
            });
            let (count, total) = sums.get(&site).copied().unwrap_or_default();
            document.set("count", json!(count));
            document.set("total", json!(total));
            output.changes.push(Change::write(document, before, inputs));
        }
        Ok(output)
    }
}

impl Gather {
    async fn sums(
        &self,
        sites: BTreeSet<&String>,
        cx: &EngineContext<'_>,
    ) -> Result<BTreeMap<String, (u64, i64)>, EngineError> {
        let aggregation = Aggregation {
            query: Query::Terms {
                field: "site".to_owned(),
                values: sites.into_iter().map(|site| json!(site)).collect(),
            },
            groups: vec![Group::Terms {
                field: "site".to_owned(),
            }],
            measures: vec![Measure {
                name: "total".to_owned(),
                kind: MeasureKind::Sum,
                field: "value".to_owned(),
            }],
        };
        let buckets = cx.aggregate(&self.source.alias, &aggregation).await?;
        let sum = |bucket: maas_model::store::Bucket| {
            let site = bucket.keys.first()?.as_str()?.to_owned();
            let total = bucket.measures.get("total").copied().flatten()?;
            Some((site, (bucket.count, total as i64)))
        };
        Ok(buckets.into_iter().filter_map(sum).collect())
    }
}
