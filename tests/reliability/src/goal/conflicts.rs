//! Workers of several processes add to the same few documents.

use std::time::Duration;

use anyhow::{Result, ensure};
use maas_model::document::DocumentId;
use maas_tests::random::Random;
use maas_tests::server::OpenSearch;
use serde_json::json;

use super::{Goal, Setting};
use crate::engine::count::{Runs, take_runs};
use crate::fault::opensearch::{contents, open, statistic, write};
use crate::pools::Pools;
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "conflicts",
    alone: false,
    promise: "8 workers on the same 100 documents end as if one had done it all; only what was overtaken is read again",
    run: |setting| Box::pin(run(setting)),
};

const DOCUMENTS: i64 = 100;
/// In one message.
const NAMED: usize = 5;
const PROCESSES: usize = 2;
/// Two messages of so many workers seldom share more than one document.
const MOST_AGAIN: f64 = 2.5;

const PIPELINE: &str = "
models:
  Counter: { index: counter, fields: { count: long }, settings: { number_of_shards: 1 } }
pools:
  - name: one
    concurrency: 1
    queues: [ { name: alone, from: { collect-exchange: [alone] }, engines: [ { COUNT: {} } ] } ]
  - name: many
    concurrency: 4
    queues: [ { name: crowd, from: { collect-exchange: [crowd] }, engines: [ { COUNT: {} } ] } ]
outside: { fed: [alone, crowd] }
";

async fn run(setting: Setting) -> Result<Report> {
    let node = OpenSearch::start().await?;
    let calm = count(&node, setting, "one", "alone", 1, 200).await?;
    let messages = setting.pick(2_000, 20_000);
    let crowd = count(&node, setting, "many", "crowd", PROCESSES, messages).await?;
    ensure!(crowd.runs.repeated > 0, "there was no conflict");
    let again = crowd.runs.repeated as f64 / crowd.runs.repetitions as f64;
    ensure!(
        again <= MOST_AGAIN,
        "{again:.2} documents were read again at once, of {NAMED}: not only what was overtaken"
    );
    ensure!(
        crowd.reads_per_message <= 3.0 * calm.reads_per_message,
        "{:.2} reads per message, {:.2} without conflicts",
        crowd.reads_per_message,
        calm.reads_per_message
    );
    let mut report = Report::default();
    report.figure("messages, each once", messages);
    report.figure("sums, all exact", DOCUMENTS);
    report.figure("documents counted again", crowd.runs.repeated);
    report.figure("of one message at once", format!("{again:.2}"));
    let reads = |done: &Done| format!("{:.2}", done.reads_per_message);
    report.figure("reads per message", reads(&crowd));
    report.figure("reads per message without conflicts", reads(&calm));
    Ok(report)
}

struct Done {
    reads_per_message: f64,
    runs: Runs,
}

/// Lets this pool count, and judges what came of it.
async fn count(
    node: &OpenSearch,
    setting: Setting,
    pool: &str,
    key: &str,
    processes: usize,
    messages: usize,
) -> Result<Done> {
    let mut pools = Pools::new(PIPELINE).await?;
    let store = open(node)?;
    pools.install(&*store).await?;
    let zero = (0..DOCUMENTS).map(|id| (id.to_string(), json!({"count": 0})));
    write(&*store, "counter", zero).await?;
    let mut expected = vec![0_u64; DOCUMENTS as usize];
    let lists = (0..messages)
        .map(|_| Vec::new())
        .collect::<Vec<Vec<DocumentId>>>();
    let lists = fill(lists, setting.seed, &mut expected)?;
    let reads = statistic(node, "counter", "/get/total").await?;
    take_runs();
    pools.send_all(key, "Counter", lists).await?;
    for _ in 0..processes {
        pools.run(pool, open(node)?)?;
    }
    pools.idle(Duration::from_secs(900)).await?;
    pools.stop().await?;

    let runs = take_runs();
    let reads = statistic(node, "counter", "/get/total").await? - reads;
    ensure!(pools.dead(pool).await?.is_empty(), "there are dead letters");
    ensure!(
        runs.begun.len() == messages,
        "{} messages begun",
        runs.begun.len()
    );
    let again = runs.begun.values().filter(|times| **times > 1).count();
    ensure!(again == 0, "{again} messages were handed back");
    for (id, source) in contents(node, "counter").await? {
        let expected = expected[id.parse::<usize>()?];
        ensure!(
            source["count"] == expected,
            "{id}: {source} instead of {expected}"
        );
    }
    Ok(Done {
        reads_per_message: reads as f64 / messages as f64,
        runs,
    })
}

/// Different documents for every message.
fn fill(
    mut lists: Vec<Vec<DocumentId>>,
    seed: u64,
    expected: &mut [u64],
) -> Result<Vec<Vec<DocumentId>>> {
    let mut random = Random::new(seed);
    for list in &mut lists {
        while list.len() < NAMED {
            let number = random.between(0, DOCUMENTS);
            let id = DocumentId::new(number.to_string())?;
            if !list.contains(&id) {
                expected[number as usize] += 1;
                list.push(id);
            }
        }
    }
    Ok(lists)
}
