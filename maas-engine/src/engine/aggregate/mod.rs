//! `AGGREGATE`: keeps one document per group of documents, with counts and measures.

mod fields;
#[cfg(test)]
mod tests;
mod touched;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use maas_model::document::{Document, DocumentId, IdFields, Source};
use maas_model::model::Model;
use maas_model::plugin::{Emission, EmitContext, SettingError, Settings};
use maas_model::store::{Aggregation, Bucket, Group, Measure, Query};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use self::touched::{Touched, touched};
use super::{
    Announcement, Batch, BuildContext, BuildError, Change, Engine, EngineConfig, EngineContext,
    EngineError, EnginePlugin, Output,
};

/// Sums up documents: one document of the target model per group, with the number of documents and
/// measures of their fields.
///
/// Only the groups that the documents of the message stand in are computed, each whole, so doing it
/// twice changes nothing. A group that has no documents any more is deleted. A document that moved to
/// another group is still counted in the old one until that is touched: group by fields that stay.
///
/// What it selects, groups by, measures and fills must be declared fields of the two models (or `_id`, to
/// select by or to count). Documents may have further fields, but how a store indexes those is its own affair: a text may not be
/// grouped by at all.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AggregateConfig {
    /// Model of the documents that are summed up.
    source_model: String,
    /// Model of the documents that the message names, where these are not the ones summed up. They have
    /// the same fields to group by: publications are summed up where a product changed.
    #[serde(default)]
    input_model: Option<String>,
    /// Which documents are summed up; all unless given: `{term: {field: mission, value: S1}}`.
    #[serde(default)]
    #[schemars(with = "Option<Value>")]
    query: Option<Query>,
    /// What they are grouped by, outermost first.
    #[schemars(length(min = 1))]
    groups: Vec<GroupBy>,
    /// What is measured in every group; the name is the field of the target.
    #[serde(default)]
    measures: Vec<Measure>,
    /// Field of the target that takes the number of documents.
    #[serde(default = "default_count")]
    count: String,
    /// Model of the summaries.
    target_model: String,
    /// What the ids of the summaries are made of.
    #[serde(default)]
    id: IdStyle,
}

/// One way to group, and where it stands in the target.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupBy {
    /// Field of the target that takes the value.
    name: String,
    /// The group.
    by: Group,
}

/// What the id of a summary is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IdStyle {
    /// The values of the groups, joined by `#`.
    #[default]
    Readable,
    /// The MD5 of the values of the groups.
    Md5,
}

fn default_count() -> String {
    "count".to_owned()
}

impl Settings for AggregateConfig {
    const NAME: &'static str = "AGGREGATE";
    const EXAMPLE: &'static str = "{ source_model: CdsProduct, target_model: ProductSummary, \
         groups: [ { name: day, by: { date_histogram: { field: sensing_start_date, interval: day } } }, \
         { name: mission, by: { terms: { field: mission } } } ], \
         measures: [ { name: volume, kind: sum, field: content_length } ] }";

    fn check(&self) -> Vec<SettingError> {
        let mut errors = Vec::new();
        if self.groups.is_empty() {
            errors.push(SettingError::new("groups", "there must be at least one"));
        }
        let names = self.groups.iter().map(|group| &group.name);
        let names = names.chain(self.measures.iter().map(|measure| &measure.name));
        let mut seen = std::collections::HashSet::from([&self.count]);
        for name in names.filter(|name| !seen.insert(*name)) {
            let message = format!("`{name}` names two fields of the target");
            errors.push(SettingError::new("", message));
        }
        errors
    }
}

impl EngineConfig for AggregateConfig {
    fn check_in(&self, cx: &BuildContext<'_>) -> Vec<SettingError> {
        let mut errors = Vec::new();
        match cx.model("source_model", &self.source_model) {
            Ok(source) => errors.extend(fields::read(self, source, cx)),
            Err(error) => errors.push(error),
        }
        match cx.model("target_model", &self.target_model) {
            Ok(target) => errors.extend(fields::written(self, target, cx)),
            Err(error) => errors.push(error),
        }
        errors
    }

    fn build(self, cx: &BuildContext<'_>) -> Result<Box<dyn Engine>, BuildError> {
        let (names, groups): (Vec<_>, Vec<_>) = self
            .groups
            .into_iter()
            .map(|group| (group.name, group.by))
            .unzip();
        let input_model = self.input_model.as_ref().unwrap_or(&self.source_model);
        Ok(Box::new(Aggregate {
            input: Arc::clone(cx.model("input_model", input_model)?),
            source: Arc::clone(cx.model("source_model", &self.source_model)?),
            target: Arc::clone(cx.model("target_model", &self.target_model)?),
            query: self.query.unwrap_or(Query::All),
            names,
            groups,
            measures: self.measures,
            count: self.count,
            id: self.id,
        }))
    }

