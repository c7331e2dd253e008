//! Groups and measures: every bucket, page by page.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::OpenSearchStore;
use super::client::Body;
use super::field::{Fields, paths};
use super::query;
use super::search::WHOLE;
use crate::document::{IndexName, parse_date, zulu};
use crate::store::evaluate::Class;
use crate::store::{Aggregation, Bucket, Group, Measure, MeasureKind, StoreError};

/// Buckets of one answer.
const PAGE: usize = 1_000;

#[derive(Default, Deserialize)]
struct Answered {
    hits: Hits,
    #[serde(default)]
    aggregations: Map<String, Value>,
}

#[derive(Default, Deserialize)]
struct Hits {
    total: Total,
}

#[derive(Default, Deserialize)]
struct Total {
    value: u64,
}

#[derive(Default, Deserialize)]
struct Composite {
    after_key: Option<Value>,
    buckets: Vec<CompositeBucket>,
}

#[derive(Deserialize)]
struct CompositeBucket {
    key: Map<String, Value>,
    doc_count: u64,
    #[serde(flatten)]
    measures: Map<String, Value>,
}

impl OpenSearchStore {
    /// See [`DocumentStore::aggregate`](crate::store::DocumentStore::aggregate).
    pub(super) async fn buckets(
        &self,
        index: &IndexName,
        aggregation: &Aggregation,
    ) -> Result<Vec<Bucket>, StoreError> {
        self.check(aggregation.query.check())?;
        let fields = self.fields(index, used(aggregation)).await?;
        let measures = requests(&aggregation.measures, &fields);
        let mut body = json!({
            "query": query::query(&aggregation.query, &fields),
            "size": 0,
            "track_total_hits": true,
        });
        if aggregation.groups.is_empty() {
            body["aggs"] = measures.into();
            let answered = self.ask(index, body).await?;
            return Ok(vec![Bucket {
                keys: Vec::new(),
                count: answered.hits.total.value,
                measures: results(&aggregation.measures, &answered.aggregations),
            }]);
        }
        let mut composite =
            json!({ "size": PAGE, "sources": sources(&aggregation.groups, &fields) });
        let mut buckets = Vec::new();
        loop {
            body["aggs"] = json!({ "groups": { "composite": composite, "aggs": measures } });
            let mut answered = self.ask(index, body.clone()).await?;
            let page = answered
                .aggregations
                .remove("groups")
                .unwrap_or(Value::Null);
            // Without any index there is no aggregation either.
            let page: Option<Composite> = serde_json::from_value(page)
                .map_err(|error| super::client::misread(self.client.endpoint(), &error))?;
            let page = page.unwrap_or_default();
            buckets.extend(
                page.buckets
                    .into_iter()
                    .filter(CompositeBucket::is_whole)
                    .map(|bucket| bucket.bucket(aggregation, &fields)),
            );
            match page.after_key {
                // The next page must be another one, or there is no end.
                Some(after) if composite["after"] == after => {
                    return Err(self.refused("it gives the same page of groups again".to_owned()));
                }
                Some(after) => composite["after"] = after,
                None => return Ok(buckets),
            }
        }
    }

    async fn ask(&self, index: &IndexName, body: Value) -> Result<Answered, StoreError> {
        let path = format!("/{index}/_search");
        let answered = self.client.find_whole(&path, &[WHOLE], Body::Json(body));
        Ok(answered.await?.unwrap_or_default())
    }
}

impl CompositeBucket {
    /// Whether its documents have all the fields.
    fn is_whole(&self) -> bool {
        !self.key.values().any(Value::is_null)
    }

    fn bucket(mut self, aggregation: &Aggregation, fields: &Fields) -> Bucket {
        let groups = aggregation.groups.iter().enumerate();
        let keys = groups.map(|(number, group)| {
            let key = self.key.remove(&group_name(number)).unwrap_or(Value::Null);
            let is_date = match group {
                Group::DateHistogram { .. } => true,
                Group::Terms { field } => fields.get(field).class == Class::Date,
            };
            if is_date {
                stored_date(key)
            } else {
                whole(key)
            }
        });
        Bucket {
            keys: keys.collect(),
            count: self.doc_count,
            measures: results(&aggregation.measures, &self.measures),
        }
    }
}

fn used(aggregation: &Aggregation) -> BTreeSet<&str> {
    let mut used = paths(&aggregation.query);
    used.extend(aggregation.groups.iter().map(|group| match group {
        Group::Terms { field } | Group::DateHistogram { field, .. } => field.as_str(),
    }));
    used.extend(
        aggregation
            .measures
            .iter()
            .map(|measure| measure.field.as_str()),
    );
    used
}

/// Groups and measures go by number: their own names may hold characters that OpenSearch refuses.
fn group_name(number: usize) -> String {
    format!("g{number}")
}

fn measure_name(number: usize) -> String {
    format!("m{number}")
}

fn sources(groups: &[Group], fields: &Fields) -> Value {
    let sources = groups.iter().enumerate().map(|(number, group)| {
        let source = match group {
            Group::Terms { field } => json!({ "terms": { "field": fields.get(field).path } }),
            // OpenSearch 2.19 fails with an index out of bounds where a lone histogram meets a segment
            // without dates, unless asked for the bucket of those too; it is left out afterwards.
            Group::DateHistogram { field, interval } => json!({
                "date_histogram": {
                    "field": fields.get(field).path,
                    "calendar_interval": interval,
                    "missing_bucket": true,
                }
            }),
        };
        json!({ group_name(number): source })
    });
    sources.collect()
}

fn requests(measures: &[Measure], fields: &Fields) -> Map<String, Value> {
    let requests = measures.iter().enumerate().map(|(number, measure)| {
        let field = fields.get(&measure.field).path;
        let request = match measure.kind {
            MeasureKind::Sum => json!({ "sum": { "field": field } }),
            MeasureKind::Min => json!({ "min": { "field": field } }),
            MeasureKind::Max => json!({ "max": { "field": field } }),
            MeasureKind::Average => json!({ "avg": { "field": field } }),
            // Counts exactly up to about the threshold.
            MeasureKind::Cardinality => {
                json!({ "cardinality": { "field": field, "precision_threshold": 10_000 } })
            }
        };
        (measure_name(number), request)
    });
    requests.collect()
}

fn results(measures: &[Measure], answered: &Map<String, Value>) -> BTreeMap<String, Option<f64>> {
    let results = measures.iter().enumerate().map(|(number, measure)| {
        let value = answered.get(&measure_name(number));
        let value = value.and_then(|result| result.get("value")?.as_f64());
        let nothing = match measure.kind {
            MeasureKind::Sum | MeasureKind::Cardinality => Some(0.0),
            MeasureKind::Min | MeasureKind::Max | MeasureKind::Average => None,
        };
        (measure.name.clone(), value.or(nothing))
    });
    results.collect()
}

/// Milliseconds, or text in the form of the field, as the stored form.
fn stored_date(key: Value) -> Value {
    let instant = match key.as_i64() {
        Some(millis) => DateTime::from_timestamp_millis(millis),
        None => parse_date(&key).ok(),
    };
    instant.map_or(key, |instant| zulu(instant).into())
}

/// A whole number of a float field as integer, as every store has it.
fn whole(key: Value) -> Value {
    match key.as_f64() {
        Some(float) if key.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => {
            (float as i64).into()
        }
        _ => key,
    }
}
