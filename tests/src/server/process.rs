//! A server process that never outlives the test process, however that ends.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// Starts the server in a session of its own, tells its process group, and waits for a word on its
/// input: `stop` ends the server by its own means, `kill` at once. The end of the input means that the
/// test process is gone: then the server is killed and its folder removed.
const WATCHDOG: &str = r#"
folder=$1; shift
setsid "$@" </dev/null >>"$folder/output.log" 2>&1 &
server=$!
echo $server
read -r word
[ "$word" = stop ] && kill -s TERM -- -$server && wait $server
kill -s KILL -- -$server 2>/dev/null
wait $server
[ -n "$word" ] || rm -rf "$folder"
"#;

/// How a server is started, any number of times, on one data folder.
#[derive(Debug)]
pub(super) struct Recipe {
    pub program: OsString,
    pub arguments: Vec<OsString>,
    pub environment: Vec<(OsString, OsString)>,
}

/// One server: its recipe, its folder, and its process while it runs.
#[derive(Debug)]
pub(super) struct Process {
    recipe: Recipe,
    folder: TempDir,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    watchdog: Child,
    group: u32,
}

impl Process {
    /// Starts what `recipe` makes of the folder.
    pub(super) fn start(folder: TempDir, recipe: Recipe) -> Result<Self> {
        let mut process = Self {
            recipe,
            folder,
            running: None,
        };
        process.start_again()?;
        Ok(process)
    }

    /// Starts it again in another way.
    pub(super) fn start_as(&mut self, recipe: Recipe) -> Result<()> {
        self.recipe = recipe;
        self.start_again()
    }

    pub(super) fn start_again(&mut self) -> Result<()> {
        ensure!(self.running.is_none(), "the server runs already");
        let mut watchdog = Command::new("sh")
            .arg("-c")
            .arg(WATCHDOG)
            .arg("watchdog")
            .arg(self.folder.path())
            .arg(&self.recipe.program)
            .args(&self.recipe.arguments)
            .envs(self.recipe.environment.iter().map(|(k, v)| (k, v)))
            // A Ctrl-C on the terminal must reach the test process only.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // The shell says `Killed` of what it was told to kill.
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start `sh`")?;
        let mut line = String::new();
        if let Some(output) = watchdog.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let group = line
            .trim()
            .parse()
            .context("the watchdog tells no process")?;
        self.running = Some(Running { watchdog, group });
        Ok(())
    }

    /// Ends the server by its own means and waits for its end.
    pub(super) fn stop(&mut self) -> Result<()> {
        self.end("stop\n")
    }

    /// Kills the server with all its children, now.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.end("kill\n")
    }

    /// Stops the server's clock: it keeps its connections and answers nothing.
    pub(super) fn freeze(&self) -> Result<()> {
        self.signal("STOP")
    }

    pub(super) fn thaw(&self) -> Result<()> {
        self.signal("CONT")
    }

    /// Process and process group of the server.
    pub(super) fn id(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.group)
    }

    /// Where its data are.
    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The last lines of what the server printed, for errors.
    pub(super) fn last_words(&self) -> String {
        let log = self.printed();
        let lines: Vec<&str> = log.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// All that the server printed since it was first started.
    pub(super) fn printed(&self) -> String {
        let path = self.folder.path().join("output.log");
        std::fs::read_to_string(path).unwrap_or_default()
    }

    fn end(&mut self, word: &str) -> Result<()> {
        let Some(mut running) = self.running.take() else {
            return Ok(());
        };
        if let Some(mut input) = running.watchdog.stdin.take() {
            input.write_all(word.as_bytes())?;
        }
        running.watchdog.wait()?;
        Ok(())
    }

    fn signal(&self, name: &str) -> Result<()> {
        let running = self.running.as_ref().context("the server does not run")?;
        let status = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -s {name} -- -{}", running.group))
            .status()?;
        ensure!(status.success(), "cannot send {name} to the server");
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The watchdog would do it too, but later than the folder's end.
        if let Err(error) = self.kill() {
            tracing::warn!(%error, "cannot end a server");
        }
    }
}
