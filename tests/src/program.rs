//! The program `maas` as its user runs it: a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.parent().unwrap_or(here).to_path_buf()
    })
}

static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Lets this process work with a program that was built already. To be called before anything asks for it.
pub fn choose(program: &Path) {
    // The first choice holds.
    let _ = PROGRAM.set(program.to_path_buf());
}

/// The built program: in the same profile as the tests, made once per process. `MAAS_PROGRAM` names another.
///
/// # Errors
/// When it does not build.
pub fn maas() -> Result<&'static Path> {
    if let Some(program) = PROGRAM.get() {
        return Ok(program);
    }
    let program = match std::env::var_os("MAAS_PROGRAM") {
        Some(program) => PathBuf::from(program),
        None => build(&["-p", "maas-cds", "--bin", "maas"])?,
    };
    Ok(PROGRAM.get_or_init(|| program))
}

/// Builds a program of the workspace, in the same profile as the tests; `which` are arguments of `cargo build`.
///
/// # Errors
/// When it does not build.
pub fn build(which: &[&str]) -> Result<PathBuf> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["build", "--quiet"])
        .args(which)
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(workspace());
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("`cargo build {}` failed", which.join(" "));
    }
    // Cargo tells where each executable is, one JSON object per line.
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo named no executable")
}

/// Where a run keeps documents and messages.
#[derive(Debug, Clone)]
pub struct Pair {
    /// `--store`.
    pub store: String,
    /// `--bus`.
    pub bus: String,
    /// `--data-dir`.
    pub data: PathBuf,
}

impl Pair {
    /// Store and bus in a folder.
    pub fn embedded(data: &Path) -> Self {
        Self {
            store: "embedded".to_owned(),
            bus: "embedded".to_owned(),
            data: data.to_path_buf(),
        }
    }

    /// The program with these arguments, on this pair.
    pub fn command(&self, arguments: &[&str]) -> Result<Command> {
        Ok(self.command_of(maas()?, arguments))
    }

    /// Another program that takes the same arguments.
    pub fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .arg("--store")
            .arg(&self.store)
            .arg("--bus")
            .arg(&self.bus);
        command
            .arg("--data-dir")
            .arg(&self.data)
            .current_dir(workspace())
            .stdin(Stdio::null());
        for variable in [
            "MAAS_PIPELINE",
            "MAAS_INBOX",
            "MAAS_STORE",
            "MAAS_BUS",
            "MAAS_LOG",
        ] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs the program to its end, and returns what it printed.
    ///
    /// # Errors
    /// When it fails; the error holds what it wrote to standard error.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        printed(&mut self.command(arguments)?)
    }
}

/// No run of a test takes longer; one that hangs shall fail, and tell what it said.
const LONGEST: Duration = Duration::from_secs(240);

/// Runs a process to its end, and returns what it printed.
///
/// # Errors
/// When it fails or takes too long; the error holds what it wrote to standard error.
pub fn printed(command: &mut Command) -> Result<String> {
    let (out, log) = (
        tempfile::NamedTempFile::new()?,
        tempfile::NamedTempFile::new()?,
    );
    let mut process = command
        .stdout(out.reopen()?)
        .stderr(log.reopen()?)
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let deadline = Instant::now() + LONGEST;
    let status = loop {
        if let Some(status) = process.try_wait()? {
            break Some(status);
        }
        if Instant::now() > deadline {
            process.kill()?;
            process.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let printed = std::fs::read_to_string(out.path())?;
    if status.is_some_and(|status| status.success()) {
        return Ok(printed);
    }
    let ended = status.map_or("not within the limit".to_owned(), |status| {
        status.to_string()
    });
    let log = std::fs::read_to_string(log.path())?;
    bail!("{command:?} ended with {ended}:\n{printed}{log}")
}
