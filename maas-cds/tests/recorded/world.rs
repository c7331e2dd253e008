//! An embedded store and bus with a pool between them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use maas_engine::engine::Reads;
use maas_engine::pool::{PoolContext, PoolRunner, Processed, Work};
use maas_model::clock::Clock;
use maas_model::document::{DocumentId, IndexName, Version};
use maas_model::message::{
    EmbeddedBus, ExchangeName, MessageBus, Outgoing, Peeked, Published, QueueName, RoutingKey,
    Topology,
};
use maas_model::model::Models;
use maas_model::pipeline::{EngineStep, Pipeline, Pool, Queue};
use maas_model::store::{DocumentStore, EmbeddedStore, Query, Search, WriteAction, WriteOp};
use serde_json::{Map, Value};
use tempfile::TempDir;

use super::case::Documents;

/// Owner of the engines.
const POOL: &str = "recorded";

/// Indices in which pools and collectors keep what they must remember.
const OWN_INDICES: [&str; 2] = ["maas-intents", "maas-file-journal"];

/// Everything that one case needs, in a folder of its own.
pub(crate) struct World {
    pub(crate) store: Arc<dyn DocumentStore>,
    pub(crate) bus: Arc<dyn MessageBus>,
    models: Arc<Models>,
    _folder: TempDir,
}

impl World {
    pub(crate) async fn new(models: &Arc<Models>) -> Self {
        let topology = Topology {
            exchanges: ["collect-exchange", "etl-exchange"].map(exchange).to_vec(),
            queues: Vec::new(),
            parking: vec![POOL.to_owned()],
        };
        Self::with(models, &topology).await
    }

    /// With the models, exchanges and queues of a pipeline.
    pub(crate) async fn of(pipeline: &Pipeline) -> Self {
        let models = Arc::new(pipeline.models.clone());
        Self::with(&models, &pipeline.topology()).await
    }

    async fn with(models: &Arc<Models>, topology: &Topology) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = EmbeddedStore::open(folder.path()).expect("a store");
        let bus = EmbeddedBus::open(folder.path()).expect("a bus");
        bus.declare(topology).await.expect("a topology");
        for model in models.values() {
            store.install(model).await.expect("a model");
        }
        Self {
            store: Arc::new(store),
            bus: Arc::new(bus),
            models: Arc::clone(models),
            _folder: folder,
        }
    }

    /// Puts documents into the store as they are.
    pub(crate) async fn put(&self, documents: &Documents) {
        let actions: Vec<WriteAction> = documents
            .iter()
            .flat_map(|(index, documents)| {
                documents
                    .iter()
                    .map(|(id, source)| action(index, id, source))
            })
            .collect();
        let outcomes = self.store.write(actions).await.expect("a write");
        assert!(
            outcomes.iter().all(|outcome| outcome.is_done()),
            "{outcomes:?}"
        );
    }

    /// All documents, but for those of the pool itself.
    pub(crate) async fn documents(&self) -> Documents {
        let mut documents = Documents::new();
        for index in self.store.indices("*").await.expect("indices") {
            if OWN_INDICES
                .iter()
                .any(|own| index.name.as_str().starts_with(own))
            {
                continue;
            }
            self.store.refresh(&index.name).await.expect("a refresh");
            let search = Search::new(Query::All);
            let mut pages = self.store.scan(&index.name, &search).await.expect("a scan");
            while let Some(page) = pages.next().await.expect("a page") {
                for document in page {
                    let index = documents.entry(document.index.to_string()).or_default();
                    index.insert(document.id.to_string(), document.source);
                }
            }
        }
        documents
    }

    /// The version of every document, by index and id.
    pub(crate) async fn versions(&self) -> BTreeMap<(String, String), Option<Version>> {
        let mut versions = BTreeMap::new();
        for (index, documents) in self.documents().await {
            let name = IndexName::new(index.as_str()).expect("an index name");
            let ids: Vec<DocumentId> = documents
                .keys()
                .map(|id| DocumentId::new(id.as_str()).expect("an id"))
                .collect();
            for document in self
                .store
                .get_many(&name, &ids)
                .await
                .expect("a read")
                .into_iter()
                .flatten()
            {
                versions.insert((index.clone(), document.id.to_string()), document.version);
            }
        }
        versions
    }

    /// Publishes a message again.
    pub(crate) async fn publish(&self, message: &Peeked) {
        let outgoing = Outgoing {
            exchange: message.exchange.clone(),
            routing_key: message.routing_key.clone(),
            body: message.body.clone(),
            message_id: "again".to_owned(),
            priority: 5,
            headers: message.headers.clone(),
        };
        let published = self
            .bus
            .publish(vec![outgoing])
            .await
            .expect("a publication");
        assert_eq!(published, [Published::Routed]);
    }

    /// What a pool works with.
    pub(crate) fn pool_context(&self, clock: Clock) -> PoolContext {
        PoolContext {
            reads: Reads::new(Arc::clone(&self.store), Arc::clone(&self.models), clock),
            bus: Arc::clone(&self.bus),
            bindings: Vec::new(),
            grace: Duration::from_secs(1),
        }
    }

    /// A pool with one queue for `routing_key`.
    pub(crate) fn pool(&self, engine: &Engines, now: DateTime<Utc>) -> Result<PoolRunner, String> {
        let pool = Pool {
            name: POOL.to_owned(),
            concurrency: 1,
            prefetch: 1,
            queues: vec![Queue {
                name: engine.queue(),
                kind: Default::default(),
                bindings: vec![engine.binding()],
                engines: engine.steps.clone(),
            }],
            report_exchange: exchange("etl-exchange"),
            max_tries: 3,
            engine_timeout_seconds: 60,
        };
        let cx = self.pool_context(Clock::frozen(now));
        PoolRunner::build(&pool, cx).map_err(|error| {
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            text
        })
    }
}

/// The engines of a queue and what wakes them.
pub(crate) struct Engines {
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    pub(crate) steps: Vec<EngineStep>,
    /// Whether the queue takes the key.
    pub(crate) known: bool,
}

impl Engines {
    /// Works on one message.
    pub(crate) async fn run(&self, pool: &PoolRunner, body: &[u8], priority: u8) -> Processed {
        let headers = BTreeMap::new();
        pool.run_once(Work {
            queue: &self.queue(),
            exchange: &exchange(&self.exchange),
            routing_key: &RoutingKey::new(self.routing_key.as_str()).expect("a key"),
            body,
            priority,
            headers: &headers,
            redelivered: false,
            tries: 0,
        })
        .await
    }

    fn queue(&self) -> QueueName {
        QueueName::new(format!("queue-{}", self.routing_key)).expect("a queue name")
    }

    fn binding(&self) -> maas_model::message::Binding {
        let key = if self.known {
            self.routing_key.as_str()
        } else {
            "another.key"
        };
        let key = RoutingKey::new(key).expect("a key");
        maas_model::message::Binding {
            exchange: exchange(&self.exchange),
            pattern: key.into(),
        }
    }
}

fn exchange(name: &str) -> ExchangeName {
    ExchangeName::new(name).expect("an exchange name")
}

fn action(index: &str, id: &str, source: &Map<String, Value>) -> WriteAction {
    WriteAction {
        index: IndexName::new(index).expect("an index name"),
        id: DocumentId::new(id).expect("an id"),
        op: WriteOp::Index(source.clone(), None),
    }
}
