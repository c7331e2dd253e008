//! The process is killed at random instants; the next one takes up what it left.

use std::time::Duration;

use anyhow::Result;

use super::{Goal, Setting};
use crate::chain::{Chain, Load};
use crate::program::Running;
use crate::report::Report;
use crate::schedule::Schedule;

pub(super) const GOAL: Goal = Goal {
    name: "kills",
    promise: "a process killed at any instant loses nothing, on the embedded pair",
    run: |setting| Box::pin(run(setting)),
};

async fn run(setting: Setting) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let mut load = Load::new(setting.seed);
    let batch = load.batch(setting.pick(20, 200), 50);
    let mut oracle = batch.oracle;

    let calm = Chain::embedded(&folder.path().join("calm"))?;
    calm.feed(&batch.files)?;
    calm.finish().await?;
    let expected = calm.state().await?;

    let rough = Chain::embedded(&folder.path().join("rough"))?;
    rough.feed(&batch.files)?;
    let lasting = Duration::from_secs(setting.pick(6, 120));
    let pauses = Duration::from_millis(100)..Duration::from_millis(800);
    let schedule = Schedule::random(setting.seed, lasting, pauses, &["kill"]);
    let mut run = Running::start(&mut rough.command(&[])?)?;
    schedule
        .play(async |_| {
            run.kill()?;
            run = Running::start(&mut rough.command(&[])?)?;
            Ok(())
        })
        .await?;
    drop(run);
    rough.finish().await?;

    rough.state().await?.judge(&expected)?;
    rough.listen(&mut oracle).await?;
    oracle.judge("announcements")?;
    let mut report = Report::default();
    report.figure("kills", schedule.moments.len() + 1);
    report.figure("documents, all as without faults", expected.count());
    report.figure("announcements, all there", oracle.expected());
    report.figure("announcements made twice", oracle.repeated());
    Ok(report)
}
