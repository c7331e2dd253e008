//! More than a node has room for, and a full stop of it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use maas_model::store::{BulkPace, OpenSearchOptions};
use maas_tests::server::{OpenSearch, OpenSearchOptions as Node};

use super::{Goal, Setting};
use crate::fault::opensearch::{connect, statistic};
use crate::inflated::{INDEX, Inflated, LIMIT, Seeds};
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "pressure",
    alone: true,
    promise: "what finds no room is sent again alone, as fast as at the best fixed pace; work goes on at once after a full stop",
    run: |setting| Box::pin(run(setting)),
};

/// Workers: with three shards each asks for many times what the queue holds.
const WORKERS: usize = 32;
/// In one message.
const NAMED: usize = 50;

async fn run(setting: Setting) -> Result<Report> {
    let node = Node::default()
        .setting("thread_pool.write.size", "1")
        .setting("thread_pool.write.queue_size", "10");
    let node = OpenSearch::start_with(node).await?;
    let mut seeds = Seeds::default();
    for _ in 0..setting.pick(100, 2_000) {
        seeds.message([1_000; NAMED])?;
    }
    let mut report = Report::default();
    // Warms the node up, so that the later runs have no advantage.
    work(&node, &seeds, BulkPace::Fixed(4)).await?;
    let mut best = Duration::MAX;
    for pace in setting.pick(&[1, 4, 16][..], &[1, 2, 4, 8, 16, 32][..]) {
        let took = work(&node, &seeds, BulkPace::Fixed(*pace)).await?.took;
        report.figure(&format!("seconds at a fixed pace of {pace}"), seconds(took));
        best = best.min(took);
    }
    let adaptive = work(&node, &seeds, BulkPace::Adaptive).await?;
    report.figure("seconds at the adaptive pace", seconds(adaptive.took));
    report.figure("parts of requests refused by the node", adaptive.rejected);
    ensure!(adaptive.rejected > 0, "the node had room for everything");
    let ratio = adaptive.took.as_secs_f64() / best.as_secs_f64();
    report.figure("of the time of the best fixed pace", format!("{ratio:.2}"));
    ensure!(
        ratio <= setting.pick(1.5, 1.2),
        "{:?}, at the best fixed pace {best:?}: {report:?}",
        adaptive.took
    );

    let stop = Duration::from_secs(setting.pick(8, 30));
    let (resumed, share) = full_stop(&node, seeds, stop).await?;
    report.figure(
        "seconds from the end of a full stop to the old rate",
        seconds(resumed),
    );
    report.figure("share of the old rate", format!("{share:.2}"));
    Ok(report)
}

fn seconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64())
}

struct Done {
    took: Duration,
    rejected: u64,
}

/// Works on all of it at this pace; every document must have been written once.
async fn work(node: &OpenSearch, seeds: &Seeds, pace: BulkPace) -> Result<Done> {
    let documents = seeds.len() as u64;
    let mut load = Inflated::new(node, WORKERS, seeds.clone()).await?;
    let before = rejected(node).await?;
    let begun = Instant::now();
    load.start(connect(&node.url(), options(pace))?).await?;
    load.finish().await?;
    let took = begun.elapsed();
    load.judge(node, |_| false).await?;
    once(node, documents).await?;
    Ok(Done {
        took,
        rejected: rejected(node).await? - before,
    })
}

fn options(bulk_pace: BulkPace) -> OpenSearchOptions {
    OpenSearchOptions {
        bulk_pace,
        ..OpenSearchOptions::default()
    }
}

/// What was taken was not sent again: it would have been written twice, or refused as a conflict.
async fn once(node: &OpenSearch, documents: u64) -> Result<()> {
    let written = statistic(node, INDEX, "/indexing/index_total").await?;
    let failed = statistic(node, INDEX, "/indexing/index_failed").await?;
    ensure!(
        written == documents && failed == 0,
        "{written} writes and {failed} conflicts for {documents} documents"
    );
    Ok(())
}

async fn rejected(node: &OpenSearch) -> Result<u64> {
    let stats = node.json("/_nodes/stats/thread_pool").await?;
    let nodes = stats["nodes"].as_object().context("no nodes")?;
    let of = |node: &serde_json::Value| node["thread_pool"]["write"]["rejected"].as_u64();
    Ok(nodes.values().filter_map(of).sum())
}

/// How long after a stop the work is as fast as before, and how fast it is then.
async fn full_stop(node: &OpenSearch, mut seeds: Seeds, stop: Duration) -> Result<(Duration, f64)> {
    let again = seeds.clone();
    seeds.extend(&again)?;
    let documents = seeds.len() as u64;
    let mut load = Inflated::new(node, WORKERS, seeds).await?;
    load.start(connect(&node.url(), options(BulkPace::Adaptive))?)
        .await?;
    let (first, begun) = (load.left().await?, Instant::now());
    while load.left().await? > first * 2 / 3 {
        ensure!(begun.elapsed() < LIMIT, "nothing is done");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let before = (first - load.left().await?) as f64 / begun.elapsed().as_secs_f64();
    node.freeze()?;
    tokio::time::sleep(stop).await;
    node.thaw()?;
    let (thawed, mut left) = (Instant::now(), load.left().await?);
    let (resumed, share) = loop {
        let window = Instant::now();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = load.left().await?;
        let rate = (left - now) as f64 / window.elapsed().as_secs_f64();
        left = now;
        if rate >= 0.9 * before {
            break (thawed.elapsed(), rate / before);
        }
        ensure!(
            now > 0 && thawed.elapsed() < Duration::from_secs(5),
            "{rate:.1} messages/s, {before:.1} before the stop"
        );
    };
    load.finish().await?;
    load.judge(node, |_| false).await?;
    once(node, documents).await?;
    Ok((resumed, share))
}
