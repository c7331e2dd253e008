//! A random process, ours, the broker or the store, is killed again and again.

mod cost;
mod sums;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use maas_tests::random::Random;

use super::{Goal, Length, Setting};
use crate::chain::Chain;
use crate::crew::Crew;
use crate::lab::Lab;
use crate::load::File;
use crate::pair::Servers;
use crate::report::Report;
use crate::schedule::Schedule;
use crate::scrape::Scraper;

pub(super) const GOAL: Goal = Goal {
    name: "crashes",
    alone: false,
    promise: "collector, three chained pools, RabbitMQ, OpenSearch, a random one killed every 5 s: 0 lost, 0 wrong, 0 missing messages (G1), written once (G3), metrics add up in every scrape (G25)",
    run: |setting| Box::pin(run(setting)),
};

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Ours(usize),
    Broker,
    Store,
}

const VICTIMS: [Victim; 6] = [
    Victim::Ours(0),
    Victim::Ours(1),
    Victim::Ours(2),
    Victim::Ours(3),
    Victim::Broker,
    Victim::Store,
];

/// How much more than once a document may be written.
const MOST_WRITES: f64 = 1.05;

async fn run(setting: Setting) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let mut servers = Servers::start().await?;
    let pair = servers.pair(&folder.path().join("data"));
    let mut lab = Lab::new(setting.seed, folder.path(), pair).await?;
    let schedule = schedule(setting);
    let mut report = Report::default();
    report.figure("killed", schedule.moments.len());
    let mut scraper = Scraper::new(Crew::addresses())?;
    kill(&mut lab, &mut servers, setting, &schedule, &mut scraper)
        .await
        .map_err(|error| error.context(schedule.to_string()))?;
    scraper.report(&mut report)?;
    report.figure("seconds to drain", lab.drained.as_secs());
    lab.compare().await?;
    lab.report(&mut report);
    let writes = cost::writes_per_document(&servers.store.url()).await?;
    ensure!(
        writes <= MOST_WRITES,
        "a document was written {writes:.3} times"
    );
    report.figure("writes per document", format!("{writes:.3}"));
    sums::compare(&mut lab, &mut report)
        .await
        .context("metrics without kills")?;
    cost::redelivery(&mut lab, &servers.store.url(), &mut report).await?;
    Ok(report)
}

fn lasting(setting: Setting) -> Duration {
    Duration::from_secs(setting.pick(30, 900))
}

/// One in which the broker and the store are killed, too.
fn schedule(setting: Setting) -> Schedule<Victim> {
    let pauses = setting.pick(
        Duration::from_millis(1_500)..Duration::from_millis(2_500),
        Duration::from_millis(4_500)..Duration::from_millis(5_500),
    );
    let mut random = Random::new(setting.seed);
    loop {
        let schedule = Schedule::random(random.next(), lasting(setting), pauses.clone(), &VICTIMS);
        let hit = |victim| schedule.moments.iter().any(|(_, found)| *found == victim);
        if hit(Victim::Broker) && hit(Victim::Store) {
            return schedule;
        }
    }
}

/// One file after the other, so that there is work in hand whenever something is killed.
async fn feed(chain: &Chain, files: &[File], lasting: Duration) -> Result<()> {
    let pause = lasting / u32::try_from(files.len())?;
    for file in files {
        chain.feed(std::slice::from_ref(file))?;
        tokio::time::sleep(pause).await;
    }
    Ok(())
}

/// Feeds the chain, and kills beside.
async fn kill(
    lab: &mut Lab,
    servers: &mut Servers,
    setting: Setting,
    schedule: &Schedule<Victim>,
    scraper: &mut Scraper,
) -> Result<()> {
    let (files, records) = match setting.length {
        Length::Short => (150, 40),
        Length::Long => (1_000, 100),
    };
    let files = lab.issue(files, records);
    let mut crew = Crew::start(&lab.chain)?;
    let chain = &lab.chain;
    let killing = schedule.play(async |victim| match victim {
        Victim::Ours(member) => {
            crew.kill(member)?;
            crew.replace(chain, member)
        }
        Victim::Broker => servers.bus.restart().await,
        Victim::Store => servers.store.restart().await,
    });
    let worked = async { futures_util::try_join!(killing, feed(chain, &files, lasting(setting))) };
    tokio::select! {
        broken = scraper.watch() => broken.context("metrics under kills")?,
        done = worked => drop(done?),
    }
    // None of ours may have died of a server's death.
    crew.kill_all()?;
    lab.settle().await
}
