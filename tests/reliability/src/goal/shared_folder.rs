//! Several processes work on one embedded folder, and are killed at random instants.

use std::time::Duration;

use anyhow::Result;
use maas_tests::random::Random;

use super::{Goal, Setting};
use crate::crew::Crew;
use crate::lab::Lab;
use crate::report::Report;
use crate::schedule::Schedule;

pub(super) const GOAL: Goal = Goal {
    name: "shared-folder",
    alone: false,
    promise: "four processes share one embedded folder and are killed at any instant: nothing is lost, wrong or forgotten",
    run: |setting| Box::pin(run(setting)),
};

async fn run(setting: Setting) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let mut lab = Lab::embedded(setting.seed, folder.path()).await?;
    let mut random = Random::new(setting.seed);
    let mut kills = 0;
    for _ in 0..setting.pick(3, 30) {
        lab.feed(10, 40)?;
        let lasting = Duration::from_secs(setting.pick(5, 20));
        let pauses = Duration::from_millis(100)..Duration::from_millis(600);
        let members: Vec<usize> = (0..Crew::PARTS.len()).collect();
        let schedule = Schedule::random(random.next(), lasting, pauses, &members);
        let mut crew = Crew::start(&lab.chain)?;
        schedule
            .play(async |member| {
                crew.kill(member)?;
                crew.replace(&lab.chain, member)
            })
            .await?;
        drop(crew);
        kills += schedule.moments.len() + Crew::PARTS.len();
        lab.settle().await?;
    }
    lab.compare().await?;
    let mut report = Report::default();
    report.figure("processes", Crew::PARTS.len());
    report.figure("kills", kills);
    lab.report(&mut report);
    Ok(report)
}
