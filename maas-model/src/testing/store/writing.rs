//! Promises about writing.

use serde_json::{Value, json};

use super::fixture::*;
use crate::document::{DocumentId, Version};
use crate::store::{DocumentStore, WriteAction, WriteOp, WriteOutcome};

fn create(index: &crate::document::IndexName, name: &str, value: Value) -> WriteAction {
    action(index, name, WriteOp::Create(source(value)))
}

fn replace(
    index: &crate::document::IndexName,
    name: &str,
    value: Value,
    version: Version,
) -> WriteAction {
    action(index, name, WriteOp::Index(source(value), Some(version)))
}

/// The field that a document is refused for.
async fn refused_field(store: &dyn DocumentStore, prefix: &str, value: Value) -> Option<String> {
    let (_, index, _) = installed(store, prefix).await;
    match write_one(store, put(&index, "a", value)).await {
        WriteOutcome::Refused { field, reason } => {
            assert!(!reason.is_empty());
            assert_eq!(get(store, &index, "a").await, None);
            field
        }
        other => panic!("not refused: {other:?}"),
    }
}

/// What comes back of a document.
async fn back(store: &dyn DocumentStore, prefix: &str, value: Value) -> Value {
    let (_, index, _) = installed(store, prefix).await;
    write_all(store, vec![put(&index, "a", value)]).await;
    Value::Object(get(store, &index, "a").await.unwrap().source)
}

pub async fn nothing_to_write_is_no_error(store: &dyn DocumentStore, _prefix: &str) {
    assert_eq!(store.write(Vec::new()).await.unwrap(), []);
}

pub async fn create_refuses_an_existing_document(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let first = write_one(store, create(&index, "a", json!({"n": 1}))).await;
    assert!(matches!(first, WriteOutcome::Created(_)), "{first:?}");
    let second = write_one(store, create(&index, "a", json!({"n": 2}))).await;
    assert_eq!(second, WriteOutcome::Conflict);
    assert_eq!(get(store, &index, "a").await.unwrap().source["n"], 1);
}

pub async fn index_creates_and_then_updates(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let first = write_one(store, put(&index, "a", json!({"n": 1, "gone": 1}))).await;
    assert!(matches!(first, WriteOutcome::Created(_)), "{first:?}");
    let second = write_one(store, put(&index, "a", json!({"n": 2}))).await;
    assert!(matches!(second, WriteOutcome::Updated(_)), "{second:?}");
    let found = get(store, &index, "a").await.unwrap();
    assert_eq!(Value::Object(found.source), json!({"n": 2}));
}

pub async fn index_at_the_version_read_updates(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    write_all(
        store,
        vec![
            put(&index, "a", json!({"n": 1})),
            put(&index, "b", json!({})),
        ],
    )
    .await;
    let read = get(store, &index, "a").await.unwrap().version.unwrap();
    let outcome = write_one(store, replace(&index, "a", json!({"n": 2}), read)).await;
    assert!(matches!(outcome, WriteOutcome::Updated(_)), "{outcome:?}");
    let found = get(store, &index, "a").await.unwrap();
    assert_eq!(found.version, Some(written(&outcome)));
    assert_eq!(found.source["n"], 2);
}

pub async fn index_at_an_old_version_conflicts(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let old = written(&write_one(store, put(&index, "a", json!({"n": 1}))).await);
    write_all(store, vec![put(&index, "a", json!({"n": 2}))]).await;
    let outcome = write_one(store, replace(&index, "a", json!({"n": 3}), old)).await;
    assert_eq!(outcome, WriteOutcome::Conflict);
    assert_eq!(get(store, &index, "a").await.unwrap().source["n"], 2);
}

pub async fn index_at_the_version_of_a_gone_document_conflicts(
    store: &dyn DocumentStore,
    prefix: &str,
) {
    let (_, index, _) = installed(store, prefix).await;
    let version = written(&write_one(store, put(&index, "a", json!({"n": 1}))).await);
    write_all(store, vec![action(&index, "a", WriteOp::Delete(None))]).await;
    let outcome = write_one(store, replace(&index, "a", json!({"n": 2}), version)).await;
    assert_eq!(outcome, WriteOutcome::Conflict);
    assert_eq!(get(store, &index, "a").await, None);
}

