//! What is special to the OpenSearch store, on a real node.

use std::sync::Arc;

use maas_model::document::{DocumentId, IndexName, Source, zulu};
use maas_model::model::{Field, FieldType, Model, Partition};
use maas_model::store::{
    Aggregation, DocumentStore, Group, Interval, Measure, MeasureKind, OpenSearchOptions,
    OpenSearchStore, Order, Query, Search, StoreError, WriteAction, WriteOp, WriteOutcome,
};
use maas_tests::server::{OpenSearch, OpenSearchOptions as Server, shared_opensearch};
use serde_json::{Value, json};

pub(super) fn connect(server: &OpenSearch, options: OpenSearchOptions) -> OpenSearchStore {
    let options = OpenSearchOptions {
        replicas: Some(0),
        ..options
    };
    OpenSearchStore::connect(&server.url().parse().unwrap(), options).unwrap()
}

async fn shared() -> OpenSearchStore {
    connect(shared_opensearch().await, OpenSearchOptions::default())
}

maas_model::store_contract!(async { Arc::new(shared().await) });

pub(super) fn name(text: &str) -> IndexName {
    IndexName::new(text).unwrap()
}

fn random_name() -> String {
    format!("t{}", uuid::Uuid::new_v4().simple())
}

pub(super) fn id(text: impl ToString) -> DocumentId {
    DocumentId::new(text.to_string()).unwrap()
}

fn source(value: Value) -> Source {
    match value {
        Value::Object(source) => source,
        other => panic!("{other} is no object"),
    }
}

pub(super) fn index(index: &str, key: impl ToString, value: Value) -> WriteAction {
    WriteAction {
        index: name(index),
        id: id(key),
        op: WriteOp::Index(source(value), None),
    }
}

fn field(kind: FieldType) -> Field {
    Field {
        kind,
        parameters: serde_json::Map::new(),
        fields: indexmap::IndexMap::new(),
    }
}

