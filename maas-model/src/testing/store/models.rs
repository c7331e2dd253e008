//! Promises about models, aliases and indices.

use serde_json::json;

use super::fixture::*;
use crate::model::FieldType;
use crate::store::{DocumentStore, Query, StoreError, WriteOutcome};

pub async fn install_twice_changes_nothing(store: &dyn DocumentStore, prefix: &str) {
    let (alias, index, _) = installed(store, prefix).await;
    fill(store, &index, [("a", json!({"keyword": "x"}))]).await;
    installed(store, prefix).await;
    assert_eq!(
        find(store, &alias, Query::term("keyword", "x")).await,
        ["a"]
    );
    let infos = store.indices(&format!("{prefix}-*")).await.unwrap();
    assert_eq!(infos.len(), 1);
}

pub async fn a_field_added_later_is_known(store: &dyn DocumentStore, prefix: &str) {
    let (alias, january, february) = installed(store, prefix).await;
    fill(store, &january, [("a", json!({"keyword": "x"}))]).await;
    let mut grown = model(prefix);
    grown
        .fields
        .insert("added".to_owned(), field(FieldType::Long));
    store.install(&grown).await.unwrap();
    for index in [&january, &february] {
        let refused = write_one(store, put(index, "b", json!({"added": "no number"}))).await;
        assert!(
            matches!(refused, WriteOutcome::Refused { .. }),
            "{index}: {refused:?}"
        );
        fill(store, index, [("c", json!({"added": 7}))]).await;
    }
    assert_eq!(
        find(store, &alias, Query::term("added", 7)).await,
        ["c", "c"]
    );
}

pub async fn indices_tell_names_aliases_and_counts(store: &dyn DocumentStore, prefix: &str) {
    let (alias, january, february) = installed(store, prefix).await;
    let alone = index(prefix, "alone");
    fill(store, &january, [("a", json!({})), ("b", json!({}))]).await;
    fill(store, &february, [("c", json!({}))]).await;
    fill(store, &alone, [("d", json!({}))]).await;
    let infos = store.indices(&format!("{prefix}-*")).await.unwrap();
    let told: Vec<_> = infos
        .iter()
        .map(|info| (&info.name, info.aliases.as_slice(), info.documents))
        .collect();
    let aliases = [alias];
    assert_eq!(
        told,
        [
            (&alone, &[][..], 1),
            (&january, &aliases[..], 2),
            (&february, &aliases[..], 1)
        ]
    );
    assert!(infos.iter().all(|info| info.bytes > 0));
}

pub async fn indices_takes_a_pattern(store: &dyn DocumentStore, prefix: &str) {
    for rest in ["a-1", "a-2", "b-1"] {
        fill(store, &index(prefix, rest), [("a", json!({}))]).await;
    }
    for (pattern, expected) in [
        ("a-*", vec!["a-1", "a-2"]),
        ("*-1", vec!["a-1", "b-1"]),
        ("b-1", vec!["b-1"]),
        ("c-*", vec![]),
        ("c", vec![]),
    ] {
        let infos = store.indices(&format!("{prefix}-{pattern}")).await.unwrap();
        let names: Vec<_> = infos.into_iter().map(|info| info.name).collect();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|rest| index(prefix, rest))
            .collect();
        assert_eq!(names, expected, "{pattern}");
    }
}

pub async fn drop_removes_one_index(store: &dyn DocumentStore, prefix: &str) {
    let (alias, january, february) = installed(store, prefix).await;
    fill(store, &january, [("a", json!({}))]).await;
    fill(store, &february, [("b", json!({}))]).await;
    store.drop_index(&january).await.unwrap();
    assert_eq!(find(store, &alias, Query::All).await, ["b"]);
    assert_eq!(get(store, &january, "a").await, None);
    assert_eq!(get(store, &alias, "a").await, None);
    // It comes back with the next write, under the same model.
    fill(store, &january, [("c", json!({}))]).await;
    assert_eq!(find(store, &alias, Query::All).await, ["b", "c"]);
}

pub async fn drop_of_a_missing_index_is_no_error(store: &dyn DocumentStore, prefix: &str) {
    store.drop_index(&index(prefix, "nowhere")).await.unwrap();
}

pub async fn drop_refuses_an_alias(store: &dyn DocumentStore, prefix: &str) {
    let (alias, index, _) = installed(store, prefix).await;
    fill(store, &index, [("a", json!({}))]).await;
    let error = store.drop_index(&alias).await.unwrap_err();
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    assert!(get(store, &index, "a").await.is_some());
}

pub async fn a_model_without_partition_is_one_index(store: &dyn DocumentStore, prefix: &str) {
    let mut model = model(prefix);
    model.partition = None;
    store.install(&model).await.unwrap();
    fill(store, &model.alias, [("a", json!({"keyword": "x"}))]).await;
    fill(
        store,
        &index(prefix, "model-other"),
        [("b", json!({"keyword": "x"}))],
    )
    .await;
    assert_eq!(
        find(store, &model.alias, Query::term("keyword", "x")).await,
        ["a"]
    );
    let refused = write_one(store, put(&model.alias, "c", json!({"long": "none"}))).await;
    assert!(
        matches!(refused, WriteOutcome::Refused { .. }),
        "{refused:?}"
    );
    store.drop_index(&model.alias).await.unwrap();
    assert_eq!(get(store, &model.alias, "a").await, None);
}

pub async fn an_index_of_no_model_stands_alone(store: &dyn DocumentStore, prefix: &str) {
    let (alone, part) = (index(prefix, "alone"), index(prefix, "alone-2024"));
    let document = json!({"name": "x", "number": 5, "when": "2024-01-01T00:00:00.000Z"});
    fill(store, &part, [("a", document)]).await;
    assert!(get(store, &part, "a").await.is_some());
    assert_eq!(get(store, &alone, "a").await, None);
    for query in [
        Query::term("name", "x"),
        Query::between("number", 5, 5),
        Query::term("when", "2024-01-01T00:00:00Z"),
    ] {
        assert_eq!(find(store, &part, query.clone()).await, ["a"], "{query:?}");
    }
}

pub async fn status_tells_what_is_installed(store: &dyn DocumentStore, prefix: &str) {
    let (alias, ..) = installed(store, prefix).await;
    let status = store.status().await.unwrap();
    assert!(status.healthy, "{status:?}");
    assert!(!status.name.is_empty() && !status.version.is_empty());
    assert!(status.installed.contains(&alias.to_string()), "{status:?}");
}
