//! SIGTERM under load, many times; with two versions of the program, beside each other and in turns, when there is another.

use std::ffi::OsStr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use maas_tests::random::Random;
use maas_tests::server::RabbitMqOptions;
use tokio::time::{Instant, sleep};

use super::look::messages;
use super::world::{QUEUES, World};
use crate::crew::Crew;
use crate::goal::{Goal, Setting};
use crate::program::Running;
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "broker-stops",
    alone: false,
    promise: "a process that is told to stop under load ends well within 10 s, and the next one, also of another \
              version, goes on with what it left",
    run: |setting| Box::pin(run(setting)),
};

const LIMIT: Duration = Duration::from_secs(10);

/// Names a `maas-under-test` built from an earlier commit, which takes every second turn, and whose pools work beside
/// all turns on the same queues. Without one all turns are of the same program, and nobody works beside them.
const EARLIER: &str = "MAAS_EARLIER_PROGRAM";

async fn run(setting: Setting) -> Result<Report> {
    let stops = setting.pick(8, 100);
    let earlier = std::env::var_os(EARLIER);
    let mut world = World::new(setting, RabbitMqOptions::default(), stops * 3).await?;
    let mut random = Random::new(setting.seed);
    let mut slowest = Duration::ZERO;
    let beside = match &earlier {
        Some(program) => {
            let pools = world.chain.command_for(&Crew::PARTS[1..], &[])?;
            Some(Running::start(&mut other(&pools, program))?)
        }
        None => None,
    };
    for stop in 0..stops {
        world.feed(3)?;
        let mut command = world.chain.command(&[])?;
        if let (1, Some(program)) = (stop % 2, &earlier) {
            command = other(&command, program);
        }
        let mut run = Running::start(&mut command)?;
        started(&mut run).await?;
        sleep(Duration::from_millis(random.next() % 1_500)).await;
        run.terminate()?;
        let told = Instant::now();
        let said = run.finish(LIMIT).await?;
        slowest = slowest.max(told.elapsed());
        ensure!(!said.contains("panicked"), "{said}");
    }
    if let Some(mut run) = beside {
        run.terminate()?;
        let said = run.finish(LIMIT).await?;
        ensure!(!said.contains("panicked"), "{said}");
    }
    let left = messages(&world.server).await?;
    let left: usize = QUEUES.iter().filter_map(|queue| left.get(*queue)).sum();
    let mut last = world.start(&[])?;
    started(&mut last).await?;
    let judged = world.judge(last).await?;
    let mut report = Report::default();
    report.figure("stops", stops);
    report.figure("versions", 1 + usize::from(earlier.is_some()));
    report.figure("slowest to end, ms", slowest.as_millis());
    report.figure("messages left to the last one", left);
    judged.tell(&mut report);
    Ok(report)
}

/// The same call of another program.
fn other(command: &Command, program: &OsStr) -> Command {
    let mut other = Command::new(program);
    other.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        other.current_dir(folder);
    }
    other
}

/// Until it has the bus: a signal before that would stop nothing.
async fn started(run: &mut Running) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !run.said().contains("connected to the bus") {
        ensure!(run.ended()?.is_none(), "it ended:\n{}", run.said());
        ensure!(
            Instant::now() < deadline,
            "it does not start:\n{}",
            run.said()
        );
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
