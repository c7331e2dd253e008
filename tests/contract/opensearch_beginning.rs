//! A node takes requests before it knows which indices it has: what it cannot know yet is not absent.

use std::fmt::Debug;
use std::time::Duration;

use maas_model::store::{
    Aggregation, DocumentStore, Group, OpenSearchOptions, OpenSearchStore, Query, Search,
    StoreError, WriteAction, WriteOp, WriteOutcome,
};
use maas_model::testing::bus::eventually;
use maas_tests::server::{OpenSearch, OpenSearchOptions as Node};
use serde_json::json;

use super::opensearch::{connect, id, index, model, name};

/// The only node of its cluster waits for another one before it reads what it has. It makes no index by itself: a
/// write to one that it does not know would be refused.
fn unaware() -> Node {
    Node::default()
        .setting("gateway.recover_after_data_nodes", "2")
        .setting("action.auto_create_index", "false")
}

/// A store that does not wait long for what the node keeps back until it is ready.
fn impatient(server: &OpenSearch) -> OpenSearchStore {
    let options = OpenSearchOptions {
        request_timeout: Duration::from_secs(15),
        ..OpenSearchOptions::default()
    };
    connect(server, options)
}

/// Answers that should have been errors that pass.
#[derive(Debug, Default)]
struct Lies(Vec<String>);

impl Lies {
    fn not_now<T: Debug>(&mut self, what: &str, answer: Result<T, StoreError>) {
        match answer {
            Err(error) if error.is_temporary() => {}
            other => self.0.push(format!("{what}: {other:?}")),
        }
    }
}

fn may_pass(outcomes: &[WriteOutcome]) -> bool {
    let passing = |outcome: &WriteOutcome| {
        matches!(
            outcome,
            WriteOutcome::Busy { .. } | WriteOutcome::Unknown { .. }
        )
    };
    outcomes.iter().all(passing)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_passes_for_absent_while_a_node_begins() {
    let mut server = OpenSearch::start().await.unwrap();
    let known = impatient(&server);
    let (alias, partition) = (name("thing"), name("thing-2024"));
    known.install(&model("thing")).await.unwrap();
    let document = json!({"key": "a", "date": "2024-01-01T00:00:00.000Z", "note": "one two"});
    let written = known.write(vec![index("thing-2024", "1", document)]).await;
    assert!(written.unwrap()[0].is_done());

    server.begin_with(unaware()).await.unwrap();
    // Knows nothing of before; the other one has looked up already that it writes to an index.
    let store = impatient(&server);
    let mut lies = Lies::default();
    let key = || Query::term("note", "one two");
    for of in [&alias, &partition] {
        lies.not_now("get", store.get_many(of, &[id("1"), id("2")]).await);
        lies.not_now("search", store.search(of, &Search::new(key())).await);
        lies.not_now("scan", store.scan(of, &Search::new(key())).await.map(drop));
        lies.not_now("count", store.count(of, &key()).await);
        lies.not_now("refresh", store.refresh(of).await);
        let groups = Aggregation {
            query: key(),
            groups: vec![Group::Terms {
                field: "key".to_owned(),
            }],
            measures: Vec::new(),
        };
        lies.not_now("aggregate", store.aggregate(of, &groups).await);
    }
    lies.not_now("install", store.install(&model("thing")).await);
    lies.not_now("indices", store.indices("*").await);
    lies.not_now("drop", store.drop_index(&partition).await);
    let source = json!({"key": "b"}).as_object().unwrap().clone();
    for op in [WriteOp::Delete(None), WriteOp::Index(source, None)] {
        let action = WriteAction {
            index: partition.clone(),
            id: id("1"),
            op,
        };
        match known.write(vec![action]).await {
            Ok(outcomes) if may_pass(&outcomes) => {}
            answer => lies.not_now("write", answer),
        }
    }
    assert!(lies.0.is_empty(), "{lies:#?}");

    server.begin_with(Node::default()).await.unwrap();
    eventually("the document is there", async || {
        let found = store.get_many(&alias, &[id("1")]).await;
        found.is_ok_and(|found| found[0].is_some())
    })
    .await;
}