pub(super) fn model(alias: &str) -> Model {
    Model {
        name: "Thing".to_owned(),
        alias: name(alias),
        fields: [
            ("key".to_owned(), field(FieldType::Keyword)),
            ("size".to_owned(), field(FieldType::Long)),
            ("date".to_owned(), field(FieldType::Date)),
        ]
        .into_iter()
        .collect(),
        partition: Some(Partition {
            fields: vec!["date".to_owned()],
            format: "%Y".to_owned(),
        }),
        settings: std::collections::BTreeMap::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_is_read_over_all_its_partitions_at_once() {
    let store = shared().await;
    let alias = random_name();
    store.install(&model(&alias)).await.unwrap();
    let older = format!("{alias}-2023");
    let newer = format!("{alias}-2024");
    let outcomes = store
        .write(vec![
            index(&older, 1, json!({"key": "old"})),
            index(&newer, 1, json!({"key": "new"})),
            index(&older, 2, json!({"key": "only"})),
        ])
        .await
        .unwrap();
    assert!(outcomes.iter().all(WriteOutcome::is_done), "{outcomes:?}");

    let found = store
        .get_many(&name(&alias), &[id(2), id(3), id(1), id(2)])
        .await
        .unwrap();
    let keys: Vec<_> = found
        .iter()
        .map(|d| d.as_ref().map(|d| d.text("key").unwrap()))
        .collect();
    assert_eq!(keys, [Some("only"), None, Some("new"), Some("only")]);
    assert_eq!(found[2].as_ref().unwrap().index.as_str(), newer);
    assert!(found[0].as_ref().unwrap().version.is_some());

    assert_eq!(
        store.get_many(&name("missing"), &[id(1)]).await.unwrap(),
        [None]
    );
    assert_eq!(store.indices(&format!("{alias}*")).await.unwrap().len(), 2);
    assert!(store.drop_index(&name(&alias)).await.is_err());
    store.drop_index(&name(&older)).await.unwrap();
    store.drop_index(&name(&older)).await.unwrap();
    let status = store.status().await.unwrap();
    assert!(status.healthy, "{status:?}");
    assert!(status.installed.contains(&alias), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_outcome_is_told_per_action() {
    let store = shared().await;
    let alias = random_name();
    store.install(&model(&alias)).await.unwrap();
    let place = format!("{alias}-2024");
    let create = |key: &str| WriteAction {
        op: WriteOp::Create(source(json!({"key": key}))),
        ..index(&place, key, json!({}))
    };
    let delete = |key: &str, version| WriteAction {
        op: WriteOp::Delete(version),
        ..index(&place, key, json!({}))
    };
    let outcomes = store
        .write(vec![
            create("a"),
            create("a"),
            index(&place, "a", json!({"key": "b"})),
            index(&place, "bad", json!({"size": "many"})),
            delete("a", None),
            delete("a", None),
        ])
        .await
        .unwrap();
    let WriteOutcome::Updated(old) = outcomes[2] else {
        panic!("{outcomes:?}")
    };
    assert!(
        matches!(outcomes[0], WriteOutcome::Created(_)),
        "{outcomes:?}"
    );
    assert_eq!(outcomes[1], WriteOutcome::Conflict);
    assert!(
        matches!(&outcomes[3], WriteOutcome::Refused { field: Some(field), .. } if field == "size"),
        "{outcomes:?}"
    );
    assert_eq!(
        outcomes[4..],
        [WriteOutcome::Deleted, WriteOutcome::NotFound]
    );
    let gone = WriteAction {
        op: WriteOp::Index(source(json!({})), Some(old)),
        ..index(&place, "a", json!({}))
    };
    let outcomes = store
        .write(vec![gone, delete("a", Some(old))])
        .await
        .unwrap();
    assert_eq!(outcomes, [WriteOutcome::Conflict, WriteOutcome::Conflict]);
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_are_answered_in_full() {
    let store = shared().await;
    let alias = random_name();
    let whole = name(&alias);
    store.install(&model(&alias)).await.unwrap();
    assert_eq!(store.count(&whole, &Query::All).await.unwrap(), 0);
    assert_eq!(
        store
            .search(&whole, &Search::new(Query::All))
            .await
            .unwrap(),
        []
    );
    let start: chrono::DateTime<chrono::Utc> = "2024-01-01T00:00:00Z".parse().unwrap();
    let actions = (0..2_500).map(|number| {
        let date = zulu(start + chrono::TimeDelta::hours(number));
        let key = format!("k{number}");
        let value = json!({"key": key, "size": number, "date": date, "free": "Some words"});
        index(&format!("{alias}-2024"), number, value)
    });
    let outcomes = store.write(actions.collect()).await.unwrap();
    assert!(outcomes.iter().all(WriteOutcome::is_done));
    store.refresh(&whole).await.unwrap();

    let first_day = Query::between("date", "2024-01-01", "2024-01-01T23:00:00+00:00");
    assert_eq!(store.count(&whole, &first_day).await.unwrap(), 24);
    assert_eq!(
        store
            .count(&whole, &Query::term("free", "Some words"))
            .await
            .unwrap(),
        2_500
    );
    assert_eq!(
        store
            .count(&whole, &Query::term("free", "words"))
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        store
            .count(&whole, &Query::term("size", "no number"))
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        store
            .count(&whole, &Query::term("absent", 1))
            .await
            .unwrap(),
        0
    );

    let search = Search::new(Query::All)
        .sorted("size", Order::Desc)
        .limited(2);
    let found = store.search(&whole, &search).await.unwrap();
    let keys: Vec<_> = found
        .iter()
        .map(|document| document.text("key").unwrap())
        .collect();
    assert_eq!(keys, ["k2499", "k2498"]);

    let mut pages = store
        .scan(&whole, &Search::new(Query::All).limited(300))
        .await
        .unwrap();
    let mut seen = std::collections::BTreeSet::new();
    while let Some(page) = pages.next().await.unwrap() {
        assert!(!page.is_empty());
        for document in page {
            assert!(seen.insert(document.id));
        }
    }
    assert_eq!(seen.len(), 2_500);

    let aggregation = Aggregation {
        query: Query::All,
        groups: vec![Group::DateHistogram {
            field: "date".to_owned(),
            interval: Interval::Hour,
        }],
        measures: vec![Measure {
            name: "all [sizes]".to_owned(),
            kind: MeasureKind::Sum,
            field: "size".to_owned(),
        }],
    };
    let buckets = store.aggregate(&whole, &aggregation).await.unwrap();
    assert_eq!(buckets.len(), 2_500);
    assert_eq!(buckets[1].keys, [json!("2024-01-01T01:00:00.000Z")]);
    assert_eq!(buckets[1].measures["all [sizes]"], Some(1.0));
    assert_eq!(
        store
            .aggregate(&name("missing"), &aggregation)
            .await
            .unwrap(),
        []
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn too_large_requests_are_split_and_the_limit_is_learnt() {
    let settings = Server::default().setting("http.max_content_length", "1mb");
    let server = OpenSearch::start_with(settings).await.unwrap();
    let store = connect(&server, OpenSearchOptions::default());
    let text = "x".repeat(100_000);
    let many = || (0..40).map(|number| index("large", number, json!({"free": text})));
    for _ in 0..2 {
        let outcomes = store.write(many().collect()).await.unwrap();
        assert_eq!(outcomes.len(), 40);
        assert!(outcomes.iter().all(WriteOutcome::is_done), "{outcomes:?}");
    }
    let huge = "x".repeat(2_000_000);
    let outcomes = store
        .write(vec![
            index("large", "small", json!({"a": 1})),
            index("large", "huge", json!({"free": huge})),
        ])
        .await
        .unwrap();
    assert!(outcomes[0].is_done());
    assert!(matches!(outcomes[1], WriteOutcome::Refused { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_told_and_loses_nothing() {
    let settings = Server::default()
        .setting("thread_pool.write.size", "1")
        .setting("thread_pool.write.queue_size", "1");
    let server = OpenSearch::start_with(settings).await.unwrap();
    let store = Arc::new(connect(&server, OpenSearchOptions::default()));
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..24 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let many = (0..500).map(|number| {
                index(
                    &format!("busy-{}", number % 5),
                    format!("{writer}-{number}"),
                    json!({"a": number}),
                )
            });
            store.write(many.collect()).await
        });
    }
    let (mut done, mut busy) = (0, 0);
    while let Some(outcomes) = tasks.join_next().await {
        for outcome in outcomes.unwrap().unwrap() {
            match outcome {
                WriteOutcome::Busy { .. } => busy += 1,
                outcome => done += u64::from(outcome.is_done()),
            }
        }
    }
    assert_eq!(done + busy, 24 * 500);
    let said = server.json("/_nodes/stats/thread_pool").await.unwrap();
    let pools = said["nodes"].as_object().unwrap().values();
    let rejected = pools.map(|node| node["thread_pool"]["write"]["rejected"].as_u64().unwrap());
    assert!(rejected.sum::<u64>() > 0, "the queue was never full");
    let mut stored = 0;
    for number in 0..5 {
        let index = name(&format!("busy-{number}"));
        store.refresh(&index).await.unwrap();
        stored += store.count(&index, &Query::All).await.unwrap();
    }
    assert_eq!(stored, done);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_is_unreachable_and_keeps_what_it_acknowledged() {
    let mut server = OpenSearch::start().await.unwrap();
    let store = connect(&server, OpenSearchOptions::default());
    let outcomes = store.write(
        (0..100)
            .map(|n| index("kept", n, json!({"n": n})))
            .collect(),
    );
    assert!(outcomes.await.unwrap().iter().all(WriteOutcome::is_done));

    server.kill().unwrap();
    let error = store
        .write(vec![index("kept", 100, json!({}))])
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    assert!(error.is_temporary());

    server.restart().await.unwrap();
    let ids: Vec<_> = (0..100).map(id).collect();
    let found = store.get_many(&name("kept"), &ids).await.unwrap();
    assert!(found.iter().all(Option::is_some));
}
