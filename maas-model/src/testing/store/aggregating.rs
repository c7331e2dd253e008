//! Promises about groups and measures.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fixture::*;
use crate::document::{IndexName, same};
use crate::store::{
    Aggregation, Bucket, DocumentStore, Group, Interval, Measure, MeasureKind, Query,
};

fn terms(field: &str) -> Group {
    Group::Terms {
        field: field.to_owned(),
    }
}

fn histogram(interval: Interval) -> Group {
    Group::DateHistogram {
        field: "date".to_owned(),
        interval,
    }
}

fn measure(kind: MeasureKind, field: &str) -> Measure {
    let kind_name = serde_json::to_value(kind).unwrap();
    Measure {
        name: kind_name.as_str().unwrap().to_owned(),
        kind,
        field: field.to_owned(),
    }
}

fn by(groups: Vec<Group>) -> Aggregation {
    Aggregation {
        query: Query::All,
        groups,
        measures: Vec::new(),
    }
}

const ALL_KINDS: [MeasureKind; 5] = [
    MeasureKind::Sum,
    MeasureKind::Min,
    MeasureKind::Max,
    MeasureKind::Average,
    MeasureKind::Cardinality,
];

fn measuring(field: &str, groups: Vec<Group>) -> Aggregation {
    let measures = ALL_KINDS.map(|kind| measure(kind, field)).into();
    Aggregation {
        measures,
        ..by(groups)
    }
}

/// Keys and counts, in the order given; keys compare as documents do (`1 == 1.0`).
async fn check(
    store: &dyn DocumentStore,
    index: &IndexName,
    aggregation: &Aggregation,
    expected: Value,
) {
    let buckets = store.aggregate(index, aggregation).await.unwrap();
    let found: Vec<Value> = buckets
        .iter()
        .map(|bucket| {
            let mut row = bucket.keys.clone();
            row.push(bucket.count.into());
            Value::Array(row)
        })
        .collect();
    let found = Value::Array(found);
    assert!(same(&found, &expected), "{found} is not {expected}");
}

fn measures(bucket: &Bucket) -> [Option<f64>; 5] {
    let read = |measures: &BTreeMap<String, Option<f64>>, kind| measures[&measure(kind, "").name];
    ALL_KINDS.map(|kind| read(&bucket.measures, kind))
}

pub async fn no_groups_give_one_bucket(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    fill(store, &index, [("a", json!({"long": 1})), ("b", json!({}))]).await;
    check(store, &index, &by(vec![]), json!([[2]])).await;
}

pub async fn measures_of_nothing(store: &dyn DocumentStore, prefix: &str) {
    let (alias, index, _) = installed(store, prefix).await;
    let nothing = [Some(0.0), None, None, None, Some(0.0)];
    let buckets = store
        .aggregate(&alias, &measuring("long", vec![]))
        .await
        .unwrap();
    assert_eq!(buckets.len(), 1);
    assert_eq!((buckets[0].count, measures(&buckets[0])), (0, nothing));
    check(store, &alias, &by(vec![terms("keyword")]), json!([])).await;

    fill(store, &index, [("a", json!({"keyword": "x"}))]).await;
    let buckets = store
        .aggregate(&alias, &measuring("long", vec![terms("keyword")]))
        .await
        .unwrap();
    assert_eq!((buckets[0].count, measures(&buckets[0])), (1, nothing));
}

pub async fn terms_groups_by_value(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let keyword = |text| json!({"keyword": text});
    let documents = [("a", "x"), ("b", "y"), ("c", "x"), ("d", "X"), ("e", "")];
    fill(
        store,
        &index,
        documents.map(|(id, text)| (id, keyword(text))),
    )
    .await;
    let expected = json!([["", 1], ["X", 1], ["x", 2], ["y", 1]]);
    check(store, &index, &by(vec![terms("keyword")]), expected).await;
}

pub async fn terms_groups_numbers_and_booleans(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    fill(
        store,
        &index,
        [
            ("a", json!({"long": 10, "boolean": true, "double": 1})),
            ("b", json!({"long": 9, "boolean": false, "double": 1.0})),
            ("c", json!({"long": 10, "boolean": true, "double": 0.5})),
        ],
    )
    .await;
    check(
        store,
        &index,
        &by(vec![terms("long")]),
        json!([[9, 1], [10, 2]]),
    )
    .await;
    check(
        store,
        &index,
        &by(vec![terms("double")]),
        json!([[0.5, 1], [1, 2]]),
    )
    .await;
    let booleans = store
        .aggregate(&index, &by(vec![terms("boolean")]))
        .await
        .unwrap();
    let keys: Vec<_> = booleans
        .iter()
        .map(|bucket| (&bucket.keys[0], bucket.count))
        .collect();
    assert_eq!(keys, [(&json!(false), 1), (&json!(true), 2)]);
}

