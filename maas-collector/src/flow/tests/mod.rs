//! The ingest path, in a folder of its own.

mod away;
mod conflict;
mod fake;
mod ingest;
mod lost;
mod pressure;
mod refused;
mod replay;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use maas_model::clock::Clock;
use maas_model::document::{Document, DocumentId, IdFields, IndexName};
use maas_model::ledger::Outcome;
use maas_model::message::{
    Binding, DeadLetter, EmbeddedBus, ExchangeName, KeyPattern, Message, MessageBus, QueueKind,
    QueueName, QueueSpec, RoutingKey, Topology,
};
use maas_model::model::ModelSpec;
use maas_model::pipeline::{Announce, Interface, PluginUse, StoreSpec};
use maas_model::store::{DocumentStore, EmbeddedStore};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use fake::{FakeBus, FakeStore};

const KEY: &str = "new.raw.data.thing";
const QUEUE: &str = "things";
/// No test takes so long; where time is paused it is over at once when nothing else happens.
const LONG: Duration = Duration::from_secs(3_600);

/// A folder with an inbox, a store and a bus.
struct Bench {
    folder: TempDir,
    store: Arc<dyn DocumentStore>,
    bus: Arc<dyn MessageBus>,
    collect: Value,
    chunk_size: usize,
    now: &'static str,
    force: Force,
    bindings: Vec<Binding>,
}

impl Bench {
    /// On the embedded store and bus.
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store = EmbeddedStore::open(folder.path()).unwrap();
        let bus = EmbeddedBus::open(folder.path()).unwrap();
        let exchange = ExchangeName::new("collect-exchange").unwrap();
        bus.declare(&Topology {
            exchanges: vec![exchange.clone()],
            queues: vec![QueueSpec {
                name: QueueName::new(QUEUE).unwrap(),
                owner: "pool".into(),
                kind: QueueKind::Quorum,
                bindings: vec![everything()],
            }],
            parking: vec!["things".into()],
        })
        .await
        .unwrap();
        let bench = Self::with(folder, Arc::new(store), Arc::new(bus));
        let interface = bench.interface();
        let model = &interface.store.as_ref().unwrap().model;
        bench.store.install(model).await.unwrap();
        bench
    }

    /// On a store and a bus that do what a test tells them.
    fn fake() -> (Self, Arc<FakeStore>, Arc<FakeBus>) {
        let (store, bus) = (Arc::<FakeStore>::default(), Arc::<FakeBus>::default());
        let folder = TempDir::new().unwrap();
        (Self::with(folder, store.clone(), bus.clone()), store, bus)
    }

    fn with(folder: TempDir, store: Arc<dyn DocumentStore>, bus: Arc<dyn MessageBus>) -> Self {
        std::fs::create_dir(folder.path().join("in")).unwrap();
        Self {
            folder,
            store,
            bus,
            collect: json!({"paths": ["in"], "settle_seconds": 0}),
            chunk_size: 3,
            now: "2026-11-01T00:00:00Z",
            force: Force::default(),
            bindings: vec![everything()],
        }
    }

    fn interface(&self) -> Interface {
        let plugin = |name: &str, settings: Value| PluginUse {
            name: name.into(),
            settings,
            place: "test".into(),
            base: self.folder.path().to_owned(),
        };
        let spec: ModelSpec = serde_json::from_value(json!({
            "index": "raw-data-thing",
            "raw": true,
            "partition": {"field": "ingestionTime", "format": "%Y-%m"},
            "fields": {"id": "keyword", "size": "long", "when": "date", "note": "keyword"},
        }))
        .unwrap();
        Interface {
            name: "things".into(),
            collect: plugin("file", self.collect.clone()),
            extract: Some(plugin(
                "json",
                json!({
                    "records": "$",
                    "partial": true,
                    "fields": {"id": "$.id", "size": "$.size", "when": "$.when", "note": "$.note"},
                }),
            )),
            store: Some(StoreSpec {
                model: Arc::new(spec.build("Thing").unwrap()),
                id: IdFields::Field("id".into()),
            }),
            announce: Announce {
                documents: Some(RoutingKey::new(KEY).unwrap()),
                chunk_size: self.chunk_size,
                ..Announce::default()
            },
            store_meta: Vec::new(),
            after: Vec::new(),
        }
    }

    fn context(&self) -> FlowContext {
        let now: DateTime<Utc> = self.now.parse().unwrap();
        FlowContext {
            store: self.store.clone(),
            bus: self.bus.clone(),
            clock: Clock::frozen(now),
            force: self.force,
            bindings: self.bindings.clone(),
            room: Room::default(),
        }
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.folder.path().join("in").join(name), text).unwrap();
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let folder = self.folder.path().join(folder);
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().is_file())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn flow(&self) -> Flow {
        Flow::build(&self.interface(), self.context()).unwrap()
    }

    async fn run(&self) -> FlowCounts {
        let flow = self.flow();
        let run = flow.run(CancellationToken::new(), FlowMode::Once);
        let counts = tokio::time::timeout(LONG, run).await.unwrap().unwrap();
        let book = flow.stats().book();
        assert_eq!(book.received, counts.records);
        assert_eq!(book.settled.total(), book.received, "{book:?}");
        assert_eq!(book.settled.get(Outcome::Returned), 0, "{book:?}");
        counts
    }

    async fn get(&self, id: &str) -> Option<Document> {
        let alias = IndexName::new("raw-data-thing").unwrap();
        let ids = [DocumentId::new(id).unwrap()];
        self.store.get_many(&alias, &ids).await.unwrap().remove(0)
    }

    /// The messages so far, taken from the queue.
    async fn messages(&self) -> Vec<Message> {
        self.taken(QUEUE)
            .await
            .iter()
            .map(|body| Message::parse(body).unwrap())
            .collect()
    }

    async fn dead(&self) -> Vec<DeadLetter> {
        let letters = self.taken("maas.dead.things").await;
        letters
            .iter()
            .map(|body| DeadLetter::parse(body).unwrap())
            .collect()
    }

    async fn taken(&self, queue: &str) -> Vec<Vec<u8>> {
        let queue = QueueName::new(queue).unwrap();
        let peeked = self.bus.peek(&queue, 10_000).await.unwrap();
        self.bus.purge(&queue).await.unwrap();
        peeked.into_iter().map(|peeked| peeked.body).collect()
    }
}

/// All that collectors announce.
fn everything() -> Binding {
    Binding {
        exchange: ExchangeName::new("collect-exchange").unwrap(),
        pattern: KeyPattern::new("#").unwrap(),
    }
}

fn ids(messages: &[Message]) -> Vec<Vec<&str>> {
    messages
        .iter()
        .map(|message| {
            message
                .document_ids
                .iter()
                .map(DocumentId::as_str)
                .collect()
        })
        .collect()
}
