//! The chain of production interfaces: files, raw documents, messages, consolidated documents, messages.
//!
//! Collected one file at a time as in the recording, with the shipped pipeline and with the original's files.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::Utc;
use maas_collector::collect::GivenFiles;
use maas_collector::flow::{Flow, FlowContext, FlowMode, Force, Room};
use maas_engine::pool::{PoolRunner, Verdict};
use maas_model::clock::Clock;
use maas_model::message::{Peeked, QueueName};
use maas_model::pipeline::Pipeline;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::case::{Documents, Published};
use super::cases::{self, Tally};
use super::compare;
use super::world::World;

/// Queue between the two halves.
const QUEUE: &str = "collect-new.raw.data.prip-product";

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_gives_what_the_original_gave() {
    if let Some(case) = cases::path("prip-chain") {
        the_chain(shipped_pipeline(), "consolidate", &case).await;
    }
}

/// The same with the files that the original was configured with.
#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_the_original_give_it_too() {
    let Some(original) = cases::original() else {
        return;
    };
    let loaded = Pipeline::load_legacy(&[original], &|_| None);
    let (mut pipeline, _) = loaded.unwrap_or_else(|error| panic!("{error}"));
    for interface in &mut pipeline.interfaces {
        // The recording took the listings from local files.
        interface.announce.collector_name = Some("FileCollector".to_owned());
    }
    if let Some(case) = cases::path("prip-chain") {
        the_chain(pipeline, "raw-only-prip", &case).await;
    }
}

async fn the_chain(pipeline: Pipeline, pool: &str, case: &Path) {
    let world = World::of(&pipeline).await;
    world.put(&seeds(&case.join("seed"))).await;
    let mut tally = Tally::default();

    collect(&pipeline, &world, &case.join("input")).await;
    let collected = world.bus.peek(&queue(), 100).await.expect("messages");
    let names = MessageNames::of(&collected);
    let messages = collected
        .iter()
        .map(|message| names.name(published(message)))
        .collect();
    let recorded = recorded_messages(&case.join("expected/messages_collect.json"));
    tally.case(
        "messages of the collector",
        &compare::messages(messages, &recorded, false),
    );

    let messages = consolidate(&pipeline, pool, &world).await;
    let messages = messages
        .into_iter()
        .map(|message| names.name(message))
        .collect();
    let recorded = recorded_messages(&case.join("expected/messages_etl.json"));
    tally.case(
        "messages of the engines",
        &compare::messages(messages, &recorded, false),
    );

    let documents = comparable(world.documents().await);
    for (file, index) in [
        ("raw_documents", "raw-data-prip-product"),
        ("cds_publication_documents", "cds-publication"),
        ("cds_product_documents", "cds-product"),
    ] {
        let mut ours = documents.clone();
        ours.retain(|name, _| name.starts_with(index));
        let recorded = recorded_documents(&case.join(format!("expected/{file}.json")));
        tally.case(file, &compare::documents(&ours, &recorded));
    }
    tally.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn doing_it_again_changes_nothing() {
    let Some(case) = cases::path("prip-chain") else {
        return;
    };
    let pipeline = shipped_pipeline();
    let world = World::of(&pipeline).await;
    world.put(&seeds(&case.join("seed"))).await;
    collect(&pipeline, &world, &case.join("input")).await;
    let messages = world.bus.peek(&queue(), 100).await.expect("messages");
    consolidate(&pipeline, "consolidate", &world).await;
    let before = world.versions().await;

    collect(&pipeline, &world, &case.join("input")).await;
    let announced = world.bus.peek(&queue(), 1).await.expect("messages");
    assert!(
        announced.is_empty(),
        "unchanged documents are announced: {announced:?}"
    );
    for message in &messages {
        world.publish(message).await;
    }
    let published = consolidate(&pipeline, "consolidate", &world).await;
    assert!(
        published.is_empty(),
        "unchanged documents are reported: {published:?}"
    );
    let mut after = world.versions().await;
    after.retain(|place, version| before.get(place) != Some(version));
    assert!(
        after.is_empty(),
        "unchanged documents are written: {after:?}"
    );
}

pub(crate) fn shipped_pipeline() -> Pipeline {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines/copernicus-prip");
    let loaded = Pipeline::load(&path, &|_| None);
    let (pipeline, warnings) = loaded.unwrap_or_else(|error| panic!("{error}"));
    assert!(warnings.is_empty(), "{warnings:?}");
    pipeline
}

/// Gives every file to its interface, in the order of names.
async fn collect(pipeline: &Pipeline, world: &World, folder: &Path) {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder of listings")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    for file in files {
        let name = file
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let interface = pipeline
            .interfaces
            .iter()
            .find(|interface| name.starts_with(&interface.name))
            .unwrap_or_else(|| panic!("no interface takes `{name}`"));
        let context = FlowContext {
            store: Arc::clone(&world.store),
            bus: Arc::clone(&world.bus),
            clock: Clock::system(),
            force: Force::default(),
            bindings: Vec::new(),
            room: Room::default(),
        };
        let collector = Box::new(GivenFiles::new([file]));
        let flow = Flow::with_collector(interface, collector, context).expect("a flow");
        let counts = flow
            .run(CancellationToken::new(), FlowMode::Once)
            .await
            .expect("a run");
        assert_eq!((counts.files, counts.refused), (1, 0), "{name}");
    }
}