pub async fn a_document_without_the_field_is_left_out(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let values = [("a", json!("x")), ("b", json!(null)), ("c", json!([]))];
    fill(
        store,
        &index,
        values.map(|(id, value)| (id, json!({"keyword": value, "long": 1}))),
    )
    .await;
    fill(store, &index, [("d", json!({"keyword": "x"}))]).await;
    check(
        store,
        &index,
        &by(vec![terms("keyword")]),
        json!([["x", 2]]),
    )
    .await;
    let both = by(vec![terms("keyword"), terms("long")]);
    check(store, &index, &both, json!([["x", 1, 1]])).await;
}

pub async fn a_list_counts_in_several_groups(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let documents = [
        ("a", json!(["x", "y"])),
        ("b", json!("x")),
        ("c", json!(["z", "z"])),
    ];
    fill(
        store,
        &index,
        documents.map(|(id, value)| (id, json!({"keyword": value}))),
    )
    .await;
    check(
        store,
        &index,
        &by(vec![terms("keyword")]),
        json!([["x", 2], ["y", 1], ["z", 1]]),
    )
    .await;
}

pub async fn a_date_histogram_names_the_first_instant(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let dates = [
        ("a", "2024-01-31T23:59:59.999Z"),
        ("b", "2024-02-01T00:00:00Z"),
        ("c", "2024-02-02T00:30:00+01:00"),
        ("d", "2024-03-05T00:00:00.000Z"),
    ];
    fill(
        store,
        &index,
        dates.map(|(id, date)| (id, json!({"date": date}))),
    )
    .await;
    let expected = json!([
        ["2024-01-31T00:00:00.000Z", 1],
        ["2024-02-01T00:00:00.000Z", 2],
        ["2024-03-05T00:00:00.000Z", 1],
    ]);
    check(store, &index, &by(vec![histogram(Interval::Day)]), expected).await;
}

pub async fn every_interval_has_its_span(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    // A Thursday before the epoch, and a Sunday.
    let dates = [
        ("a", "1969-07-24T16:50:35.500Z"),
        ("b", "2024-06-30T23:45:59.999Z"),
    ];
    fill(
        store,
        &index,
        dates.map(|(id, date)| (id, json!({"date": date}))),
    )
    .await;
    for (interval, a, b) in [
        (
            Interval::Minute,
            "1969-07-24T16:50:00.000Z",
            "2024-06-30T23:45:00.000Z",
        ),
        (
            Interval::Hour,
            "1969-07-24T16:00:00.000Z",
            "2024-06-30T23:00:00.000Z",
        ),
        (
            Interval::Day,
            "1969-07-24T00:00:00.000Z",
            "2024-06-30T00:00:00.000Z",
        ),
        (
            Interval::Week,
            "1969-07-21T00:00:00.000Z",
            "2024-06-24T00:00:00.000Z",
        ),
        (
            Interval::Month,
            "1969-07-01T00:00:00.000Z",
            "2024-06-01T00:00:00.000Z",
        ),
        (
            Interval::Year,
            "1969-01-01T00:00:00.000Z",
            "2024-01-01T00:00:00.000Z",
        ),
    ] {
        check(
            store,
            &index,
            &by(vec![histogram(interval)]),
            json!([[a, 1], [b, 1]]),
        )
        .await;
    }
}

pub async fn sum_min_max_average(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let values = [
        ("a", json!(1.5)),
        ("b", json!(-2)),
        ("c", json!([4, 6.5])),
        ("d", json!(null)),
    ];
    fill(
        store,
        &index,
        values.map(|(id, value)| (id, json!({"double": value}))),
    )
    .await;
    let buckets = store
        .aggregate(&index, &measuring("double", vec![]))
        .await
        .unwrap();
    let expected = [Some(10.0), Some(-2.0), Some(6.5), Some(2.5), Some(4.0)];
    assert_eq!((buckets[0].count, measures(&buckets[0])), (4, expected));
}

