//! The process is killed before and after every side effect; nothing is forgotten, nothing said in vain.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use maas_model::failpoint::Failpoint;
use maas_tests::program::Pair;
use maas_tests::random::Random;

use super::{Goal, Setting};
use crate::chain::LIMIT;
use crate::lab::Lab;
use crate::pair::Servers;
use crate::program::Running;
use crate::report::Report;

pub(super) const EMBEDDED: Goal = Goal {
    name: "failpoints-embedded",
    alone: false,
    promise: "killed before and after every side effect, the set of downstream (class, id, action) equals the oracle's, on the embedded pair (G2)",
    run: |setting| Box::pin(embedded(setting)),
};

pub(super) const REAL: Goal = Goal {
    name: "failpoints-real",
    alone: false,
    promise: "killed before and after every side effect, the set of downstream (class, id, action) equals the oracle's, on RabbitMQ and OpenSearch (G2)",
    run: |setting| Box::pin(real(setting)),
};

/// Places that only one kind of pair has.
const EMBEDDED_ONLY: &[Failpoint] = &[Failpoint::StoreCommitting];
const REAL_ONLY: &[Failpoint] = &[Failpoint::BusSettling, Failpoint::BusSettled];

/// How often a place is tried again that a run did not come to: how the work falls into transactions and
/// messages is not the same every time.
const TRIES: usize = 5;

const SIGKILL: i32 = 9;

async fn embedded(setting: Setting) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let lab = Lab::embedded(setting.seed, folder.path()).await?;
    all(setting, setting.pick(2, 50), lab, REAL_ONLY).await
}

async fn real(setting: Setting) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let servers = Servers::start().await?;
    let pair: Pair = servers.pair(&folder.path().join("data"));
    let lab = Lab::new(setting.seed, folder.path(), pair).await?;
    all(setting, setting.pick(1, 50), lab, EMBEDDED_ONLY).await
}

/// Kills at every place but the ones that this pair does not have, so many times each.
async fn all(setting: Setting, times: usize, mut lab: Lab, absent: &[Failpoint]) -> Result<Report> {
    let log = tempfile::NamedTempFile::new()?;
    let passed = calibrate(&mut lab, log.path()).await?;
    let points = Failpoint::ALL.iter().copied();
    let points: Vec<Failpoint> = points.filter(|point| !absent.contains(point)).collect();
    let mut random = Random::new(setting.seed);
    let mut kills = 0;
    for round in 0..times {
        for &point in &points {
            let most = passed.get(point.name()).copied().unwrap_or_default();
            ensure!(most > 0, "nothing passes `{}`", point.name());
            // First the first time, which every run comes to; then any.
            let time = match round {
                0 => 1,
                _ => 1 + random.next() % most,
            };
            kill(&mut lab, point, time)
                .await
                .with_context(|| format!("killed at `{}`, time {time}", point.name()))?;
            kills += 1;
        }
    }
    lab.compare().await?;
    let mut report = Report::default();
    report.figure("failpoints", points.len());
    report.figure("kills", kills);
    lab.report(&mut report);
    Ok(report)
}

/// How often a run passes each place.
async fn calibrate(lab: &mut Lab, log: &Path) -> Result<BTreeMap<String, u64>> {
    feed(lab).await?;
    let mut command = lab.chain.command(&["--until-idle"])?;
    command.env("MAAS_FAILPOINT_LOG", log);
    Running::start(&mut command)?.finish(LIMIT).await?;
    lab.settle().await?;
    let mut passed = BTreeMap::new();
    for name in std::fs::read_to_string(log)?.lines() {
        *passed.entry(name.to_owned()).or_default() += 1;
    }
    Ok(passed)
}

/// Kills a run at the place, lets another one go on, and judges what was announced.
async fn kill(lab: &mut Lab, point: Failpoint, time: u64) -> Result<()> {
    for attempt in 0..TRIES {
        feed(lab).await?;
        let time = if attempt == 0 { time } else { 1 };
        let mut command = lab.chain.command(&["--until-idle"])?;
        command.env("MAAS_FAILPOINT", format!("{}:{time}", point.name()));
        let mut run = Running::start(&mut command)?;
        let status = run.wait(LIMIT).await?;
        lab.settle().await?;
        match status.signal() {
            Some(SIGKILL) => return Ok(()),
            _ if status.success() => {}
            _ => bail!("it ended with {status}:\n{}", run.said()),
        }
    }
    bail!("no run came to it")
}

async fn feed(lab: &mut Lab) -> Result<()> {
    lab.feed(2, 15)?;
    lab.feed_garbage("derive").await
}
