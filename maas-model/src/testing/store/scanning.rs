//! Promises about scanning and counting.

use std::collections::BTreeSet;

use serde_json::json;

use super::fixture::*;
use crate::store::{DocumentStore, Order, Query, Search};

pub async fn a_scan_gives_everything_once(store: &dyn DocumentStore, prefix: &str) {
    let alias = many(store, prefix).await;
    let mut found = scanned(store, &alias, &Search::new(Query::All).limited(300)).await;
    found.sort();
    let expected: Vec<String> = (0..2_500).map(|n| format!("id-{n:04}")).collect();
    assert_eq!(found, expected);
}

pub async fn a_scan_keeps_to_its_query(store: &dyn DocumentStore, prefix: &str) {
    let alias = many(store, prefix).await;
    let search = Search::new(Query::term("keyword", "k3")).limited(100);
    let mut found = scanned(store, &alias, &search).await;
    found.sort();
    let expected: Vec<String> = (0..250).map(|n| format!("id-{:04}", n * 10 + 3)).collect();
    assert_eq!(found, expected);
}

pub async fn a_scan_keeps_the_order(store: &dyn DocumentStore, prefix: &str) {
    let alias = many(store, prefix).await;
    let search = Search::new(Query::All)
        .sorted("long", Order::Desc)
        .limited(400);
    let expected: Vec<String> = (0..2_500).rev().map(|n| format!("id-{n:04}")).collect();
    assert_eq!(scanned(store, &alias, &search).await, expected);
}

pub async fn a_scan_of_nothing_ends_at_once(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(store, prefix, "long", [json!(1)]).await;
    assert!(
        scanned(store, &index, &Search::new(Query::term("long", 2)))
            .await
            .is_empty()
    );
}

pub async fn a_scan_survives_writes_meanwhile(store: &dyn DocumentStore, prefix: &str) {
    let alias = many(store, prefix).await;
    let january = index(prefix, "model-2024-01");
    let mut pages = store
        .scan(&alias, &Search::new(Query::All).limited(500))
        .await
        .unwrap();
    let mut found = Vec::new();
    let mut rounds = 0;
    while let Some(page) = pages.next().await.unwrap() {
        found.extend(page.into_iter().map(|document| document.id.to_string()));
        let updated = put(&january, "id-0000", json!({"long": rounds}));
        write_all(
            store,
            vec![updated, put(&january, &format!("new-{rounds}"), json!({}))],
        )
        .await;
        store.refresh(&alias).await.unwrap();
        rounds += 1;
        assert!(rounds < 20, "a scan has an end");
    }
    let different: BTreeSet<&String> = found.iter().collect();
    assert_eq!(different.len(), found.len(), "seen twice");
    let old = found.iter().filter(|id| id.starts_with("id-")).count();
    assert_eq!(old, 2_500);
}

pub async fn count_counts_what_matches(store: &dyn DocumentStore, prefix: &str) {
    let alias = many(store, prefix).await;
    let january = index(prefix, "model-2024-01");
    assert_eq!(store.count(&alias, &Query::All).await.unwrap(), 2_500);
    assert_eq!(store.count(&january, &Query::All).await.unwrap(), 1_250);
    assert_eq!(
        store
            .count(&alias, &Query::term("keyword", "k3"))
            .await
            .unwrap(),
        250
    );
    assert_eq!(store.count(&alias, &Query::Or(vec![])).await.unwrap(), 0);
}
