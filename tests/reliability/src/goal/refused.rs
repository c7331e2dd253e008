//! Some documents that an index does not take, until its mapping is mended.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use maas_model::message::{DeadFilter, DeadLetters};
use maas_tests::server::OpenSearch;
use serde_json::json;

use super::{Goal, Setting};
use crate::fault::opensearch::open;
use crate::inflated::{INDEX, Inflated, POOL, Seeds};
use crate::meters::Meters;
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "refused",
    alone: true,
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
    let clean = work(&node, seeds.clone()).await?.took;
    let (all, bad) = (seeds.len(), seeds.spoil(100));
    let worked = work(&node, seeds).await?;
    sums(&worked.meters, all, bad)?;
    let (mut load, took, scrapes) = (worked.load, worked.took, worked.scrapes);
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
    load.pools.run(POOL, open(&node)?)?;
    let meters = load.pools.meters();
    let ((), again) = meters.during(load.finish()).await?;
    let replayed = begun.elapsed();
    sums(&meters, bad, 0).context("replayed")?;
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
    report.figure("scrapes in which all adds up", scrapes + again);
    Ok(report)
}

/// One run over a strict index.
async fn work(node: &OpenSearch, seeds: Seeds) -> Result<Worked> {
    let mut load = Inflated::new(node, 4, seeds).await?;
    node.ask(reqwest::Method::PUT, &format!("/{INDEX}"), None)
        .await?;
    let strict = json!({"dynamic": "strict", "properties": {}});
    let path = format!("/{INDEX}/_mapping");
    node.ask(reqwest::Method::PUT, &path, Some(strict)).await?;
    let begun = Instant::now();
    load.start(open(node)?).await?;
    let meters = load.pools.meters();
    let ((), scrapes) = meters.during(load.finish()).await?;
    let took = begun.elapsed();
    Ok(Worked {
        load,
        took,
        meters,
        scrapes,
    })
}

/// A run that came to its end.
struct Worked {
    load: Inflated,
    took: Duration,
    meters: Meters,
    scrapes: usize,
}

/// In the end nothing is in flight, and the sums are those that were issued.
fn sums(meters: &Meters, received: usize, dead: usize) -> Result<()> {
    let scrapes = meters.scrape()?;
    let sum = |name, labels: &[(&str, &str)]| -> f64 {
        scrapes.iter().map(|scrape| scrape.sum(name, labels)).sum()
    };
    let settled = |outcome| sum("maas_pool_documents_total", &[("outcome", outcome)]);
    let found = [
        sum("maas_pool_documents_received_total", &[]),
        settled("written"),
        settled("dead_lettered"),
        sum("maas_pool_documents_in_flight", &[]),
    ];
    let issued = [received, received - dead, dead, 0].map(|units| units as f64);
    ensure!(
        found == issued,
        "received, written, dead and in flight are {found:?}, not {issued:?}"
    );
    Ok(())
}