pub async fn versions_grow_with_every_write(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let mut last = None;
    for n in 0..5 {
        let outcome = write_one(store, put(&index, "a", json!({"n": n}))).await;
        let seq_no = Some(written(&outcome).seq_no);
        assert!(seq_no > last, "{seq_no:?} after {last:?}");
        last = seq_no;
    }
}

pub async fn delete_removes_and_tells(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    write_all(
        store,
        vec![put(&index, "a", json!({})), put(&index, "b", json!({}))],
    )
    .await;
    let read = get(store, &index, "b").await.unwrap().version;
    for (name, version) in [("a", None), ("b", read)] {
        let outcome = write_one(store, action(&index, name, WriteOp::Delete(version))).await;
        assert_eq!(outcome, WriteOutcome::Deleted);
        assert_eq!(get(store, &index, name).await, None);
    }
}

pub async fn delete_of_a_missing_document_says_so(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    write_all(store, vec![put(&index, "a", json!({}))]).await;
    let outcome = write_one(store, action(&index, "b", WriteOp::Delete(None))).await;
    assert_eq!(outcome, WriteOutcome::NotFound);
}

pub async fn delete_at_an_old_version_conflicts(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let old = written(&write_one(store, put(&index, "a", json!({"n": 1}))).await);
    write_all(store, vec![put(&index, "a", json!({"n": 2}))]).await;
    let outcome = write_one(store, action(&index, "a", WriteOp::Delete(Some(old)))).await;
    assert_eq!(outcome, WriteOutcome::Conflict);
    assert!(get(store, &index, "a").await.is_some());
}

pub async fn a_deleted_document_can_be_created_again(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let first = written(&write_one(store, create(&index, "a", json!({"n": 1}))).await);
    write_all(store, vec![action(&index, "a", WriteOp::Delete(None))]).await;
    let again = write_one(store, create(&index, "a", json!({"n": 2}))).await;
    assert!(matches!(again, WriteOutcome::Created(_)), "{again:?}");
    assert!(written(&again).seq_no > first.seq_no);
}

pub async fn outcomes_come_in_the_order_of_the_actions(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, other) = installed(store, prefix).await;
    write_all(store, vec![put(&index, "there", json!({}))]).await;
    let outcomes = store
        .write(vec![
            create(&index, "there", json!({})),
            create(&other, "new", json!({})),
            action(&index, "nowhere", WriteOp::Delete(None)),
            put(&index, "refused", json!({"long": "no number"})),
            put(&index, "there", json!({"n": 1})),
            action(&index, "there", WriteOp::Delete(None)),
        ])
        .await
        .unwrap();
    assert_eq!(outcomes[0], WriteOutcome::Conflict);
    assert!(
        matches!(outcomes[1], WriteOutcome::Created(_)),
        "{outcomes:?}"
    );
    assert_eq!(outcomes[2], WriteOutcome::NotFound);
    assert!(
        matches!(outcomes[3], WriteOutcome::Refused { .. }),
        "{outcomes:?}"
    );
    assert!(
        matches!(outcomes[4], WriteOutcome::Updated(_)),
        "{outcomes:?}"
    );
    assert_eq!(outcomes[5], WriteOutcome::Deleted);
}

pub async fn actions_on_one_document_take_effect_in_their_order(
    store: &dyn DocumentStore,
    prefix: &str,
) {
    let (_, index, _) = installed(store, prefix).await;
    let actions = (0..10).map(|n| put(&index, "a", json!({"n": n}))).collect();
    let outcomes = write_all(store, actions).await;
    assert!(matches!(outcomes[0], WriteOutcome::Created(_)));
    assert!(
        outcomes[1..]
            .iter()
            .all(|outcome| matches!(outcome, WriteOutcome::Updated(_)))
    );
    let found = get(store, &index, "a").await.unwrap();
    assert_eq!(found.source["n"], 9);
    assert_eq!(found.version, Some(written(&outcomes[9])));
}

