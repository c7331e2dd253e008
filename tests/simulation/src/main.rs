//! `maas-simulation`: runs seeds, finds planted bugs, shows the history of one seed.
#![allow(clippy::print_stdout, clippy::print_stderr)] // A command for people.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use clap::Parser;
use maas_model::planted::Bug;
use maas_simulation::run::{Outcome, Setting, run};

/// Runs the pools and flows on a simulated clock, store and bus.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many seeds; without it as many as fit in `--seconds`.
    #[arg(long)]
    seeds: Option<u64>,
    /// For how long at most.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The first seed; with `--trace` the only one.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Prints all that happens with one seed.
    #[arg(long)]
    trace: bool,
    /// Plants this bug, which must then be found within 1,000 seeds; `all`: each of them, one by one.
    #[arg(long)]
    bug: Option<String>,
}

/// A planted bug must be found within so many seeds.
const SEEDS_FOR_A_BUG: u64 = 1_000;

fn main() -> ExitCode {
    match execute() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn execute() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let bugs = bugs(arguments.bug.as_deref())?;
    if arguments.trace {
        return show(arguments.seed, bugs.first().copied());
    }
    if bugs.is_empty() {
        return search(&arguments);
    }
    let mut missed = Vec::new();
    for bug in bugs {
        match find(bug, arguments.seed) {
            Some((seeds, outcome)) => println!("{bug:?}: found after {seeds} seeds: {outcome}"),
            None => {
                println!("{bug:?}: NOT FOUND");
                missed.push(bug);
            }
        }
    }
    anyhow::ensure!(missed.is_empty(), "not found: {missed:?}");
    Ok(())
}

fn bugs(name: Option<&str>) -> anyhow::Result<Vec<Bug>> {
    let Some(name) = name else {
        return Ok(Vec::new());
    };
    if name == "all" {
        return Ok(Bug::ALL.to_vec());
    }
    let bug = Bug::ALL.into_iter().find(|bug| format!("{bug:?}") == name);
    let bug =
        bug.ok_or_else(|| anyhow::anyhow!("there is no bug `{name}`; there are {:?}", Bug::ALL));
    Ok(vec![bug?])
}

fn show(seed: u64, bug: Option<Bug>) -> anyhow::Result<()> {
    let outcome = run(Setting {
        seed,
        bug,
        trace: true,
    })?;
    for line in &outcome.lines {
        println!("{line}");
    }
    println!("{} events, digest {:016x}", outcome.events, outcome.digest);
    told(seed, &outcome)
}

fn told(seed: u64, outcome: &Outcome) -> anyhow::Result<()> {
    let broken = outcome.broken.join("\n  ");
    anyhow::ensure!(
        outcome.broken.is_empty(),
        "seed {seed} is broken:\n  {broken}\nsee it with `maas-simulation --seed {seed} --trace`"
    );
    Ok(())
}

/// Runs seeds on all cores until one is broken or time is over.
fn search(arguments: &Arguments) -> anyhow::Result<()> {
    let began = Instant::now();
    let limit = Duration::from_secs(arguments.seconds);
    let last = arguments.seeds.map(|seeds| arguments.seed + seeds);
    let (next, done, events) = (
        AtomicU64::new(arguments.seed),
        AtomicU64::new(0),
        AtomicU64::new(0),
    );
    let failed: Mutex<Option<anyhow::Error>> = Mutex::new(None);
    let stop = AtomicBool::new(false);
    let work = || {
        while !stop.load(Relaxed) && began.elapsed() < limit {
            let seed = next.fetch_add(1, Relaxed);
            if last.is_some_and(|last| seed >= last) {
                break;
            }
            let setting = Setting {
                seed,
                ..Setting::default()
            };
            let told = run(setting).and_then(|outcome| {
                events.fetch_add(outcome.events, Relaxed);
                told(seed, &outcome)
            });
            done.fetch_add(1, Relaxed);
            if let Err(error) = told {
                stop.store(true, Relaxed);
                let mut failed = failed.lock().unwrap_or_else(|error| error.into_inner());
                failed.get_or_insert(error);
            }
        }
    };
    on_all_cores(&work);
    let seconds = began.elapsed().as_secs_f64();
    let (done, events) = (done.into_inner(), events.into_inner());
    println!("{done} seeds, {events} events, {seconds:.1} s");
    match failed
        .into_inner()
        .unwrap_or_else(|error| error.into_inner())
    {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// The first seed from `from` on that finds the bug, and how.
fn find(bug: Bug, from: u64) -> Option<(u64, String)> {
    let next = AtomicU64::new(from);
    let found: Mutex<Option<(u64, String)>> = Mutex::new(None);
    let stop = AtomicBool::new(false);
    let work = || {
        while !stop.load(Relaxed) {
            let seed = next.fetch_add(1, Relaxed);
            if seed >= from + SEEDS_FOR_A_BUG {
                break;
            }
            let outcome = run(Setting {
                seed,
                bug: Some(bug),
                trace: false,
            });
            let broken = match outcome {
                Ok(outcome) => outcome.broken.into_iter().next(),
                Err(error) => Some(error.to_string()),
            };
            if let Some(broken) = broken {
                stop.store(true, Relaxed);
                let mut found = found.lock().unwrap_or_else(|error| error.into_inner());
                let seeds = seed - from + 1;
                if found.as_ref().is_none_or(|(first, _)| seeds < *first) {
                    *found = Some((seeds, broken));
                }
            }
        }
    };
    on_all_cores(&work);
    found
        .into_inner()
        .unwrap_or_else(|error| error.into_inner())
}

fn on_all_cores(work: &(dyn Fn() + Sync)) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
}
