//! What liveness and readiness say while the servers are away, one after the other and both.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use maas_tests::server::wait_until;
use tokio_util::sync::CancellationToken;

use super::{Goal, Setting};
use crate::lab::Lab;
use crate::pair::Servers;
use crate::program::Running;
use crate::report::Report;
use crate::scrape::address;

pub(super) const GOAL: Goal = Goal {
    name: "health",
    alone: true,
    promise: "while RabbitMQ or OpenSearch is stopped or stands still liveness stays green, readiness does not and says which and why, \
              and is green again when it is back (G26)",
    run: |setting| Box::pin(run(setting)),
};

/// Until readiness has to tell.
const SOON: Duration = Duration::from_secs(15);
/// Until it is green again: as long as servers take to start, on a busy machine.
const LONG: Duration = Duration::from_secs(120);
/// How long it is looked whether readiness stays red.
const STAYS: Duration = Duration::from_secs(5);
/// A probe of a platform gives up soon.
const MOST: Duration = Duration::from_secs(4);

async fn run(setting: Setting) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let mut servers = Servers::start().await?;
    let pair = servers.pair(&folder.path().join("data"));
    let mut lab = Lab::new(setting.seed, folder.path(), pair).await?;
    let port = Port::new(address(8))?;
    let mut run = Running::start(&mut lab.chain.command(&["--metrics", &port.address])?)?;
    port.green().await?;
    let lives = Lives::watch(port.clone());
    lab.feed(5, 20)?;
    let mut red = Vec::new();
    for _ in 0..setting.pick(1, 10) {
        servers.bus.kill()?;
        red.push(port.red(&["bus"]).await.context("RabbitMQ is stopped")?);
        servers.bus.restart().await?;
        port.green().await.context("RabbitMQ is back")?;

        servers.store.kill()?;
        red.push(
            port.red(&["store"])
                .await
                .context("OpenSearch is stopped")?,
        );
        servers.bus.kill()?;
        red.push(
            port.red(&["store", "bus"])
                .await
                .context("both are stopped")?,
        );
        tokio::try_join!(servers.store.restart(), servers.bus.restart())?;
        port.green().await.context("both are back")?;

        servers.store.freeze()?;
        red.push(
            port.red(&["store"])
                .await
                .context("OpenSearch stands still")?,
        );
        servers.store.thaw()?;
        port.green().await.context("OpenSearch goes on")?;
    }
    let lives = lives.end().await?;
    ensure!(run.ended()?.is_none(), "the process ended:\n{}", run.said());
    run.terminate()?;
    run.finish(crate::chain::LIMIT).await?;
    lab.settle().await?;
    lab.compare().await?;

    let slowest = lives.iter().max().copied().unwrap_or_default();
    let late = lives.len() * 99 / 100;
    let mut report = Report::default();
    report.figure("outages that readiness told, and nothing else", red.len());
    report.figure(
        "until it told, at most, ms",
        red.iter().max().map_or(0, Duration::as_millis),
    );
    report.figure("answers of liveness, all green", lives.len());
    report.figure(
        "liveness takes, p99, ms",
        lives.get(late).map_or(0, Duration::as_millis),
    );
    report.figure("liveness takes, at most, ms", slowest.as_millis());
    lab.report(&mut report);
    Ok(report)
}

/// The port of the program.
#[derive(Debug, Clone)]
struct Port {
    client: reqwest::Client,
    address: String,
}

impl Port {
    fn new(address: String) -> Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(MOST)
            .build()?;
        Ok(Self { client, address })
    }

    async fn ask(&self, page: &str) -> Result<(u16, String)> {
        let url = format!("http://{}/{page}", self.address);
        let answer = self.client.get(url).send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    async fn green(&self) -> Result<()> {
        wait_until("readiness", LONG, || async {
            self.ask("ready")
                .await
                .is_ok_and(|(status, _)| status == 200)
        })
        .await
    }

    /// Readiness becomes red and stays so, and names these servers, each with a reason, and no others; after which time.
    async fn red(&self, wanted: &[&str]) -> Result<Duration> {
        let since = Instant::now();
        wait_until("readiness to tell", SOON, || async {
            self.ask("ready")
                .await
                .is_ok_and(|(_, told)| names(&told) == wanted)
        })
        .await?;
        let told_after = since.elapsed();
        let until = Instant::now() + STAYS;
        while Instant::now() < until {
            let (status, told) = self
                .ask("ready")
                .await
                .context("readiness does not answer")?;
            ensure!(
                status == 503 && names(&told) == wanted,
                "readiness says {status} and `{told}`, which should be about {wanted:?}"
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(told_after)
    }
}

/// The servers that readiness complains about, each with a reason.
fn names(told: &str) -> Vec<&str> {
    let named = told.lines().filter_map(|line| line.split_once(": "));
    let with_reason = named.filter(|(_, reason)| !reason.is_empty());
    with_reason.map(|(server, _)| server).collect()
}

/// Asks for liveness all the time.
struct Lives {
    stop: CancellationToken,
    asking: tokio::task::JoinHandle<Result<Vec<Duration>>>,
}

impl Lives {
    fn watch(port: Port) -> Self {
        let stop = CancellationToken::new();
        let until = stop.clone();
        let asking = tokio::spawn(async move {
            let mut took = Vec::new();
            while !until.is_cancelled() {
                let asked = Instant::now();
                let (status, told) = port.ask("live").await.context("liveness")?;
                ensure!(status == 200, "liveness is {status}: {told}");
                took.push(asked.elapsed());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok(took)
        });
        Self { stop, asking }
    }

    /// How long each answer took, sorted; an error when one was not green.
    async fn end(self) -> Result<Vec<Duration>> {
        self.stop.cancel();
        let mut took = self.asking.await??;
        took.sort_unstable();
        Ok(took)
    }
}