pub async fn one_call_writes_several_indices(store: &dyn DocumentStore, prefix: &str) {
    let (alias, january, february) = installed(store, prefix).await;
    let elsewhere = index(prefix, "elsewhere");
    let actions = [&january, &february, &elsewhere, &january]
        .into_iter()
        .enumerate()
        .map(|(n, index)| put(index, &format!("id-{n}"), json!({"n": n})))
        .collect();
    write_all(store, actions).await;
    let found = store
        .get_many(&alias, &ids(["id-0", "id-1", "id-2", "id-3"]))
        .await
        .unwrap();
    let there: Vec<bool> = found.iter().map(Option::is_some).collect();
    assert_eq!(there, [true, true, false, true]);
    assert!(get(store, &elsewhere, "id-2").await.is_some());
}

pub async fn a_conflict_leaves_the_neighbours_alone(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    write_all(store, vec![put(&index, "b", json!({"n": 0}))]).await;
    let actions = ["a", "b", "c"].map(|name| create(&index, name, json!({"n": 1})));
    let outcomes = store.write(actions.into()).await.unwrap();
    let done: Vec<bool> = outcomes.iter().map(WriteOutcome::is_done).collect();
    assert_eq!(done, [true, false, true]);
    assert_eq!(get(store, &index, "c").await.unwrap().source["n"], 1);
}

pub async fn a_refused_document_leaves_the_neighbours_alone(
    store: &dyn DocumentStore,
    prefix: &str,
) {
    let (_, index, _) = installed(store, prefix).await;
    let long = |n: usize| if n == 50 { json!("fifty") } else { json!(n) };
    let actions = (0..100)
        .map(|n| put(&index, &format!("id-{n}"), json!({"long": long(n)})))
        .collect();
    let outcomes = store.write(actions).await.unwrap();
    for (n, outcome) in outcomes.iter().enumerate() {
        let stored = get(store, &index, &format!("id-{n}")).await.is_some();
        let refused = matches!(outcome, WriteOutcome::Refused { .. });
        assert_eq!((refused, stored), (n == 50, n != 50), "{n}: {outcome:?}");
    }
}

pub async fn a_refusal_names_the_field(store: &dyn DocumentStore, prefix: &str) {
    let field = refused_field(
        store,
        prefix,
        json!({"keyword": "x", "object": {"long": "x"}}),
    )
    .await;
    assert_eq!(field.as_deref(), Some("object.long"));
}

pub async fn a_text_in_a_number_field_is_refused(store: &dyn DocumentStore, prefix: &str) {
    let field = refused_field(store, prefix, json!({"double": [1.5, "much"]})).await;
    assert_eq!(field.as_deref(), Some("double"));
}

pub async fn an_object_in_a_keyword_field_is_refused(store: &dyn DocumentStore, prefix: &str) {
    let field = refused_field(store, prefix, json!({"keyword": {"a": 1}})).await;
    assert_eq!(field.as_deref(), Some("keyword"));
}

pub async fn a_date_that_is_none_is_refused(store: &dyn DocumentStore, prefix: &str) {
    let field = refused_field(store, prefix, json!({"date": "the day before"})).await;
    assert_eq!(field.as_deref(), Some("date"));
}

pub async fn a_malformed_value_is_kept_where_the_model_ignores_it(
    store: &dyn DocumentStore,
    prefix: &str,
) {
    let document = json!({"lenient": "no number", "long": 1});
    assert_eq!(back(store, prefix, document.clone()).await, document);
}

pub async fn a_write_to_an_alias_is_refused(store: &dyn DocumentStore, prefix: &str) {
    let (alias, january, february) = installed(store, prefix).await;
    write_all(
        store,
        vec![
            put(&january, "a", json!({})),
            put(&february, "b", json!({})),
        ],
    )
    .await;
    let outcome = write_one(store, put(&alias, "c", json!({}))).await;
    assert!(
        matches!(outcome, WriteOutcome::Refused { .. }),
        "{outcome:?}"
    );
    assert_eq!(get(store, &alias, "c").await, None);
}

