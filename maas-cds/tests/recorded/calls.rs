//! How often consolidation asks the store: as often for many documents as for few.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use maas_engine::pool::Verdict;
use maas_model::document::{Document, DocumentId, IndexName};
use maas_model::message::Message;
use maas_model::model::Model;
use maas_model::store::{
    Aggregation, Bucket, DocumentStore, IndexInfo, Pages, Query, Search, StoreError, StoreStatus,
    WriteAction, WriteOutcome,
};
use serde_json::{Map, Value, json};

use super::case::Documents;
use super::prip_chain::shipped_pipeline;
use super::world::{Engines, World};

type Calls = BTreeMap<&'static str, usize>;

#[tokio::test]
async fn consolidation_asks_as_often_for_many_documents_as_for_few() {
    let few = calls(2).await;
    let many = calls(100).await;
    println!("{few:?}");
    assert_eq!(many, few);
    // All spans of Sentinel-2 in one search, by each of the two engines.
    assert_eq!(few.get("search"), Some(&2), "{few:?}");
}

/// The calls for one message of `each` products of Sentinel-1, 2 and 3.
async fn calls(each: usize) -> Calls {
    let pipeline = shipped_pipeline();
    let mut world = World::of(&pipeline).await;
    let documents = seeds(each);
    world.put(&documents).await;
    let store = Arc::new(Counting {
        inner: Arc::clone(&world.store),
        calls: Mutex::default(),
    });
    world.store = store.clone();
    let pools = pipeline.pools.iter();
    let mut queues = pools
        .filter(|pool| pool.name == "consolidate")
        .map(|pool| &pool.queues[0]);
    let queue = queues.next().expect("a pool `consolidate`");
    let engines = Engines {
        exchange: "collect-exchange".to_owned(),
        routing_key: "new.raw.data.prip-product".to_owned(),
        steps: queue.engines.clone(),
        known: true,
    };
    let now: DateTime<Utc> = "2024-04-05T08:00:00Z".parse().expect("a date");
    let pool = world.pool(&engines, now).expect("a pool");
    let ids = documents["raw-data-prip-product-2024-04"].keys();
    let message = Message {
        message_id: "calls".to_owned(),
        document_class: "PripProduct".to_owned(),
        document_ids: ids
            .map(|id| DocumentId::new(id.as_str()).expect("an id"))
            .collect(),
        ..Message::default()
    };
    let processed = engines.run(&pool, &message.to_body(), 5).await;
    assert_eq!(processed.verdict, Verdict::Done);
    let calls = std::mem::take(&mut *store.calls.lock().expect("a lock"));
    let products = world.documents().await;
    let made = products
        .iter()
        .filter(|(index, _)| index.starts_with("cds-product-"));
    let made: usize = made.map(|(_, documents)| documents.len()).sum();
    assert_eq!(made, 3 * each);
    calls
}

/// Raw products, a level for each of their types, and the datatakes of the observed ones.
fn seeds(each: usize) -> Documents {
    let mut seeds = Documents::new();
    for number in 0..each {
        let names = [
            format!(
                "S1A_IW_RAW__0SDH_20240330T120000_20240330T120025_053000_067000_{number:04X}.SAFE.zip"
            ),
            format!(
                "S2A_OPER_MSI_L1C_TL_2APS_20240330T130334_A045000_T{:02}VN{}_N05.12.tar",
                1 + number % 60,
                ["A", "B"][number / 60]
            ),
            format!(
                "S3A_OL_0_EFR____20240330T120117_20240330T120316_20240330T{:02}{:02}00_0119_111_001______LN1_O_NR_002.SEN3.zip",
                13 + number / 60,
                number % 60
            ),
        ];
        for (kind, name) in names.into_iter().enumerate() {
            let product = json!({
                "product_id": format!("{kind}-{number}"), "product_name": name, "content_length": 1,
                "interface_name": "PRIP_TEST", "production_service_name": "TEST",
                "production_service_type": "PRIP", "ingestionTime": "2024-04-05T08:00:00.000Z",
                "start_date": "2024-03-30T12:00:00.000Z", "end_date": "2024-03-30T12:00:20.000Z",
                "publication_date": "2024-03-30T14:00:00.000Z",
                "origin_date": "2024-03-30T13:00:00.000Z",
            });
            let index = seeds.entry("raw-data-prip-product-2024-04".to_owned());
            index
                .or_default()
                .insert(format!("{kind}-{number}"), object(product));
        }
    }
    let levels = seeds.entry("cds-dataflow-conf".to_owned()).or_default();
    for (mission, product_type, level) in [
        ("S1", "IW_RAW__0S", "L0_"),
        ("S2", "MSI_L1C_TL", "L1_"),
        ("S3", "OL_0_EFR___", "L0_"),
    ] {
        let row = json!({"mission": mission, "product_type": product_type, "level": level});
        levels.insert(product_type.to_owned(), object(row));
    }
    let datatakes = seeds.entry("cds-datatake-s1-s2".to_owned()).or_default();
    for (unit, id) in [("S1A", "421888"), ("S2A", "45000-1")] {
        let datatake = json!({
            "mission": &unit[..2], "satellite_unit": unit, "datatake_id": id,
            "observation_time_start": "2024-03-30T12:00:00.000Z",
            "observation_time_stop": "2024-03-30T12:05:00.000Z",
        });
        datatakes.insert(format!("{unit}-{id}"), object(datatake));
    }
    seeds
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

/// Counts the calls to a store.
#[derive(Debug)]
struct Counting {
    inner: Arc<dyn DocumentStore>,
    calls: Mutex<Calls>,
}

impl Counting {
    fn called(&self, method: &'static str) -> &dyn DocumentStore {
        *self
            .calls
            .lock()
            .expect("a lock")
            .entry(method)
            .or_default() += 1;
        &*self.inner
    }
}

#[async_trait]
impl DocumentStore for Counting {
    async fn get_many(
        &self,
        index: &IndexName,
        ids: &[DocumentId],
    ) -> Result<Vec<Option<Document>>, StoreError> {
        self.called("get_many").get_many(index, ids).await
    }

    async fn write(&self, actions: Vec<WriteAction>) -> Result<Vec<WriteOutcome>, StoreError> {
        self.called("write").write(actions).await
    }

    async fn search(
        &self,
        index: &IndexName,
        search: &Search,
    ) -> Result<Vec<Document>, StoreError> {
        self.called("search").search(index, search).await
    }

    async fn scan(&self, index: &IndexName, search: &Search) -> Result<Box<dyn Pages>, StoreError> {
        self.called("scan").scan(index, search).await
    }

    async fn count(&self, index: &IndexName, query: &Query) -> Result<u64, StoreError> {
        self.called("count").count(index, query).await
    }

    async fn aggregate(
        &self,
        index: &IndexName,
        aggregation: &Aggregation,
    ) -> Result<Vec<Bucket>, StoreError> {
        self.called("aggregate").aggregate(index, aggregation).await
    }

    async fn refresh(&self, index: &IndexName) -> Result<(), StoreError> {
        self.called("refresh").refresh(index).await
    }

    async fn install(&self, model: &Model) -> Result<(), StoreError> {
        self.called("install").install(model).await
    }

    async fn indices(&self, pattern: &str) -> Result<Vec<IndexInfo>, StoreError> {
        self.called("indices").indices(pattern).await
    }

    async fn drop_index(&self, index: &IndexName) -> Result<(), StoreError> {
        self.called("drop_index").drop_index(index).await
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        self.called("status").status().await
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.called("close").close().await
    }
}
