//! What was written and read, as OpenSearch counts it.

use anyhow::{Context, Result, ensure};
use maas_model::failpoint::Failpoint;
use serde_json::Value;

use crate::chain::LIMIT;
use crate::lab::Lab;
use crate::program::Running;
use crate::report::Report;

/// Indices whose every document is written once in a run without faults: each reading is issued once.
const ONCE: &str = "raw-data-reading,copy,derived";

/// Operations by sequence number (every write takes the next one, whatever is restarted), per document.
pub(super) async fn writes_per_document(store: &str) -> Result<f64> {
    refresh(store).await?;
    let stats = get(store, &format!("/{ONCE}/_stats?level=shards")).await?;
    let documents = number(&stats["_all"]["primaries"]["docs"]["count"])?;
    let indices = stats["indices"].as_object().context("no indices")?;
    let mut writes = 0.0;
    for index in indices.values() {
        let shards = index["shards"].as_object().context("no shards")?;
        for shard in shards.values() {
            writes += number(&shard[0]["seq_no"]["max_seq_no"])? + 1.0;
        }
    }
    ensure!(documents > 0.0, "there are no documents");
    Ok(writes / documents)
}

/// A message comes again although all of it was done: it was not acknowledged.
pub(super) async fn redelivery(lab: &mut Lab, store: &str, report: &mut Report) -> Result<()> {
    /// All in one message.
    const DOCUMENTS: usize = 10;
    lab.feed(1, DOCUMENTS)?;
    let until_idle = ["--until-idle"];
    let mut collect = lab.chain.command_for(&["collectors"], &until_idle)?;
    Running::start(&mut collect)?.finish(LIMIT).await?;
    let mut copy = lab.chain.command_for(&["pool=copy"], &until_idle)?;
    let point = Failpoint::Acknowledging.name();
    let mut killed = lab.chain.command_for(&["pool=copy"], &until_idle)?;
    killed.env("MAAS_FAILPOINT", format!("{point}:1"));
    let status = Running::start(&mut killed)?.wait(LIMIT).await?;
    ensure!(!status.success(), "nothing was killed at `{point}`");

    let before = Counts::of(store).await?;
    Running::start(&mut copy)?.finish(LIMIT).await?;
    let after = Counts::of(store).await?;
    let (writes, reads) = (after.writes - before.writes, after.reads - before.reads);
    ensure!(
        writes == 0.0,
        "a redelivery that changes nothing wrote {writes} documents"
    );
    // Its intent before and after, and each document once where it comes from and once where it goes to.
    let most = 2.0 + 2.0 * DOCUMENTS as f64;
    ensure!(
        reads > 0.0 && reads <= most,
        "a redelivery of {DOCUMENTS} documents read {reads} times by id"
    );
    lab.settle().await?;
    report.figure("redelivery of 10 documents: writes", writes);
    report.figure("redelivery of 10 documents: reads by id", reads);
    Ok(())
}

/// Since the node was started.
struct Counts {
    writes: f64,
    reads: f64,
}

impl Counts {
    async fn of(store: &str) -> Result<Self> {
        // Without the notes of how fast queues are worked on, which a process that lives long enough writes.
        let stats = get(store, "/*,-maas-queues/_stats/indexing,get").await?;
        let all = &stats["_all"]["primaries"];
        let indexing = &all["indexing"];
        Ok(Self {
            writes: number(&indexing["index_total"])? + number(&indexing["delete_total"])?,
            reads: number(&all["get"]["total"])?,
        })
    }
}

async fn get(store: &str, path: &str) -> Result<Value> {
    let answer = reqwest::get(format!("{store}{path}")).await?;
    Ok(answer.error_for_status()?.json().await?)
}

async fn refresh(store: &str) -> Result<()> {
    let client = reqwest::Client::new();
    let answer = client.post(format!("{store}/_refresh")).send().await?;
    answer.error_for_status()?;
    Ok(())
}

fn number(value: &Value) -> Result<f64> {
    value.as_f64().context("a figure is missing")
}
