//! The groups that some documents stand in.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, Duration, DurationRound, Months, NaiveTime, Utc};
use indexmap::IndexMap;
use maas_model::document::{Document, DocumentId, Source, parse_date, zulu};
use maas_model::store::{Group, Interval, Query};
use serde_json::Value;

/// One group.
pub(super) struct Touched {
    /// As the store names it.
    pub(super) keys: Vec<Value>,
    /// All documents of it.
    pub(super) query: Query,
    /// Those of the message that stand in it.
    pub(super) inputs: Vec<DocumentId>,
}

/// One value of one group.
#[derive(Clone)]
struct Part {
    key: Value,
    query: Query,
}

/// The groups of `documents`, in their order. A document with lists stands in several, one that lacks a
/// field in none.
pub(super) fn touched(groups: &[Group], documents: &[Arc<Document>]) -> Vec<Touched> {
    let mut found: IndexMap<String, Touched> = IndexMap::new();
    for document in documents {
        for parts in combinations(groups, &document.source) {
            let (keys, queries): (Vec<_>, Vec<_>) =
                parts.into_iter().map(|part| (part.key, part.query)).unzip();
            let name = Value::Array(keys.clone()).to_string();
            let group = found.entry(name).or_insert_with(|| Touched {
                keys,
                query: Query::And(queries),
                inputs: Vec::new(),
            });
            if group.inputs.last() != Some(&document.id) {
                group.inputs.push(document.id.clone());
            }
        }
    }
    found.into_values().collect()
}

fn combinations(groups: &[Group], source: &Source) -> Vec<Vec<Part>> {
    let mut all = vec![Vec::new()];
    for group in groups {
        let parts = parts(group, source);
        let longer = |begun: Vec<Part>| {
            let next = parts.iter().cloned();
            next.map(move |part| [begun.as_slice(), &[part]].concat())
                .collect::<Vec<_>>()
        };
        all = all.into_iter().flat_map(longer).collect();
    }
    all
}

fn parts(group: &Group, source: &Source) -> Vec<Part> {
    let field = match group {
        Group::Terms { field } | Group::DateHistogram { field, .. } => field,
    };
    let values = values(source, field).into_iter();
    match group {
        Group::Terms { .. } => values
            .map(|value| Part {
                key: value.clone(),
                query: Query::term(field, value.clone()),
            })
            .collect(),
        Group::DateHistogram { interval, .. } => values
            .filter_map(|value| span(parse_date(value).ok()?, *interval))
            .map(|(start, end)| Part {
                key: Value::String(zulu(start)),
                query: Query::Range {
                    field: field.clone(),
                    gt: None,
                    gte: Some(Value::String(zulu(start))),
                    lt: Some(Value::String(zulu(end))),
                    lte: None,
                },
            })
            .collect(),
    }
}

/// The values at a path; those of a list one by one.
fn values<'a>(source: &'a Source, path: &str) -> Vec<&'a Value> {
    let found = match path.split_once('.') {
        _ if source.contains_key(path) => source.get(path),
        Some((first, rest)) => {
            return match source.get(first) {
                Some(Value::Object(fields)) => values(fields, rest),
                _ => Vec::new(),
            };
        }
        None => None,
    };
    match found {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(value) => vec![value],
    }
}

/// The calendar span that an instant lies in, and the next one's start.
fn span(instant: DateTime<Utc>, interval: Interval) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let date = instant.date_naive();
    let midnight = |date: chrono::NaiveDate| date.and_time(NaiveTime::MIN).and_utc();
    let fixed = |length: Duration| {
        let start = instant.duration_trunc(length).ok()?;
        Some((start, start + length))
    };
    let dates = match interval {
        Interval::Minute => return fixed(Duration::minutes(1)),
        Interval::Hour => return fixed(Duration::hours(1)),
        Interval::Day => (date, date.checked_add_days(Days::new(1))?),
        Interval::Week => {
            let since_monday = u64::from(date.weekday().num_days_from_monday());
            let monday = date.checked_sub_days(Days::new(since_monday))?;
            (monday, monday.checked_add_days(Days::new(7))?)
        }
        Interval::Month => {
            let first = date.with_day(1)?;
            (first, first.checked_add_months(Months::new(1))?)
        }
        Interval::Year => {
            let first = date.with_ordinal(1)?;
            (first, first.checked_add_months(Months::new(12))?)
        }
    };
    Some((midnight(dates.0), midnight(dates.1)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(interval: Interval, instant: &str, expected: [&str; 2]) {
        let instant = parse_date(&json!(instant)).unwrap();
        let (start, end) = span(instant, interval).unwrap();
        let date = |date: &str| parse_date(&json!(date)).unwrap();
        assert_eq!([start, end], expected.map(date));
    }

    #[test]
    fn spans_follow_the_calendar() {
        use Interval::{Day, Hour, Minute, Month, Week, Year};
        let instant = "2024-02-29T23:59:59.999Z";
        check(
            Minute,
            instant,
            ["2024-02-29T23:59:00.000Z", "2024-03-01T00:00:00.000Z"],
        );
        check(
            Hour,
            instant,
            ["2024-02-29T23:00:00.000Z", "2024-03-01T00:00:00.000Z"],
        );
        check(
            Day,
            instant,
            ["2024-02-29T00:00:00.000Z", "2024-03-01T00:00:00.000Z"],
        );
        check(
            Week,
            instant,
            ["2024-02-26T00:00:00.000Z", "2024-03-04T00:00:00.000Z"],
        );
        check(
            Month,
            instant,
            ["2024-02-01T00:00:00.000Z", "2024-03-01T00:00:00.000Z"],
        );
        check(
            Year,
            instant,
            ["2024-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z"],
        );
    }
}
