//! The program under test as a process: started, killed, frozen, told to stop, waited for.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use maas_tests::program::{Pair, build};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::NamedTempFile;

/// Names the program under test to the processes of goals that run beside each other: it is built once for all.
pub const BUILT: &str = "MAAS_UNDER_TEST";

static LOGS: OnceLock<PathBuf> = OnceLock::new();

/// Keeps what every process says in this folder, to find out why a goal does not hold. To be called once, first.
///
/// # Errors
/// When the folder cannot be made.
pub fn keep_logs(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    LOGS.get_or_init(|| folder.to_owned());
    Ok(())
}

/// Where what the processes say is kept.
pub fn logs() -> Option<&'static Path> {
    LOGS.get().map(PathBuf::as_path)
}

/// The program `maas` with the engines of this package and failpoints, built once per process.
///
/// # Errors
/// When it does not build.
pub fn under_test() -> Result<&'static Path> {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    if let Some(program) = PROGRAM.get() {
        return Ok(program);
    }
    let program = match std::env::var_os(BUILT) {
        Some(built) => PathBuf::from(built),
        None => build(&[
            "-p",
            "maas-reliability",
            "--features",
            "failpoints",
            "--bin",
            "maas-under-test",
        ])?,
    };
    Ok(PROGRAM.get_or_init(|| program))
}

/// The program under test with these arguments, on this pair.
///
/// # Errors
/// When it does not build.
pub fn command(pair: &Pair, arguments: &[&str]) -> Result<Command> {
    Ok(pair.command_of(under_test()?, arguments))
}

/// A process that is killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    log: NamedTempFile,
}

impl Running {
    /// Starts it; what it says is kept.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> Result<Self> {
        let log = match logs() {
            Some(folder) => kept_log(folder, command)?,
            None => NamedTempFile::new()?,
        };
        let child = command
            .stdout(log.reopen()?)
            .stderr(log.reopen()?)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self { child, log })
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it said so far.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.log.path()).unwrap_or_default()
    }

    /// Ends it at once, as a machine does that has no memory left.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM: asks it to end.
    pub fn terminate(&self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// SIGSTOP: it keeps its connections and does nothing.
    pub fn freeze(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT: ends a [`freeze`](Self::freeze).
    pub fn thaw(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When it goes on longer than `limit`, with what it said.
    pub async fn wait(&mut self, limit: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("it did not end within {limit:?}:\n{}", self.said());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits for its end, which must be a success.
    ///
    /// # Errors
    /// When it fails or takes too long, with what it said.
    pub async fn finish(&mut self, limit: Duration) -> Result<String> {
        let status = self.wait(limit).await?;
        ensure!(status.success(), "it ended with {status}:\n{}", self.said());
        Ok(self.said())
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id = i32::try_from(self.child.id())?;
        let id = Pid::from_raw(id).context("the process has no number")?;
        Ok(kill_process(id, signal)?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that ended already is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Named by when it was started and by its arguments that are no paths.
fn kept_log(folder: &Path, command: &Command) -> Result<NamedTempFile> {
    let arguments = command.get_args().filter_map(OsStr::to_str);
    let telling: Vec<_> = arguments
        .filter(|argument| !argument.contains(['/', ':']))
        .collect();
    let now = chrono::Utc::now().format("%H%M%S%.3f");
    let name = format!("{now} {} ", telling.join(" "));
    let log = tempfile::Builder::new()
        .prefix(&name)
        .suffix(".log")
        .disable_cleanup(true)
        .tempfile_in(folder)?;
    Ok(log)
}
