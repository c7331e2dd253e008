//! Runs goals one after the other, and tells figures and the seed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use clap::Parser;
use maas_reliability::beside;
use maas_reliability::goal::{Goal, Length, Setting, all};
use maas_reliability::program::{keep_logs, under_test};
use maas_reliability::report::{Held, Summary};

/// Proves the promises of MaaS by faults: kills processes, cuts connections, fills disks, and judges what is left.
#[derive(Parser)]
struct Options {
    /// Goals to run, in this order; all unless given.
    goals: Vec<String>,
    /// The long form: the same with the figures that the promises are made with. Takes hours.
    #[arg(long)]
    long: bool,
    /// Other seeds give other data and other faults; random unless given.
    #[arg(long)]
    seed: Option<u64>,
    /// So many goals at a time, each in a process of its own; those that measure how fast something is come last, one
    /// after the other.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    jobs: u8,
    /// Write the figures to this file, as a table in Markdown.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Keep what the processes say in this folder.
    #[arg(long)]
    logs: Option<PathBuf>,
    /// List the goals and end.
    #[arg(long)]
    list: bool,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    if options.list {
        list();
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = chosen(&options.goals)?;
    if let Some(folder) = &options.logs {
        keep_logs(folder)?;
    }
    let setting = Setting {
        length: if options.long {
            Length::Long
        } else {
            Length::Short
        },
        // The nanoseconds of now are as good as any.
        seed: options
            .seed
            .unwrap_or_else(|| u64::from(chrono::Utc::now().timestamp_subsec_nanos())),
    };
    say(&format!("seed {}, {} form", setting.seed, setting.length));
    let mut book = Book {
        seed: setting.seed,
        summary: Summary::new(setting),
        file: options.report,
    };
    if options.jobs > 1 {
        beside::run(chosen, options.jobs.into(), setting, |came| {
            let (_, said) = came.said.split_once('\n').unwrap_or_default();
            say(said.trim_end());
            book.summary.add_row(came.goal.name, came.row, came.held);
            book.write()
        })?;
    } else {
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.enable_all().build()?;
        runtime.block_on(one_by_one(chosen, setting, &mut book))?;
    }
    Ok(book.end())
}

async fn one_by_one(chosen: Vec<Goal>, setting: Setting, book: &mut Book) -> Result<()> {
    // Also for looking at what a run left behind.
    maas_tests::program::choose(under_test()?);
    for goal in chosen {
        say(&format!("\n{}: {}", goal.name, goal.promise));
        let started = Instant::now();
        let result = (goal.run)(setting).await;
        let held = Held::new(goal, started.elapsed(), result);
        say(&held.lines());
        book.summary.add(&held);
        book.write()?;
    }
    Ok(())
}

/// What came of the goals so far, and where it is written.
struct Book {
    seed: u64,
    summary: Summary,
    file: Option<PathBuf>,
}

impl Book {
    /// After every goal: what was measured before something hangs is worth knowing.
    fn write(&self) -> Result<()> {
        match &self.file {
            Some(file) => std::fs::write(file, self.summary.markdown())
                .with_context(|| file.display().to_string()),
            None => Ok(()),
        }
    }

    fn end(&self) -> ExitCode {
        let failed = self.summary.failed();
        if failed.is_empty() {
            return ExitCode::SUCCESS;
        }
        let (seed, failed) = (self.seed, failed.join(", "));
        say(&format!("\nnot held with seed {seed}: {failed}"));
        ExitCode::FAILURE
    }
}

fn chosen(names: &[String]) -> Result<Vec<Goal>> {
    let all = all();
    if let Some(unknown) = names
        .iter()
        .find(|name| !all.iter().any(|goal| goal.name == **name))
    {
        let known: Vec<_> = all.iter().map(|goal| goal.name).collect();
        bail!("there is no goal `{unknown}`, but: {}", known.join(", "));
    }
    if names.is_empty() {
        return Ok(all);
    }
    let find = |name: &String| all.iter().find(|goal| goal.name == *name).copied();
    Ok(names.iter().filter_map(find).collect())
}

fn list() {
    for goal in all() {
        say(&format!("{:20} {}", goal.name, goal.promise));
    }
}

#[allow(clippy::print_stdout)] // What this program is for.
fn say(line: &str) {
    println!("{line}");
}
