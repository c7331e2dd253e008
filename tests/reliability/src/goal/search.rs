//! An engine that searches, woken while documents are written all the time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use maas_tests::random::Random;
use maas_tests::server::OpenSearch;
use serde_json::{Value, json};

use super::{Goal, Setting};
use crate::engine::gather::take_unseen;
use crate::fault::opensearch::{contents, open, statistic, write};
use crate::pools::Pools;
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "search",
    alone: true,
    promise: "a search sees all that was announced, several workers end as one would, and refreshes are shared",
    run: |setting| Box::pin(run(setting)),
};

/// In one message.
const NAMED: u64 = 10;
/// Documents per second.
const RATE: u64 = 500;
/// Documents of one site at the end, all of which a search for it finds: else the work would grow with the square of
/// the time.
const OF_SITE: u64 = 100;
const PROCESSES: usize = 2;

const PIPELINE: &str = "
models:
  Thing: { index: thing, fields: { site: keyword, value: long }, settings: { number_of_shards: 1 } }
  Site: { index: site, fields: { count: long, total: long }, settings: { number_of_shards: 1 } }
pools:
  - name: gather
    concurrency: 4
    prefetch: 32
    queues:
      - name: gather
        from: { collect-exchange: [gather] }
        engines: [ { GATHER: { source_model: Thing, target_model: Site } } ]
outside: { fed: [gather] }
";

async fn run(setting: Setting) -> Result<Report> {
    let node = OpenSearch::start().await?;
    let mut pools = Pools::new(PIPELINE).await?;
    let store = open(&node)?;
    pools.install(&*store).await?;
    write(
        &*store,
        "thing",
        [("first".to_owned(), json!({"site": "none", "value": 0}))],
    )
    .await?;
    for _ in 0..PROCESSES {
        pools.run("gather", open(&node)?)?;
    }
    take_unseen();
    let refreshes = statistic(&node, "thing", "/refresh/total").await?;
    let begun = Instant::now();
    let messages = setting.pick(12, 300) * RATE / NAMED;
    let (batches, expected) = things(setting.seed, messages);
    // Several at once: one writer after the other would wait for every answer.
    let sent = stream::iter(batches.into_iter().enumerate()).map(async |(number, things)| {
        let due = Duration::from_secs_f64(number as f64 * NAMED as f64 / RATE as f64);
        tokio::time::sleep(due.saturating_sub(begun.elapsed())).await;
        let ids = write(&*store, "thing", things).await?;
        pools.send("gather", "Thing", ids).await
    });
    sent.buffer_unordered(8).try_collect::<()>().await?;
    let rate = (messages * NAMED) as f64 / begun.elapsed().as_secs_f64();
    pools.idle(Duration::from_secs(600)).await?;
    pools.stop().await?;
    let took = begun.elapsed();
    let refreshes = statistic(&node, "thing", "/refresh/total").await? - refreshes;

    ensure!(
        pools.dead("gather").await?.is_empty(),
        "there are dead letters"
    );
    let (unseen, runs) = take_unseen();
    ensure!(
        unseen == 0,
        "searches did not see {unseen} documents that were announced before"
    );
    let found: BTreeMap<String, Value> = contents(&node, "site").await?.into_iter().collect();
    ensure!(found.len() == expected.len(), "{} sites", found.len());
    for (site, (count, total)) in &expected {
        let sum = &found[site];
        let right = sum["count"] == *count && sum["total"] == *total;
        ensure!(right, "{site}: {sum} instead of {count} and {total}");
    }
    // Each run of an engine asks for one at most; the index's own come once in a second.
    let bound = runs as u64 + took.as_secs() + 1;
    ensure!(refreshes <= bound, "{refreshes} refreshes, bound {bound}");
    let mut report = Report::default();
    report.figure("documents", messages * NAMED);
    report.figure("documents per second written", format!("{rate:.0}"));
    report.figure(
        "seconds until all was summed up",
        format!("{:.1}", took.as_secs_f64()),
    );
    report.figure("sums, all as one worker would leave them", expected.len());
    report.figure("announced documents that a search missed", unseen);
    report.figure("runs of the engine", runs);
    report.figure("refreshes", refreshes);
    Ok(report)
}

/// Ids and contents of the documents of one message.
type Things = Vec<(String, Value)>;
/// The number of documents and the sum of their values, by site.
type Sums = BTreeMap<String, (u64, i64)>;

/// The documents of each message, and what they sum up to.
fn things(seed: u64, messages: u64) -> (Vec<Things>, Sums) {
    let mut random = Random::new(seed);
    let mut sums = Sums::new();
    let sites = messages * NAMED / OF_SITE;
    let mut thing = |id: String| {
        let site = format!("site-{}", random.next() % sites);
        let value = random.between(-1_000, 1_000);
        let sum = sums.entry(site.clone()).or_default();
        *sum = (sum.0 + 1, sum.1 + value);
        (id, json!({"site": site, "value": value}))
    };
    let batches = (0..messages).map(|number| {
        (0..NAMED)
            .map(|place| thing(format!("{number}-{place}")))
            .collect()
    });
    (batches.collect(), sums)
}