    fn emits(&self, cx: &EmitContext<'_>) -> Vec<Emission> {
        cx.of_model(&self.target_model)
    }
}

inventory::submit! {
    EnginePlugin::of::<AggregateConfig>(module_path!()).version(env!("CARGO_PKG_VERSION"))
}

/// So many groups are asked for in one request.
const GROUPS_PER_REQUEST: usize = 100;

struct Aggregate {
    input: Arc<Model>,
    source: Arc<Model>,
    target: Arc<Model>,
    query: Query,
    names: Vec<String>,
    groups: Vec<Group>,
    measures: Vec<Measure>,
    count: String,
    id: IdStyle,
}

#[async_trait]
impl Engine for Aggregate {
    async fn run(&self, batch: &Batch, cx: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        let documents = cx.input_of(&self.input.alias, batch).await?;
        let mut groups = HashMap::new();
        let touched = touched(&self.groups, &documents);
        let mut order = Vec::with_capacity(touched.len());
        for group in touched {
            let id = self.id_of(&group.keys)?;
            order.push(id.clone());
            groups.insert(id, group);
        }
        // Before the search, so that a worker who saw less and was faster makes a conflict.
        let stored = cx.get_many(&self.target.alias, &order).await?;
        let mut buckets = self.buckets(cx, &groups).await?;
        let mut output = Output::default();
        for (id, stored) in order.into_iter().zip(stored) {
            let inputs = groups
                .remove(&id)
                .map(|group| group.inputs)
                .unwrap_or_default();
            let change = self.change(&id, stored, buckets.remove(&id), inputs)?;
            output.changes.extend(change);
        }
        Ok(output)
    }
}

impl Aggregate {
    async fn buckets(
        &self,
        cx: &EngineContext<'_>,
        groups: &HashMap<DocumentId, Touched>,
    ) -> Result<HashMap<DocumentId, Bucket>, EngineError> {
        let queries: Vec<Query> = groups.values().map(|group| group.query.clone()).collect();
        let mut buckets = HashMap::with_capacity(groups.len());
        for queries in queries.chunks(GROUPS_PER_REQUEST) {
            let aggregation = Aggregation {
                query: self.query.clone().and(Query::Or(queries.to_vec())),
                groups: self.groups.clone(),
                measures: self.measures.clone(),
            };
            for bucket in cx.aggregate(&self.source.alias, &aggregation).await? {
                let id = self.id_of(&bucket.keys)?;
                if groups.contains_key(&id) {
                    buckets.insert(id, bucket);
                }
            }
        }
        Ok(buckets)
    }

    fn change(
        &self,
        id: &DocumentId,
        stored: Option<Document>,
        bucket: Option<Bucket>,
        inputs: Vec<DocumentId>,
    ) -> Result<Option<Change>, EngineError> {
        let change = match (stored, bucket) {
            (None, None) => return Ok(None),
            (Some(stored), None) => Change::delete(stored, inputs),
            (stored, Some(bucket)) => {
                let mut source = self.content(bucket);
                self.target.coerce(&mut source).map_err(|errors| {
                    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
                    EngineError::Refused(errors.join("; "))
                })?;
                let index = match &stored {
                    Some(stored) => stored.index.clone(),
                    None => self.target.index_of(&source).map_err(refused)?,
                };
                let (version, before) = match stored {
                    Some(stored) => (stored.version, Some(stored.source)),
                    None => (None, None),
                };
                let mut document = Document::new(index, id.clone(), source);
                document.version = version;
                Change::write(document, before, inputs)
            }
        };
        Ok(Some(change.announced(Announcement {
            subject: self.target.alias.to_string(),
            document_class: self.target.name.clone(),
        })))
    }

    fn content(&self, bucket: Bucket) -> Source {
        let mut source = self.fields_of(&bucket.keys);
        source.insert(self.count.clone(), json!(bucket.count));
        for (name, value) in bucket.measures {
            source.extend(value.map(|value| (name, json!(value))));
        }
        source
    }

    fn fields_of(&self, keys: &[Value]) -> Source {
        self.names
            .iter()
            .cloned()
            .zip(keys.iter().cloned())
            .collect()
    }

    fn id_of(&self, keys: &[Value]) -> Result<DocumentId, EngineError> {
        let readable = || {
            let texts = keys.iter().map(|key| match key {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            DocumentId::new(texts.collect::<Vec<_>>().join("#"))
        };
        match self.id {
            IdStyle::Readable => readable().map_err(refused),
            IdStyle::Md5 => {
                let fields = IdFields::Digest(self.names.clone());
                fields.id_of(&self.fields_of(keys)).map_err(refused)
            }
        }
    }
}

fn refused(error: impl std::fmt::Display) -> EngineError {
    EngineError::Refused(error.to_string())
}
