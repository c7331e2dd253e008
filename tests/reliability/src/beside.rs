//! Goals beside each other, each in a process of its own: most of them wait most of the time.

use std::collections::VecDeque;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};

use crate::goal::{Goal, Length, Setting};
use crate::program::{BUILT, logs, under_test};

/// What came of one goal.
pub struct Came {
    /// Which one.
    pub goal: Goal,
    /// What its process printed.
    pub said: String,
    /// Its row of the report; empty when its process did not come so far.
    pub row: String,
    /// Whether it held.
    pub held: bool,
}

/// Runs goals, `jobs` at a time; at the end, one after the other, those that must be alone. `tell` is told of each
/// when it is over.
///
/// # Errors
/// When the program under test does not build, or a process cannot be started.
pub fn run(
    goals: Vec<Goal>,
    jobs: usize,
    setting: Setting,
    tell: impl FnMut(Came) -> Result<()> + Send,
) -> Result<()> {
    under_test()?;
    let tell = Mutex::new(tell);
    let (alone, together): (VecDeque<Goal>, VecDeque<Goal>) =
        goals.into_iter().partition(|goal| goal.alone);
    for (goals, jobs) in [(together, jobs), (alone, 1)] {
        let waiting = Mutex::new(goals);
        let work = || -> Result<()> {
            loop {
                // Not in the head of a loop: the others would wait for the lock until this goal is over.
                let next = locked(&waiting).pop_front();
                let Some(goal) = next else { return Ok(()) };
                let came = one(goal, setting).with_context(|| goal.name)?;
                (locked(&tell))(came)?;
            }
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
            let mut ended = workers.into_iter().map(|worker| worker.join());
            ended.try_for_each(|ended| {
                ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
        })?;
    }
    Ok(())
}

fn one(goal: Goal, setting: Setting) -> Result<Came> {
    let report = tempfile::NamedTempFile::new()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args([goal.name, "--seed", &setting.seed.to_string()]);
    command.arg("--report").arg(report.path());
    if let Some(folder) = logs() {
        command.arg("--logs").arg(folder);
    }
    if setting.length == Length::Long {
        command.arg("--long");
    }
    let output = command
        .env(BUILT, under_test()?)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    let table = std::fs::read_to_string(report.path())?;
    let start = format!("| {} |", goal.name);
    let row = table.lines().find(|line| line.starts_with(&start));
    Ok(Came {
        goal,
        said: String::from_utf8_lossy(&output.stdout).into_owned(),
        row: row.map(|row| format!("{row}\n")).unwrap_or_default(),
        held: output.status.success(),
    })
}

fn locked<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
