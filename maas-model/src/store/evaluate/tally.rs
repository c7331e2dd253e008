//! Groups and measures, document by document.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, Days, SubsecRound, TimeZone, Utc};
use serde_json::Value;

use super::path::values;
use super::{Class, Kinds, Scalar, scalars};
use crate::document::{DocumentId, Source, zulu};
use crate::store::{Aggregation, Bucket, Group, Interval, MeasureKind};

/// Grows with the number of groups (and of different values where they are counted), not of documents.
#[derive(Debug)]
pub(crate) struct Tally<'a> {
    aggregation: &'a Aggregation,
    kinds: &'a Kinds,
    buckets: BTreeMap<Vec<Scalar<'static>>, Counts>,
}

#[derive(Debug)]
struct Counts {
    documents: u64,
    measures: Vec<Gauge>,
}

/// The running state of one measure.
#[derive(Debug, Default)]
struct Gauge {
    values: u64,
    sum: f64,
    min: f64,
    max: f64,
    different: BTreeSet<Scalar<'static>>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(aggregation: &'a Aggregation, kinds: &'a Kinds) -> Self {
        let mut tally = Self {
            aggregation,
            kinds,
            buckets: BTreeMap::new(),
        };
        if aggregation.groups.is_empty() {
            tally.bucket(Vec::new());
        }
        tally
    }

    pub(crate) fn add(&mut self, id: &DocumentId, source: &Source) {
        for keys in self.keys(id, source) {
            let kinds = self.kinds;
            let measures = &self.aggregation.measures;
            let counts = self.bucket(keys);
            counts.documents += 1;
            for (gauge, measure) in counts.measures.iter_mut().zip(measures) {
                gauge.add(measure.kind, scalars(id, source, &measure.field, kinds));
            }
        }
    }

    pub(crate) fn finish(self) -> Vec<Bucket> {
        let measures = &self.aggregation.measures;
        self.buckets
            .into_iter()
            .map(|(keys, counts)| Bucket {
                keys: keys.into_iter().map(Scalar::into_value).collect(),
                count: counts.documents,
                measures: measures
                    .iter()
                    .zip(&counts.measures)
                    .map(|(measure, gauge)| (measure.name.clone(), gauge.read(measure.kind)))
                    .collect(),
            })
            .collect()
    }

    fn bucket(&mut self, keys: Vec<Scalar<'static>>) -> &mut Counts {
        let measures = self.aggregation.measures.len();
        self.buckets.entry(keys).or_insert_with(|| Counts {
            documents: 0,
            measures: std::iter::repeat_with(Gauge::default)
                .take(measures)
                .collect(),
        })
    }

    /// Every combination of one value per group.
    fn keys(&self, id: &DocumentId, source: &Source) -> Vec<Vec<Scalar<'static>>> {
        let mut combinations = vec![Vec::new()];
        for group in &self.aggregation.groups {
            let keys = group_keys(group, id, source, self.kinds);
            combinations = combinations
                .iter()
                .flat_map(|outer| {
                    keys.iter().map(move |key| {
                        let mut longer: Vec<Scalar<'static>> = outer.clone();
                        longer.push(key.clone());
                        longer
                    })
                })
                .collect();
        }
        combinations
    }
}

impl Gauge {
    fn add(&mut self, kind: MeasureKind, found: Vec<Scalar<'_>>) {
        for value in found {
            if kind == MeasureKind::Cardinality {
                self.different.insert(value.into_owned());
            } else if let Some(number) = value.measured() {
                self.min = if self.values == 0 {
                    number
                } else {
                    self.min.min(number)
                };
                self.max = if self.values == 0 {
                    number
                } else {
                    self.max.max(number)
                };
                self.sum += number;
                self.values += 1;
            }
        }
    }

    fn read(&self, kind: MeasureKind) -> Option<f64> {
        let some = |value: f64| (self.values > 0).then_some(value);
        match kind {
            MeasureKind::Sum => Some(self.sum),
            MeasureKind::Cardinality => Some(self.different.len() as f64),
            MeasureKind::Min => some(self.min),
            MeasureKind::Max => some(self.max),
            MeasureKind::Average => some(self.sum / self.values as f64),
        }
    }
}

/// The different values of one group in a document.
fn group_keys(
    group: &Group,
    id: &DocumentId,
    source: &Source,
    kinds: &Kinds,
) -> BTreeSet<Scalar<'static>> {
    match group {
        Group::Terms { field } => scalars(id, source, field, kinds)
            .into_iter()
            .map(Scalar::into_owned)
            .collect(),
        Group::DateHistogram { field, interval } => values(source, field)
            .into_iter()
            .filter_map(|value| span_start(value, *interval))
            .collect(),
    }
}

fn span_start(value: &Value, interval: Interval) -> Option<Scalar<'static>> {
    let Scalar::Text(text) = Scalar::of(value, Class::Date)? else {
        return None;
    };
    let date = DateTime::parse_from_rfc3339(&text).ok()?.to_utc();
    Some(Scalar::Text(zulu(start_of(date, interval)?).into()))
}

/// The first instant of the span that holds `date`.
fn start_of(date: DateTime<Utc>, interval: Interval) -> Option<DateTime<Utc>> {
    let day = date.date_naive();
    let whole = |seconds: i64| {
        let stamp = date.trunc_subsecs(0).timestamp();
        Utc.timestamp_opt(stamp - stamp.rem_euclid(seconds), 0)
            .single()
    };
    let first = match interval {
        Interval::Minute => return whole(60),
        Interval::Hour => return whole(3_600),
        Interval::Day => day,
        Interval::Week => {
            day.checked_sub_days(Days::new(day.weekday().num_days_from_monday().into()))?
        }
        Interval::Month => day.with_day(1)?,
        Interval::Year => day.with_ordinal(1)?,
    };
    Some(first.and_hms_opt(0, 0, 0)?.and_utc())
}
