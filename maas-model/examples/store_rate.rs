//! How many documents per second the embedded store takes, gives by id, and finds.
//!
//! `cargo run --release -p maas-model --example store_rate [DOCUMENTS]`

#![allow(clippy::print_stdout)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use maas_model::BoxError;
use maas_model::document::{DocumentId, IndexName, Source};
use maas_model::store::{
    Aggregation, DocumentStore, EmbeddedStore, Group, Query, Search, WriteAction, WriteOp,
};
use serde_json::{Value, json};

const DOCUMENTS: usize = 100_000;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let documents = match std::env::args().nth(1) {
        Some(count) => count.parse()?,
        None => DOCUMENTS,
    };
    for (bulk, callers) in [(500, 1), (1_000, 1), (1_000, 2)] {
        run(documents, bulk, callers).await?;
    }
    Ok(())
}

async fn run(documents: usize, bulk: usize, callers: usize) -> Result<(), BoxError> {
    let folder = tempfile::tempdir()?;
    let store: Arc<dyn DocumentStore> = Arc::new(EmbeddedStore::open(folder.path())?);
    let index = IndexName::new("raw-data-2024-01")?;
    println!("{documents} documents in bulks of {bulk} from {callers}:");

    let actions = make(&index, documents)?;
    say(
        "create",
        documents,
        write(&store, actions, bulk, callers).await?,
    );
    let actions = make(&index, documents)?;
    say(
        "replace",
        documents,
        write(&store, actions, bulk, callers).await?,
    );

    let ids: Vec<DocumentId> = make(&index, documents)?
        .into_iter()
        .map(|action| action.id)
        .collect();
    let start = Instant::now();
    for ids in ids.chunks(bulk) {
        store.get_many(&index, ids).await?;
    }
    say("get", documents, start.elapsed());

    let search = Search::new(Query::term("datatake_id", "datatake-17"));
    for what in [
        "term, searched through",
        "term, index being made",
        "term, by index",
    ] {
        let start = Instant::now();
        let found = store.search(&index, &search).await?.len();
        say(&format!("{what} ({found} found)"), 1, start.elapsed());
    }
    let aggregation = Aggregation {
        query: Query::All,
        groups: vec![Group::Terms {
            field: "mission".to_owned(),
        }],
        measures: Vec::new(),
    };
    let start = Instant::now();
    store.aggregate(&index, &aggregation).await?;
    say("aggregate", documents, start.elapsed());
    store.close().await?;
    Ok(())
}

/// Every caller writes its share in bulks, one after the other.
async fn write(
    store: &Arc<dyn DocumentStore>,
    actions: Vec<WriteAction>,
    bulk: usize,
    callers: usize,
) -> Result<Duration, BoxError> {
    let share = actions.len().div_ceil(callers);
    let shares: Vec<Vec<WriteAction>> = actions.chunks(share).map(<[_]>::to_vec).collect();
    let start = Instant::now();
    let tasks: Vec<_> = shares
        .into_iter()
        .map(|share| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for bulk in share.chunks(bulk) {
                    store.write(bulk.to_vec()).await?;
                }
                Ok::<_, maas_model::store::StoreError>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(start.elapsed())
}

fn make(index: &IndexName, documents: usize) -> Result<Vec<WriteAction>, BoxError> {
    (0..documents)
        .map(|n| {
            Ok(WriteAction {
                index: index.clone(),
                // Spread like digests are, not in the order of writing.
                id: DocumentId::new(format!(
                    "{:032x}",
                    (n as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
                ))?,
                op: WriteOp::Index(document(n), None),
            })
        })
        .collect()
}

/// About 850 bytes, the size of a raw product.
fn document(n: usize) -> Source {
    let value = json!({
        "product_id": format!("5f0c{n:08x}-1111-2222-3333-444455556666"),
        "product_name": format!("S1A_IW_GRDH_1SDV_20240101T{:06}_20240101T{n:08}_051234_062F4A.SAFE.zip", n % 86_400),
        "mission": if n.is_multiple_of(2) { "S1A" } else { "S1B" },
        "datatake_id": format!("datatake-{}", n / 50),
        "content_length": 1_000_000 + n,
        "publication_date": "2024-01-01T10:20:30.456Z",
        "start_date": "2024-01-01T08:20:30.456Z",
        "end_date": "2024-01-01T08:20:55.456Z",
        "eviction_date": "2024-02-01T08:20:55.456Z",
        "footprint": {"type": "Polygon", "coordinates": [[[1.25, 2.5], [3.75, 4.5], [5.25, 6.125], [7.0, 8.0], [1.25, 2.5]]]},
        "checksum": "d41d8cd98f00b204e9800998ecf8427e",
        "interface_name": "PRIP_S1A_Serco",
        "production_service_type": "PRIP",
        "production_service_name": "S1A-Serco",
        "reportName": "PRIP_S1A_Serco_20240101T000000_20240101T010000_1000_P001.json",
        "reportFolder": "/inbox/PRIP",
        "ingestionTime": "2024-01-01T11:20:30.456Z"
    });
    match value {
        Value::Object(source) => source,
        _ => Source::new(),
    }
}

fn say(what: &str, count: usize, took: Duration) {
    let rate = count as f64 / took.as_secs_f64();
    println!(
        "  {what:<40} {:>9.1} ms {rate:>10.0} /s",
        took.as_secs_f64() * 1e3
    );
}
