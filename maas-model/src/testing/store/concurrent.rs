//! Promises about many callers at once.

use futures_util::future::join_all;
use serde_json::json;

use super::fixture::*;
use crate::document::IndexName;
use crate::store::{DocumentStore, WriteOp, WriteOutcome};

const CALLERS: usize = 8;

/// Reads, adds one, writes at the version read; until `times` writes were not in conflict.
async fn count_up(store: &dyn DocumentStore, index: &IndexName, times: usize) {
    let mut done = 0;
    for _try in 0..2_000 {
        if done == times {
            return;
        }
        let read = get(store, index, "counter").await.unwrap();
        let next = json!({"long": read.source["long"].as_i64().unwrap() + 1});
        let op = WriteOp::Index(source(next), read.version);
        match write_one(store, action(index, "counter", op)).await {
            WriteOutcome::Updated(_) => done += 1,
            WriteOutcome::Conflict => {}
            other => panic!("neither written nor conflict: {other:?}"),
        }
    }
    panic!("conflicts without end: {done} of {times} written");
}

pub async fn concurrent_counters_end_exact(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    write_all(store, vec![put(&index, "counter", json!({"long": 0}))]).await;
    join_all((0..CALLERS).map(|_| count_up(store, &index, 10))).await;
    let found = get(store, &index, "counter").await.unwrap();
    assert_eq!(found.source["long"], CALLERS * 10);
}

pub async fn concurrent_creates_have_one_winner(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let create = |n: usize| {
        let op = WriteOp::Create(source(json!({"long": n})));
        write_one(store, action(&index, "a", op))
    };
    let outcomes = join_all((0..CALLERS).map(create)).await;
    let winners: Vec<usize> = (0..CALLERS)
        .filter(|&n| matches!(outcomes[n], WriteOutcome::Created(_)))
        .collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    let conflicts = outcomes
        .iter()
        .filter(|&outcome| *outcome == WriteOutcome::Conflict)
        .count();
    assert_eq!(conflicts, CALLERS - 1, "{outcomes:?}");
    assert_eq!(
        get(store, &index, "a").await.unwrap().source["long"],
        winners[0]
    );
}

pub async fn readers_see_whole_documents(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let document = |n: usize| json!({"long": n, "text": format!("{n}").repeat(2_000)});
    write_all(store, vec![put(&index, "a", document(0))]).await;
    let writing = async {
        for n in 1..60 {
            write_all(store, vec![put(&index, "a", document(n))]).await;
        }
    };
    let reading = async {
        let mut last = 0;
        for _ in 0..60 {
            let found = get(store, &index, "a").await.unwrap().source;
            let n = found["long"].as_u64().unwrap() as usize;
            assert_eq!(found["text"], document(n)["text"]);
            assert!(n >= last, "went back from {last} to {n}");
            last = n;
        }
    };
    tokio::join!(writing, reading);
}