/// Works on all messages in the queue; gives what was published.
async fn consolidate(pipeline: &Pipeline, pool: &str, world: &World) -> Vec<Published> {
    let pool = pipeline.pools.iter().find(|known| known.name == pool);
    let cx = world.pool_context(Clock::frozen(Utc::now()));
    let runner = PoolRunner::build(pool.expect("the pool"), cx).expect("a pool");
    let waiting = world.bus.peek(&queue(), 100).await.expect("messages").len();
    let mut subscription = world
        .bus
        .subscribe(&queue(), 1)
        .await
        .expect("a subscription");
    let mut published = Vec::new();
    for _ in 0..waiting {
        let delivery = subscription.next().await.expect("a delivery");
        let processed = runner.run_once((&delivery).into()).await;
        assert_eq!(processed.verdict, Verdict::Done);
        assert_eq!(compare::dead_letters(&processed.published), 0);
        published.extend(compare::published(&processed.published));
        delivery.ack().await.expect("an acknowledgement");
    }
    published
}

fn queue() -> QueueName {
    QueueName::new(QUEUE).expect("a queue name")
}

/// The documents that must be in the store before.
fn seeds(folder: &Path) -> Documents {
    let mut seeds = recorded_documents(&folder.join("dataflow.json"));
    let lines = std::fs::read_to_string(folder.join("datatakes.ndjson")).expect("datatakes");
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        let index = line["_index"].as_str().expect("an index").to_owned();
        let id = line["_id"].as_str().expect("an id").to_owned();
        let source = line["_source"].as_object().expect("a document").clone();
        seeds.entry(index).or_default().insert(id, source);
    }
    seeds
}

fn recorded_documents(path: &Path) -> Documents {
    let mut documents = Documents::new();
    for document in cases::json(path).as_array().expect("a list") {
        let index = document["index"].as_str().expect("an index").to_owned();
        let id = document["id"].as_str().expect("an id").to_owned();
        let source = document["source"].as_object().expect("a document").clone();
        documents.entry(index).or_default().insert(id, source);
    }
    documents
}

fn recorded_messages(path: &Path) -> Vec<Published> {
    serde_json::from_value(cases::json(path)).expect("messages")
}

/// With the replacements of the recording.
fn comparable(documents: Documents) -> Documents {
    let mut named = Documents::new();
    for (index, documents) in documents {
        let index = named.entry(without_month(&index)).or_default();
        for (id, mut source) in documents {
            for field in ["ingestionTime", "updateTime", "reportFolder"] {
                if let Some(value) = source.get_mut(field) {
                    *value = format!("<{field}>").into();
                }
            }
            index.insert(id, source);
        }
    }
    named
}

fn without_month(index: &str) -> String {
    match index.strip_prefix("raw-data-prip-product-") {
        Some(_) => "raw-data-prip-product-<month of ingestion>".to_owned(),
        None => index.to_owned(),
    }
}

fn published(message: &Peeked) -> Published {
    Published {
        exchange: message.exchange.to_string(),
        routing_key: message.routing_key.to_string(),
        priority: 5,
        body: serde_json::from_slice(&message.body).expect("a message is an object"),
    }
}

/// `<message N>` for the ids of the collector's messages, in their order.
struct MessageNames(HashMap<String, String>);

impl MessageNames {
    fn of(messages: &[Peeked]) -> Self {
        let id = |message: &Peeked| {
            let body: Map<String, Value> = serde_json::from_slice(&message.body).expect("JSON");
            body["message_id"].as_str().expect("an id").to_owned()
        };
        let named = |(n, message)| (id(message), format!("<message {}>", n + 1));
        Self(messages.iter().enumerate().map(named).collect())
    }

    fn name(&self, mut message: Published) -> Published {
        if let Some(Value::Array(ids)) = message.body.get_mut("ancestor_ids") {
            for id in ids {
                let name = id.as_str().and_then(|id| self.0.get(id));
                *id = name.cloned().unwrap_or_default().into();
            }
        }
        if let Some(Value::Array(indices)) = message.body.get_mut("document_indices") {
            for index in indices {
                *index = without_month(index.as_str().unwrap_or_default()).into();
            }
        }
        message
    }
}