pub async fn dates_are_measured_in_milliseconds(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let dates = [
        ("a", "1970-01-01T00:00:02.500Z"),
        ("b", "1970-01-01T01:00:01+01:00"),
    ];
    fill(
        store,
        &index,
        dates.map(|(id, date)| (id, json!({"date": date}))),
    )
    .await;
    let buckets = store
        .aggregate(&index, &measuring("date", vec![]))
        .await
        .unwrap();
    let [_, min, max, average, different] = measures(&buckets[0]);
    assert_eq!((min, max), (Some(1_000.0), Some(2_500.0)));
    assert_eq!((average, different), (Some(1_750.0), Some(2.0)));
}

pub async fn cardinality_counts_different_values(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let actions = (0..900)
        .map(|n| {
            put(
                &index,
                &format!("id-{n}"),
                json!({"keyword": format!("k{}", n % 300)}),
            )
        })
        .collect();
    write_all(store, actions).await;
    store.refresh(&index).await.unwrap();
    let mut aggregation = by(vec![]);
    aggregation.measures = vec![measure(MeasureKind::Cardinality, "keyword")];
    let buckets = store.aggregate(&index, &aggregation).await.unwrap();
    assert_eq!(buckets[0].measures["cardinality"], Some(300.0));
}

pub async fn groups_nest(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let document = |date, keyword, long| json!({"date": date, "keyword": keyword, "long": long});
    let (first, second) = ("2024-01-01T05:00:00.000Z", "2024-01-02T05:00:00.000Z");
    fill(
        store,
        &index,
        [
            ("a", document(second, "x", 1)),
            ("b", document(first, "y", 2)),
            ("c", document(first, "x", 3)),
            ("d", document(first, "y", 4)),
        ],
    )
    .await;
    let mut aggregation = by(vec![histogram(Interval::Day), terms("keyword")]);
    aggregation.measures = vec![measure(MeasureKind::Sum, "long")];
    let (first, second) = ("2024-01-01T00:00:00.000Z", "2024-01-02T00:00:00.000Z");
    let expected = json!([[first, "x", 1], [first, "y", 2], [second, "x", 1]]);
    check(store, &index, &aggregation, expected).await;
    let buckets = store.aggregate(&index, &aggregation).await.unwrap();
    let sums: Vec<_> = buckets
        .iter()
        .map(|bucket| bucket.measures["sum"])
        .collect();
    assert_eq!(sums, [Some(3.0), Some(6.0), Some(1.0)]);
}

pub async fn more_groups_than_one_page(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let actions = (0..2_300)
        .map(|n| put(&index, &format!("id-{n}"), json!({"long": n})))
        .collect();
    write_all(store, actions).await;
    store.refresh(&index).await.unwrap();
    let expected: Vec<Value> = (0..2_300).map(|n| json!([n, 1])).collect();
    check(
        store,
        &index,
        &by(vec![terms("long")]),
        Value::Array(expected),
    )
    .await;
}

pub async fn an_aggregation_keeps_to_its_query(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let values = [("a", 1), ("b", 2), ("c", 3)];
    fill(
        store,
        &index,
        values.map(|(id, value)| (id, json!({"long": value}))),
    )
    .await;
    let mut aggregation = by(vec![terms("long")]);
    aggregation.query = Query::between("long", 2, 9);
    check(store, &index, &aggregation, json!([[2, 1], [3, 1]])).await;
}

pub async fn an_aggregation_by_alias_covers_every_partition(
    store: &dyn DocumentStore,
    prefix: &str,
) {
    let (alias, january, february) = installed(store, prefix).await;
    fill(store, &january, [("a", json!({"long": 1}))]).await;
    fill(store, &february, [("b", json!({"long": 1}))]).await;
    check(store, &alias, &by(vec![terms("long")]), json!([[1, 2]])).await;
}

pub async fn different_ids_are_counted(store: &dyn DocumentStore, prefix: &str) {
    let (alias, index, _) = installed(store, prefix).await;
    fill(
        store,
        &index,
        [("a", json!({"long": 1})), ("b", json!({"long": 1}))],
    )
    .await;
    let aggregation = Aggregation {
        measures: vec![measure(MeasureKind::Cardinality, "_id")],
        ..by(vec![])
    };
    let buckets = store.aggregate(&alias, &aggregation).await.unwrap();
    assert_eq!(buckets[0].measures["cardinality"], Some(2.0));
}
