//! Promises about reading by id.

use serde_json::json;

use super::fixture::*;
use crate::store::{DocumentStore, Query, Search};

pub async fn get_many_keeps_the_order_asked(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    fill(
        store,
        &index,
        [
            ("a", json!({"n": 1})),
            ("b", json!({"n": 2})),
            ("c", json!({"n": 3})),
        ],
    )
    .await;
    let found = store.get_many(&index, &ids(["c", "a", "b"])).await.unwrap();
    let found: Vec<_> = found
        .into_iter()
        .map(|found| found.unwrap().source["n"].clone())
        .collect();
    assert_eq!(found, [3, 1, 2]);
}

pub async fn a_missing_document_keeps_its_place(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    fill(
        store,
        &index,
        [("a", json!({"n": 1})), ("c", json!({"n": 3}))],
    )
    .await;
    let found = store.get_many(&index, &ids(["a", "b", "c"])).await.unwrap();
    let there: Vec<bool> = found.iter().map(Option::is_some).collect();
    assert_eq!(there, [true, false, true]);
}

pub async fn an_id_asked_twice_is_given_twice(store: &dyn DocumentStore, prefix: &str) {
    let (alias, index, _) = installed(store, prefix).await;
    fill(store, &index, [("a", json!({"n": 1}))]).await;
    for name in [&index, &alias] {
        let found = store
            .get_many(name, &ids(["a", "b", "a", "b"]))
            .await
            .unwrap();
        assert_eq!(found.len(), 4);
        assert!(found[0].is_some() && found[0] == found[2]);
        assert!(found[1].is_none() && found[3].is_none());
    }
}

pub async fn no_ids_give_no_documents(store: &dyn DocumentStore, prefix: &str) {
    let (alias, index, _) = installed(store, prefix).await;
    fill(store, &index, [("a", json!({"n": 1}))]).await;
    assert!(store.get_many(&index, &[]).await.unwrap().is_empty());
    assert!(store.get_many(&alias, &[]).await.unwrap().is_empty());
}

pub async fn an_unknown_index_is_empty(store: &dyn DocumentStore, prefix: &str) {
    let nowhere = index(prefix, "nowhere");
    let found = store.get_many(&nowhere, &ids(["a", "b"])).await.unwrap();
    assert_eq!(found, [None, None]);
    assert_eq!(store.count(&nowhere, &Query::All).await.unwrap(), 0);
    store.refresh(&nowhere).await.unwrap();
    let (alias, ..) = installed(store, prefix).await;
    assert_eq!(store.get_many(&alias, &ids(["a"])).await.unwrap(), [None]);
    assert!(
        store
            .search(&alias, &Search::new(Query::All))
            .await
            .unwrap()
            .is_empty()
    );
}

pub async fn a_read_by_id_sees_a_write_at_once(store: &dyn DocumentStore, prefix: &str) {
    let (alias, index, _) = installed(store, prefix).await;
    for n in 0..20 {
        write_all(store, vec![put(&index, "a", json!({"n": n}))]).await;
        assert_eq!(get(store, &index, "a").await.unwrap().source["n"], n);
        assert_eq!(get(store, &alias, "a").await.unwrap().source["n"], n);
    }
}

pub async fn a_read_by_id_sees_every_partition_of_an_alias(
    store: &dyn DocumentStore,
    prefix: &str,
) {
    let (alias, january, february) = installed(store, prefix).await;
    write_all(
        store,
        vec![
            put(&january, "a", json!({})),
            put(&february, "b", json!({})),
        ],
    )
    .await;
    let found = store.get_many(&alias, &ids(["b", "x", "a"])).await.unwrap();
    let found: Vec<_> = found
        .into_iter()
        .map(|found| found.map(|found| found.index))
        .collect();
    assert_eq!(found, [Some(february), None, Some(january)]);
}

pub async fn a_document_in_two_partitions_comes_from_the_last(
    store: &dyn DocumentStore,
    prefix: &str,
) {
    let (alias, january, february) = installed(store, prefix).await;
    write_all(
        store,
        vec![
            put(&february, "a", json!({"n": 2})),
            put(&january, "a", json!({"n": 1})),
        ],
    )
    .await;
    let found = get(store, &alias, "a").await.unwrap();
    assert_eq!((found.index, &found.source["n"]), (february, &json!(2)));
    assert_eq!(get(store, &january, "a").await.unwrap().source["n"], 1);
}

pub async fn a_read_tells_index_and_version(store: &dyn DocumentStore, prefix: &str) {
    let (alias, index, _) = installed(store, prefix).await;
    let outcomes = write_all(store, vec![put(&index, "a", json!({"n": 1}))]).await;
    let found = get(store, &alias, "a").await.unwrap();
    assert_eq!(found.index, index);
    assert_eq!(found.id, id("a"));
    assert_eq!(found.version, Some(written(&outcomes[0])));
    store.refresh(&index).await.unwrap();
    let searched = store
        .search(&alias, &Search::new(Query::All))
        .await
        .unwrap();
    assert_eq!(searched, [found]);
}

pub async fn two_thousand_ids_are_read_in_one_call(store: &dyn DocumentStore, prefix: &str) {
    let (alias, january, february) = installed(store, prefix).await;
    let name = |n: usize| format!("id-{n}");
    let partition = |n: usize| {
        if n.is_multiple_of(2) {
            &january
        } else {
            &february
        }
    };
    let actions = (0..1_000)
        .map(|n| put(partition(n), &name(n), json!({"n": n})))
        .collect();
    write_all(store, actions).await;
    let asked: Vec<_> = (0..2_000).map(|n| id(&name(n))).collect();
    let found = store.get_many(&alias, &asked).await.unwrap();
    assert_eq!(found.len(), 2_000);
    for (n, found) in found.into_iter().enumerate() {
        assert_eq!(
            found.map(|found| found.source["n"].clone()),
            (n < 1_000).then(|| json!(n))
        );
    }
}