pub async fn a_bulk_of_1500_documents_is_written(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let name = |n: usize| format!("id-{n}");
    let actions = (0..1_500)
        .map(|n| create(&index, &name(n), json!({"long": n})))
        .collect();
    let outcomes = write_all(store, actions).await;
    assert_eq!(outcomes.len(), 1_500);
    let all: Vec<DocumentId> = (0..1_500).map(|n| id(&name(n))).collect();
    let found = store.get_many(&index, &all).await.unwrap();
    for (n, found) in found.into_iter().enumerate() {
        let found = found.unwrap();
        assert_eq!(
            (&found.source["long"], found.version),
            (&json!(n), Some(written(&outcomes[n])))
        );
    }
}

pub async fn a_big_document_survives(store: &dyn DocumentStore, prefix: &str) {
    let list: Vec<String> = (0..20_000)
        .map(|n| format!("product-{n:08}-{}", "x".repeat(80)))
        .collect();
    let document = json!({"text": "y".repeat(1 << 20), "products": list});
    assert!(
        back(store, prefix, document.clone()).await == document,
        "2 MB came back changed"
    );
}

pub async fn undeclared_fields_survive(store: &dyn DocumentStore, prefix: &str) {
    let document =
        json!({"keyword": "k", "other": {"deep": [{"er": 1}, {"er": 2}]}, "list": ["a"]});
    assert_eq!(back(store, prefix, document.clone()).await, document);
}

pub async fn numbers_keep_their_kind(store: &dyn DocumentStore, prefix: &str) {
    let document = json!({"double": 1.0, "long": 1, "other": [2.0, 0.1, 1e-9, -0.5]});
    let found = back(store, prefix, document.clone()).await;
    assert_eq!(found, document);
    assert!(found["double"].is_f64() && found["long"].is_i64());
    assert_eq!(found.to_string(), document.to_string());
}

pub async fn big_integers_stay_exact(store: &dyn DocumentStore, prefix: &str) {
    let document = json!({"long": i64::MAX, "other": [9_007_199_254_740_993_i64, i64::MIN]});
    assert_eq!(back(store, prefix, document.clone()).await, document);
}

pub async fn the_order_of_fields_survives(store: &dyn DocumentStore, prefix: &str) {
    let document = json!({"z": 1, "a": {"y": 1, "b": 2}, "m": 3});
    assert_eq!(
        back(store, prefix, document.clone()).await.to_string(),
        document.to_string()
    );
}

pub async fn empty_values_survive(store: &dyn DocumentStore, prefix: &str) {
    let document = json!({"keyword": "", "long": null, "list": [], "object": {}, "f": false});
    assert_eq!(back(store, prefix, document.clone()).await, document);
    assert_eq!(back(store, prefix, json!({})).await, json!({}));
}

pub async fn unicode_ids_and_values_survive(store: &dyn DocumentStore, prefix: &str) {
    let (alias, index, _) = installed(store, prefix).await;
    let document = json!({"keyword": "Łódź \u{1F6F0} \"'\\ \u{0} \n", "größe": "ß", "a.b": 1});
    write_all(store, vec![put(&index, "東京-é", document.clone())]).await;
    let found = get(store, &alias, "東京-é").await.unwrap();
    assert_eq!(Value::Object(found.source), document);
}

pub async fn ids_may_hold_any_character(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let longest = "x".repeat(512);
    let names = [
        "a/b?c=d",
        "a b",
        "\"quoted\"",
        "'; DROP TABLE d1; --",
        "%",
        "A",
        "a",
        &longest,
    ];
    let actions = names
        .iter()
        .map(|name| put(&index, name, json!({"keyword": name})))
        .collect();
    write_all(store, actions).await;
    for name in names {
        assert_eq!(
            get(store, &index, name).await.unwrap().source["keyword"],
            name
        );
    }
}
