//! A source that gives more than may be in memory.

use std::time::Instant;

use super::batch::BATCH_RECORDS;
use super::prepare::PORTION_RECORDS;
use super::write::IN_FLIGHT;
use super::*;

const RECORDS: u64 = 20_000;

/// Batches on their way (each may take one portion too many), the batch that comes next, portions that
/// wait, the one that is being handed over, and the one that fills.
const MOST_IN_MEMORY: usize =
    (IN_FLIGHT + 1) * (BATCH_RECORDS + PORTION_RECORDS) + (QUEUED + 2) * PORTION_RECORDS;

#[tokio::test]
async fn while_the_store_stands_still_the_extractor_does_too() {
    let (bench, store, _) = Bench::fake();
    let records: Vec<Value> = (0..RECORDS).map(|n| json!({"id": n.to_string()})).collect();
    bench.file("a.json", Value::Array(records).to_string());
    store.stopped.send_replace(true);
    let flow = bench.flow();
    let stats = flow.stats();
    let watch = async {
        // Full: the portions that wait, and something in every batch.
        let full = ((IN_FLIGHT + QUEUED) * PORTION_RECORDS) as u64;
        while stats.counts().records < full {
            tokio::task::yield_now().await;
        }
        // Time enough to take the whole file, for an extractor that does not wait.
        let until = Instant::now() + Duration::from_millis(500);
        while stats.counts().records < RECORDS && Instant::now() < until {
            tokio::task::yield_now().await;
        }
        let mut most = stats.counts().records;
        store.stopped.send_replace(false);
        while stats.counts().new < RECORDS {
            let stored = stats.counts().new;
            most = most.max(stats.counts().records - stored);
            tokio::task::yield_now().await;
        }
        most
    };
    let run = flow.run(CancellationToken::new(), FlowMode::Once);
    let (counts, most) = tokio::join!(run, watch);
    assert_eq!(counts.unwrap().announced, RECORDS);
    assert!(most <= MOST_IN_MEMORY as u64, "{most} records in memory");
}
