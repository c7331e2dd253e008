//! How long a process took, and what it used of processor and memory.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// Ticks per second in `/proc`: fixed on Linux for what it shows to programs.
const TICKS: f64 = 100.0;

/// What one process used.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// From its start to its end.
    pub wall_seconds: f64,
    /// User and system time.
    pub cpu_seconds: f64,
    /// The most it had resident.
    pub peak_mebibytes: f64,
    /// What it printed.
    pub printed: String,
}

/// Runs a process to its end.
///
/// # Errors
/// When it cannot be started or fails.
pub fn measure(command: &mut Command) -> Result<Measured> {
    let before = children_seconds()?;
    let start = Instant::now();
    let printed = tempfile::NamedTempFile::new()?;
    let child = command
        .stdout(printed.reopen()?)
        .spawn()
        .context("cannot start it")?;
    let (status, peak_mebibytes) = watch(child)?;
    let wall_seconds = start.elapsed().as_secs_f64();
    ensure!(status.success(), "it ended with {status}");
    Ok(Measured {
        wall_seconds,
        cpu_seconds: children_seconds()? - before,
        peak_mebibytes,
        printed: std::fs::read_to_string(printed.path())?,
    })
}

/// Waits for the end, and looks at the memory meanwhile: the kernel forgets it with the process.
fn watch(mut child: Child) -> Result<(std::process::ExitStatus, f64)> {
    let mut peak = 0.0;
    loop {
        if let Some(mebibytes) = status_mebibytes(child.id(), "VmHWM:") {
            peak = mebibytes;
        }
        if let Some(status) = child.try_wait()? {
            return Ok((status, peak));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A memory figure of a process; `None` when it is gone.
pub fn status_mebibytes(process: u32, name: &str) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes / 1024.0)
}

/// Processor time of all children that have ended and were waited for (fields 16 and 17 of `proc(5)`).
fn children_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat
        .rsplit_once(')')
        .context("/proc/self/stat has no name")?;
    let ticks = fields.split_whitespace().skip(13).take(2);
    let ticks: f64 = ticks.filter_map(|field| field.parse::<f64>().ok()).sum();
    Ok(ticks / TICKS)
}
