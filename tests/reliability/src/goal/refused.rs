//! Some documents that an index does not take, until its mapping is mended.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use maas_model::message::{DeadFilter, DeadLetters};
use maas_model::store::OpenSearchOptions;
use maas_tests::server::OpenSearch;
use serde_json::json;

use super::{Goal, Setting};
use crate::fault::opensearch::connect;
use crate::inflated::{INDEX, Inflated, POOL, Seeds};
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "refused",
    promise: "refused documents are dead letters with the item's error, the rest is not slowed, and a replay leaves no trace",
    run: |setting| Box::pin(run(setting)),
};

/// In one message.
const NAMED: usize = 100;

async fn run(setting: Setting) -> Result<Report> {
    let node = OpenSearch::start().await?;
    let messages = setting.pick(60, 500);
    let mut seeds = Seeds::default();
    for _ in 0..messages {
        seeds.message([300; NAMED])?;
    }
    // The first run warms the node up.
    work(&node, seeds.clone()).await?;
    let (_, clean) = work(&node, seeds.clone()).await?;
    let bad = seeds.spoil(100);
    let (mut load, took) = work(&node, seeds).await?;
    let ratio = took.as_secs_f64() / clean.as_secs_f64();

    load.judge(&node, |seed| seed.get("extra").is_some())
        .await?;
    let dead = load.pools.dead(POOL).await?;
    ensure!(
        dead.len() == bad,
        "{} dead letters for {bad} bad documents",
        dead.len()
    );
    for letter in &dead {
        let told =
            letter.reason.detail.contains("extra") && letter.reason.detail.contains("strict");
        ensure!(
            told,
            "a dead letter does not tell the item's error: {:?}",
            letter.reason
        );
    }
    ensure!(
        ratio <= setting.pick(1.5, 1.1),
        "{took:?} with refused documents, {clean:?} without"
    );

    let mended = json!({"properties": {"extra": {"type": "keyword"}}});
    let path = format!("/{INDEX}/_mapping");
    node.ask(reqwest::Method::PUT, &path, Some(mended)).await?;
    let begun = Instant::now();
    let letters = DeadLetters::new(load.pools.bus().clone());
    let resolved = letters.replay(&DeadFilter::default(), usize::MAX).await?;
    ensure!(
        resolved.kept.is_empty(),
        "not replayed: {:?}",
        resolved.kept.first()
    );
    load.pools
        .run(POOL, connect(&node.url(), OpenSearchOptions::default())?)?;
    load.finish().await?;
    let replayed = begun.elapsed();
    ensure!(
        load.pools.dead(POOL).await?.is_empty(),
        "there are dead letters after the replay"
    );
    load.judge(&node, |_| false).await?;
    ensure!(
        replayed <= Duration::from_secs(setting.pick(20, 5)),
        "the replay took {replayed:?}"
    );

    let mut report = Report::default();
    report.figure("documents", messages * NAMED);
    report.figure("refused, each a dead letter with its error", bad);
    report.figure(
        "time, of that of a run without refusals",
        format!("{ratio:.2}"),
    );
    report.figure(
        "replay of all, seconds",
        format!("{:.1}", replayed.as_secs_f64()),
    );
    report.figure("documents and announcements after it", "as if never failed");
    Ok(report)
}

/// One run over a strict index; how long it took.
async fn work(node: &OpenSearch, seeds: Seeds) -> Result<(Inflated, Duration)> {
    let mut load = Inflated::new(node, 4, seeds).await?;
    node.ask(reqwest::Method::PUT, &format!("/{INDEX}"), None)
        .await?;
    let strict = json!({"dynamic": "strict", "properties": {}});
    let path = format!("/{INDEX}/_mapping");
    node.ask(reqwest::Method::PUT, &path, Some(strict)).await?;
    let begun = Instant::now();
    load.start(connect(&node.url(), OpenSearchOptions::default())?)
        .await?;
    load.finish().await?;
    Ok((load, begun.elapsed()))
}
