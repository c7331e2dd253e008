//! What a machine does to a process: no room on the disk, no right to write, no file descriptors, another time,
//! no time at all.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use maas_model::failpoint::Failpoint;
use maas_tests::program::Pair;
use maas_tests::server::wait_until;

use super::{Goal, Setting};
use crate::chain::LIMIT;
use crate::crew::Crew;
use crate::fault::{Disk, WallClock, few_descriptors};
use crate::lab::Lab;
use crate::program::Running;
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "machine",
    alone: false,
    promise: "full disk, read-only data folder, 64 descriptors, clock stepped back an hour, SIGSTOP: the stated behaviour, nothing lost",
    run: |setting| Box::pin(run(setting)),
};

/// How long something is waited for that must happen.
const SOON: Duration = Duration::from_secs(60);

async fn run(setting: Setting) -> Result<Report> {
    let mut report = Report::default();
    full_disk(setting, &mut report).await.context("full disk")?;
    read_only(setting, &mut report)
        .await
        .context("read-only data folder")?;
    descriptors(setting, &mut report)
        .await
        .context("64 descriptors")?;
    clock(setting, &mut report)
        .await
        .context("clock stepped back")?;
    frozen(setting, &mut report)
        .await
        .context("frozen process")?;
    Ok(report)
}

/// A process whose disk is full says so and waits; it goes on by itself when there is room.
async fn full_disk(setting: Setting, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("disk");
    let disk = Disk::mount(&data, 32)?;
    let mut lab = Lab::new(setting.seed, folder.path(), Pair::embedded(&data)).await?;
    let rounds = setting.pick(2, 20);
    for round in 0..rounds {
        let mut run = Running::start(&mut lab.chain.command(&[])?)?;
        // A full disk at the start ends it, with a word.
        wait_until("the run", SOON, || async {
            run.said().contains("\"running\"")
        })
        .await?;
        disk.fill()?;
        lab.feed(10, 40)?;
        let log = || run.said().to_lowercase();
        wait_until("a word about the full disk", SOON, || async {
            log().contains("full")
        })
        .await
        .with_context(run_said(&run))?;
        // It lives on, and does not fill the log.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let lines = run.said().lines().count();
        ensure!(lines < 40, "it says {lines} lines:\n{}", run.said());
        disk.free()?;
        wait_until("the work to go on", SOON, || async { lab.inbox_is_empty() })
            .await
            .with_context(|| format!("round {round}:\n{}", run.said()))?;
        run.terminate()?;
        run.finish(LIMIT).await?;
        lab.settle().await?;
    }
    lab.compare().await?;
    report.figure("full disk: rounds survived by the same process", rounds);
    Ok(())
}

fn run_said(run: &Running) -> impl FnOnce() -> String {
    let said = run.said();
    move || said
}

/// A folder that cannot be written is refused at the start, with its name.
async fn read_only(setting: Setting, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("disk");
    let disk = Disk::mount(&data, 32)?;
    let mut lab = Lab::new(setting.seed, folder.path(), Pair::embedded(&data)).await?;
    lab.feed(4, 20)?;
    disk.read_only()?;
    let mut run = Running::start(&mut lab.chain.command(&["--until-idle"])?)?;
    let status = run.wait(SOON).await?;
    let said = run.said();
    ensure!(
        status.code() == Some(1),
        "a read-only folder ends it with {status}:\n{said}"
    );
    ensure!(
        said.contains(&*data.to_string_lossy()) && said.to_lowercase().contains("read"),
        "it does not say what is wrong:\n{said}"
    );
    disk.writable()?;
    lab.settle().await?;
    lab.compare().await?;
    report.figure("read-only data folder", "refused at the start, exit code 1");
    Ok(())
}

/// Few descriptors are enough, however many files wait.
async fn descriptors(setting: Setting, report: &mut Report) -> Result<()> {
    const MOST: u32 = 64;
    let folder = tempfile::tempdir()?;
    let mut lab = Lab::embedded(setting.seed, folder.path()).await?;
    let files = setting.pick(100, 2_000);
    lab.feed(files, 10)?;
    let command = lab.chain.command(&["--until-idle"])?;
    let mut run = Running::start(&mut few_descriptors(&command, MOST))?;
    let said = run.finish(LIMIT).await?;
    ensure!(
        lab.inbox_is_empty(),
        "with {MOST} descriptors not all files were taken:\n{said}"
    );
    lab.settle().await?;
    lab.compare().await?;
    report.figure("files taken with 64 descriptors", files);
    Ok(())
}

/// Times of documents may go back; work does not stop, nothing is done twice or forgotten.
async fn clock(setting: Setting, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut lab = Lab::embedded(setting.seed, folder.path()).await?;
    let clock = WallClock::new()?;
    let points = [
        Failpoint::Intended,
        Failpoint::Written,
        Failpoint::Published,
        Failpoint::Begun,
    ];
    let rounds = setting.pick(4, 40);
    for round in 0..rounds {
        // Under a running process, then between one that is killed and the one that goes on.
        clock.set("+0")?;
        lab.feed(4, 20)?;
        let mut command = lab.chain.command(&[])?;
        clock.show(&mut command);
        if round % 2 == 1 {
            let point = points[round / 2 % points.len()];
            command.env("MAAS_FAILPOINT", format!("{}:1", point.name()));
        }
        let mut run = Running::start(&mut command)?;
        if round % 2 == 1 {
            run.wait(LIMIT).await?;
        } else {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        clock.set("-1h")?;
        let mut next = lab.chain.command(&["--until-idle"])?;
        clock.show(&mut next);
        if round % 2 == 0 {
            wait_until("the files to be taken", SOON, || async {
                lab.inbox_is_empty()
            })
            .await
            .with_context(|| run.said())?;
            run.terminate()?;
            run.finish(LIMIT).await?;
        } else {
            Running::start(&mut next)?.finish(LIMIT).await?;
        }
        lab.settle()
            .await
            .with_context(|| format!("round {round}"))?;
    }
    lab.compare().await?;
    report.figure("clock stepped back an hour, times", rounds);
    Ok(())
}

/// A process that stands still keeps nobody else from working, and goes on where it was.
async fn frozen(setting: Setting, report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut lab = Lab::embedded(setting.seed, folder.path()).await?;
    let (rounds, seconds) = setting.pick((1, 12), (4, 30));
    for round in 0..rounds {
        let crew = Crew::start(&lab.chain)?;
        lab.feed(10, 40)?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let frozen = &crew.members()[round % Crew::PARTS.len()];
        frozen.freeze()?;
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        frozen.thaw()?;
        wait_until("the files to be taken", SOON, || async {
            lab.inbox_is_empty()
        })
        .await?;
        for member in crew.members() {
            member.terminate()?;
        }
        for mut member in crew.into_members() {
            member.finish(LIMIT).await?;
        }
        lab.settle().await?;
    }
    lab.compare().await?;
    report.figure("seconds frozen", seconds);
    lab.report(report);
    Ok(())
}
