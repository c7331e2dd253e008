//! The store of one pool hangs; the other pools have another one.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use maas_model::store::OpenSearchOptions;
use maas_tests::proxy::Proxy;
use maas_tests::server::OpenSearch;

use super::{Goal, Setting};
use crate::fault::opensearch::{connect, open};
use crate::inflated::{Inflated, Seeds};
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "hang",
    alone: true,
    promise: "a store that hangs stops the pools on it and no others, and memory stays",
    run: |setting| Box::pin(run(setting)),
};

const MEBIBYTE: u64 = 1 << 20;

async fn run(setting: Setting) -> Result<Report> {
    let (good, bad) = (OpenSearch::start().await?, OpenSearch::start().await?);
    let proxy = Proxy::in_front_of(&bad.url()).await?;
    let lasting = Duration::from_secs(setting.pick(10, 120));
    let mut seeds = Seeds::default();
    // More than is done in the time, so that nobody runs dry.
    for _ in 0..setting.pick(8_000, 100_000) {
        seeds.message([100; 2])?;
    }
    let mut victim = Inflated::new(&bad, 4, seeds.clone()).await?;
    let mut others = Inflated::new(&good, 2, seeds).await?;
    victim
        .start(connect(proxy.url(), OpenSearchOptions::default())?)
        .await?;
    others.start(open(&good)?).await?;
    // Three pools on the good one, beside the one that will hang.
    others.pools.run(crate::inflated::POOL, open(&good)?)?;
    others.pools.run(crate::inflated::POOL, open(&good)?)?;
    tokio::time::sleep(Duration::from_secs(4)).await;

    let before = rate(&others, lasting).await?;
    let stuck = victim.left().await?;
    proxy.freeze();
    let memory = resident()?;
    let during = rate(&others, lasting).await?;
    let grown = resident()?.saturating_sub(memory);
    let done_meanwhile = stuck - victim.left().await?;
    proxy.thaw();
    let thawed = Instant::now();
    let left = victim.left().await?;
    while victim.left().await? == left {
        ensure!(
            thawed.elapsed() < Duration::from_secs(10),
            "the pool does not go on"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let resumed = thawed.elapsed();
    victim.pools.stop().await?;
    others.pools.stop().await?;

    let share = during / before;
    ensure!(
        done_meanwhile <= 8,
        "{done_meanwhile} messages were done on a store that hangs"
    );
    ensure!(share >= 0.95, "{during:.1} messages/s, {before:.1} before");
    ensure!(
        grown <= 20 * MEBIBYTE,
        "memory grew by {} MiB",
        grown / MEBIBYTE
    );
    let mut report = Report::default();
    report.figure(
        "messages per second of the others before",
        format!("{before:.1}"),
    );
    report.figure("while the store of one hangs", format!("{during:.1}"));
    report.figure("share", format!("{share:.2}"));
    report.figure("memory grown, MiB", grown / MEBIBYTE);
    report.figure(
        "seconds until the stopped pool works again",
        format!("{:.1}", resumed.as_secs_f64()),
    );
    Ok(report)
}

async fn rate(load: &Inflated, lasting: Duration) -> Result<f64> {
    let (first, begun) = (load.left().await?, Instant::now());
    tokio::time::sleep(lasting).await;
    let left = load.left().await?;
    ensure!(left > 0, "there was too little to do");
    Ok((first - left) as f64 / begun.elapsed().as_secs_f64())
}

/// Bytes that this process keeps in memory.
fn resident() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kibibytes.context("no `VmRSS`")?.parse::<u64>()? * 1_024)
}
