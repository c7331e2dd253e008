//! A pool on fakes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use indexmap::IndexMap;
use maas_model::clock::Clock;
use maas_model::document::{DocumentId, IndexName};
use maas_model::message::{Binding, ExchangeName, KeyPattern, Message, QueueName, RoutingKey};
use maas_model::model::{Field, FieldType, Model};

use super::bus::{FakeBus, lines};
use super::store::FakeStore;
use crate::pool::chain::{Chains, Step};
use crate::pool::context::Reads;
use crate::pool::intent::Intents;
use crate::pool::runner::PoolRunner;
use crate::pool::shared::Shared;
use crate::pool::wait::Outage;
use crate::pool::{Processed, Work};

pub(super) const MAX_TRIES: u32 = 3;

pub(crate) fn exchange() -> ExchangeName {
    ExchangeName::new("etl-exchange").unwrap()
}

pub(super) fn queue(name: &str) -> QueueName {
    QueueName::new(name).unwrap()
}

/// The pool, its store and its bus.
pub(super) struct Bench {
    pub(super) store: Arc<FakeStore>,
    pub(super) bus: FakeBus,
    pub(super) pool: Arc<PoolRunner>,
}

fn model(alias: &str, name: &str, fields: &[(&str, FieldType)]) -> Arc<Model> {
    let field = |(name, kind): &(&str, FieldType)| {
        let field = Field {
            kind: *kind,
            parameters: serde_json::Map::new(),
            fields: IndexMap::new(),
        };
        ((*name).to_owned(), field)
    };
    Arc::new(Model {
        name: name.to_owned(),
        alias: IndexName::new(alias).unwrap(),
        fields: fields.iter().map(field).collect(),
        partition: None,
        settings: BTreeMap::new(),
    })
}

impl Bench {
    pub(super) fn new(concurrency: usize, queues: &[&str], steps: fn() -> Vec<Step>) -> Self {
        let (store, bus) = (Arc::new(FakeStore::default()), FakeBus::default());
        let models = [
            model("raw", "Raw", &[("value", FieldType::Keyword)]),
            model("out", "Out", &[("updateTime", FieldType::Date)]),
        ];
        let models = models.map(|model| (model.name.clone(), model)).into();
        let clock = Clock::frozen(DateTime::UNIX_EPOCH);
        let queues: Vec<QueueName> = queues.iter().map(|name| queue(name)).collect();
        let shared = Shared {
            chains: Chains::for_test(MAX_TRIES, &queues.iter().collect::<Vec<_>>(), steps),
            reads: Reads::new(store.clone(), Arc::new(models), clock.clone()),
            bus: Arc::new(bus.clone()),
            bindings: vec![Binding {
                exchange: exchange(),
                pattern: KeyPattern::new("new.out").unwrap(),
            }],
            intents: Intents::new(store.clone(), clock, "pool").unwrap(),
            stats: Arc::default(),
            store_outage: Outage::new("store", "pool"),
            bus_outage: Outage::new("bus", "pool"),
            watch: Arc::default(),
            lanes: None,
        };
        let pool = PoolRunner::for_test(shared, queues, concurrency, Duration::from_secs(10));
        let pool = Arc::new(pool);
        Self { store, bus, pool }
    }

    /// Works on a message with these ids that is delivered for the first time or again.
    pub(super) async fn run(&self, ids: &str, tries: u32) -> Processed {
        self.run_body(&body(ids), tries).await
    }

    pub(super) async fn run_body(&self, body: &[u8], tries: u32) -> Processed {
        let work = Work {
            queue: &queue("q"),
            exchange: &exchange(),
            routing_key: &RoutingKey::new("q").unwrap(),
            body,
            priority: 5,
            headers: &BTreeMap::new(),
            redelivered: tries > 0,
            tries,
        };
        self.pool.run_once(work).await
    }

    /// What was published since the last call.
    pub(super) fn published(&self, since: usize) -> Vec<String> {
        lines(&self.bus.published()[since..])
    }
}

/// A message about raw documents.
pub(super) fn body(ids: &str) -> Vec<u8> {
    let message = Message {
        message_id: format!("message about {ids}"),
        document_ids: ids
            .split_whitespace()
            .map(|id| DocumentId::new(id).unwrap())
            .collect(),
        document_class: "Raw".to_owned(),
        ..Message::default()
    };
    message.to_body()
}
