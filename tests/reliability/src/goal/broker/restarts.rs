//! The broker goes and comes back, in every way there is; the process stays.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use maas_tests::random::Random;
use maas_tests::server::RabbitMqOptions;
use tokio::time::{Instant, sleep};

use super::look::{answers, empty, one_each};
use super::world::{HEARTBEAT, QUEUES, World};
use crate::goal::{Goal, Setting};
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "broker-restarts",
    alone: false,
    promise: "a broker that restarts, a link that dies or a consumer that is cancelled needs no restart of ours: \
              consuming again 5 s after the port answers, one consumer per queue, nothing lost",
    run: |setting| Box::pin(run(setting)),
};

/// From the first answer of the port until all consume again.
const AGAIN: Duration = Duration::from_secs(5);
/// More than an attempt to connect may take.
const CONNECTING: Duration = Duration::from_secs(12);
/// The broker saves the names of its quorum queues every 500 ms.
const NAMES_SAVED: Duration = Duration::from_secs(1);
/// For tools and servers of others.
const LONG: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// `stop_app`, `start_app`.
    Soft,
    /// SIGKILL, and started again on its folder.
    Hard,
    /// `close_all_connections`.
    Close,
    /// Both sides believe that the link is there.
    HalfOpen,
    /// The broker answers nothing for so long that an attempt to connect is given up, too.
    Freeze,
    /// A queue is deleted under its consumer.
    Cancel,
}

async fn run(setting: Setting) -> Result<Report> {
    let faults = faults(setting);
    let mut world = World::new(setting, RabbitMqOptions::default(), faults.len() * 2).await?;
    let mut run = world.start(&[])?;
    one_each(&world.server, &QUEUES, LONG).await?;
    let (mut slowest, mut noticed) = (Duration::ZERO, Duration::ZERO);
    for (round, fault) in faults.iter().enumerate() {
        world.feed(2)?;
        let again = suffer(&mut world, *fault, round)
            .await
            .with_context(|| format!("{fault:?} of {faults:?}; it said:\n{}", run.said()))?;
        if *fault == Fault::HalfOpen {
            noticed = noticed.max(again);
            continue;
        }
        ensure!(again <= AGAIN, "consuming again {again:?} after {fault:?}");
        slowest = slowest.max(again);
        ensure!(run.ended()?.is_none(), "it ended:\n{}", run.said());
    }
    // Nobody is left over that shows later.
    sleep(HEARTBEAT * 3).await;
    one_each(&world.server, &QUEUES, Duration::ZERO).await?;
    let connections = connections(run.id())?;
    ensure!(connections == 2, "{connections} connections are kept");
    let judged = world.judge(run).await?;
    let mut report = Report::default();
    for fault in KINDS {
        let times = faults.iter().filter(|done| **done == fault).count();
        report.figure(&format!("{fault:?}"), times);
    }
    report.figure("slowest to consume again, ms", slowest.as_millis());
    report.figure("slowest to notice a dead link, ms", noticed.as_millis());
    judged.tell(&mut report);
    Ok(report)
}

const KINDS: [Fault; 6] = [
    Fault::Soft,
    Fault::Hard,
    Fault::Close,
    Fault::HalfOpen,
    Fault::Freeze,
    Fault::Cancel,
];

fn faults(setting: Setting) -> Vec<Fault> {
    let times = |fault| match fault {
        Fault::Soft | Fault::Hard => setting.pick(1, 25),
        Fault::HalfOpen | Fault::Cancel => setting.pick(1, 20),
        Fault::Close | Fault::Freeze => setting.pick(1, 10),
    };
    let all = KINDS.into_iter();
    let mut all: Vec<_> = all
        .flat_map(|fault| std::iter::repeat_n(fault, times(fault)))
        .collect();
    let mut random = Random::new(setting.seed);
    // In any order: each place gets one of those that have none yet.
    for place in 0..all.len() {
        let other = place + random.next() as usize % (all.len() - place);
        all.swap(place, other);
    }
    all
}

/// How long it took until all was well again; for a dead link, until it was noticed.
async fn suffer(world: &mut World, fault: Fault, round: usize) -> Result<Duration> {
    match fault {
        Fault::Soft => soft(world).await,
        Fault::Hard => hard(world).await,
        Fault::Close => close(world).await,
        Fault::Freeze => freeze(world).await,
        Fault::Cancel => cancel(world, QUEUES[round % QUEUES.len()]).await,
        Fault::HalfOpen => half_open(world).await,
    }
}

async fn soft(world: &World) -> Result<Duration> {
    world.server.control(&["stop_app"]).await?;
    let again = async {
        answers(&world.server, LONG).await?;
        one_each(&world.server, &QUEUES, LONG).await
    };
    let (started, again) = tokio::join!(world.server.control(&["start_app"]), again);
    started?;
    again
}

/// Not right after a queue was made: the broker could not start it again.
async fn hard(world: &mut World) -> Result<Duration> {
    sleep(NAMES_SAVED).await;
    world.server.kill()?;
    world.server.restart().await?;
    one_each(&world.server, &QUEUES, LONG).await
}

async fn close(world: &World) -> Result<Duration> {
    let made = world.proxy.made();
    let command = ["close_all_connections", "a test"];
    world.server.control(&command).await?;
    let start = Instant::now();
    connected_again(world, made).await?;
    one_each(&world.server, &QUEUES, LONG).await?;
    Ok(start.elapsed())
}

async fn freeze(world: &World) -> Result<Duration> {
    world.server.freeze()?;
    sleep(HEARTBEAT * 2 + CONNECTING).await;
    world.server.thaw()?;
    answers(&world.server, LONG).await?;
    one_each(&world.server, &QUEUES, LONG).await
}

/// Deleted when nobody has a message in it: those would be lost by the operator's hand.
async fn cancel(world: &World, queue: &str) -> Result<Duration> {
    empty(&world.server, &QUEUES, LONG).await?;
    world.server.control(&["delete_queue", queue]).await?;
    one_each(&world.server, &QUEUES, LONG).await
}

/// Until both connections were made anew.
async fn half_open(world: &World) -> Result<Duration> {
    let made = world.proxy.made();
    world.proxy.half_open();
    let start = Instant::now();
    connected_again(world, made).await?;
    let noticed = start.elapsed();
    // Twice the heartbeat, and what it takes to look and to connect.
    let limit = HEARTBEAT * 2 + AGAIN;
    ensure!(noticed <= limit, "a dead link was noticed in {noticed:?}");
    // The broker's side of the old ones is closed as the network would do it in the end.
    one_each(&world.server, &QUEUES, LONG).await?;
    Ok(noticed)
}

/// How many connections a process works on, those included that nobody waits for any more.
fn connections(process: u32) -> Result<usize> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task"))?.flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    Ok(names.filter(|name| name.starts_with("lapin-io")).count())
}

async fn connected_again(world: &World, made: usize) -> Result<()> {
    maas_tests::server::wait_until("both links anew", LONG, || async {
        world.proxy.made() >= made + 2
    })
    .await
}
