//! What a process can be short of, and a clock that it can be shown.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The same command with so many file descriptors at most.
pub fn few_descriptors(command: &Command, most: u32) -> Command {
    let mut limited = Command::new("sh");
    limited
        .arg("-c")
        .arg(format!("ulimit -n {most} && exec \"$0\" \"$@\""))
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        limited.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    limited
}

/// A wall clock that is set by hand, also under a running process; its other clocks go on. Needs `libfaketime`.
#[derive(Debug)]
pub struct WallClock {
    library: PathBuf,
    file: tempfile::NamedTempFile,
}

impl WallClock {
    /// Right.
    pub fn new() -> Result<Self> {
        let clock = Self {
            library: library().context(
                "`libfaketime` is not installed (Debian package `faketime`): run `tests/setup`",
            )?,
            file: tempfile::NamedTempFile::new()?,
        };
        clock.set("+0")?;
        Ok(clock)
    }

    /// Shows another time from now on: `-1h`.
    pub fn set(&self, offset: &str) -> Result<()> {
        Ok(std::fs::write(self.file.path(), offset)?)
    }

    /// Lets the process see this clock.
    pub fn show(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", self.file.path())
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
}

fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten();
    folders
        .map(|folder| folder.path().join("faketime/libfaketime.so.1"))
        .find(|file| Path::exists(file))
}
