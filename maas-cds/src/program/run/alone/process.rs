//! One child as its parent sees it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use maas_engine::pool::contain::{Answer, Death};
use maas_model::secret::covered;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::arguments;
use super::wire::{Order, Say};

/// How long it may take until the child waits for a message: it reads the pipeline and opens store and bus.
const START: Duration = Duration::from_secs(60);
/// Beyond the time limit of an engine, which acts in the child as soon as the engine waits for anything.
const BENEFIT_OF_DOUBT: Duration = Duration::from_secs(1);
/// While no engine runs: the store or the bus may be away, and is waited for.
const BETWEEN: Duration = Duration::from_secs(900);
/// Lines of standard error that are kept for a dead letter: so many first ones, and as many last ones. The first
/// say what happened, and a long stack may follow.
const WORDS: usize = 30;

/// A child that waits for a message.
#[derive(Debug)]
pub(super) struct Process {
    child: tokio::process::Child,
    orders: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
    words: Arc<Mutex<VecDeque<String>>>,
    listening: JoinHandle<()>,
}

/// Why a child has no answer.
#[derive(Debug)]
pub(super) enum Gone {
    /// It ended before it had the message in hand.
    Before(anyhow::Error),
    /// It ended with the message in hand.
    With(Death),
    /// Somebody outside ended it.
    Ended(String),
}

impl Process {
    /// Starts this program once more for `pool`.
    pub(super) async fn start(pool: &str) -> anyhow::Result<Self> {
        let mut child = command(pool)?.spawn().context("cannot start a process")?;
        let (Some(orders), Some(says), Some(words)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            bail!("a process without input and output");
        };
        let kept = Arc::default();
        let listening = tokio::spawn(listen(words, Arc::clone(&kept)));
        let mut process = Self {
            child,
            orders,
            says: BufReader::new(says).lines(),
            words: kept,
            listening,
        };
        let ready = timeout(START, async {
            while let Some(said) = process.hear().await {
                if matches!(said, Say::Ready) {
                    return true;
                }
            }
            false
        });
        if !ready.await.unwrap_or(false) {
            let how = process.end().await;
            bail!("it did not start ({how}): {}", process.last_words());
        }
        Ok(process)
    }

    /// Hands a message in and waits for the answer.
    pub(super) async fn work(&mut self, order: &Order) -> Result<Answer, Gone> {
        self.words().clear();
        self.hand_in(order).await.map_err(Gone::Before)?;
        let mut engine = None;
        let mut until = Instant::now() + BETWEEN;
        loop {
            let Ok(said) = tokio::time::timeout_at(until, self.hear()).await else {
                return Err(self.stuck(engine).await);
            };
            match said {
                Some(Say::Done(answer)) => return Ok(*answer),
                Some(Say::Began {
                    engine: name,
                    limit,
                }) => {
                    engine = Some((name, limit));
                    until = Instant::now() + limit + BENEFIT_OF_DOUBT;
                }
                Some(Say::Ended) => {
                    engine = None;
                    until = Instant::now() + BETWEEN;
                }
                Some(Say::Ready | Say::Took) => {}
                None => return Err(self.died(engine.map(|(name, _)| name)).await),
            }
        }
    }

    async fn hand_in(&mut self, order: &Order) -> anyhow::Result<()> {
        self.orders.write_all(order.line()?.as_bytes()).await?;
        self.orders.flush().await?;
        match timeout(START, self.hear()).await {
            Ok(Some(Say::Took)) => Ok(()),
            other => Err(anyhow!("it does not take the message: {other:?}")),
        }
    }

    /// The next thing it says; `None` when it is gone.
    async fn hear(&mut self) -> Option<Say> {
        while let Ok(Some(line)) = self.says.next_line().await {
            match Say::read(&line) {
                Some(said) => return Some(said),
                None => forward(&line),
            }
        }
        None
    }

    async fn stuck(&mut self, engine: Option<(String, Duration)>) -> Gone {
        self.end().await;
        let how = match &engine {
            Some((_, limit)) => format!("stopped: the engine had not ended after {limit:?}"),
            None => format!("stopped: it said nothing for {BETWEEN:?}"),
        };
        Gone::With(Death {
            how,
            engine: engine.map(|(name, _)| name),
            last_words: self.last_words(),
        })
    }

    async fn died(&mut self, engine: Option<String>) -> Gone {
        let status = match timeout(START, self.child.wait()).await {
            Ok(Ok(status)) => status,
            Ok(Err(_)) | Err(_) => return Gone::Ended("it closed its output".to_owned()),
        };
        if matches!(status.signal(), Some(1 | 2 | 15)) || status.success() {
            return Gone::Ended(told(status));
        }
        // What it wrote before it died may still be on its way.
        let _ = timeout(Duration::from_secs(1), &mut self.listening).await;
        Gone::With(Death {
            how: told(status),
            engine,
            last_words: self.last_words(),
        })
    }

    /// Ends it at once; how it ended.
    async fn end(&mut self) -> String {
        let _ = self.child.start_kill();
        let status = self.child.wait().await.map(told);
        status.unwrap_or_else(|error| error.to_string())
    }

    fn words(&self) -> std::sync::MutexGuard<'_, VecDeque<String>> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last_words(&self) -> String {
        let words: Vec<String> = self.words().iter().cloned().collect();
        words.join("\n")
    }
}

/// This program with its own arguments and one more, and the addresses of the servers in its environment. The same
/// file also when it was replaced meanwhile.
fn command(pool: &str) -> anyhow::Result<Command> {
    let own = "/proc/self/exe";
    let program = match cfg!(target_os = "linux") {
        true => own.into(),
        false => std::env::current_exe().context("cannot find this program")?,
    };
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_else(|| OsString::from("maas"));
    let (arguments, servers) = arguments::without_servers(arguments);
    let mut command = Command::new(program);
    command
        .arg0(name)
        .args(arguments)
        .envs(servers)
        .arg(format!("--alone={pool}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C on a terminal is for the parent.
        .process_group(0)
        .kill_on_drop(true);
    if std::env::var_os("MAAS_LOG").is_none() {
        command.env("MAAS_LOG", "warn,lapin=off");
    }
    Ok(command)
}

/// Passes on what it logs, and keeps what is no log line: what the runtime says before it ends.
async fn listen(words: ChildStderr, kept: Arc<Mutex<VecDeque<String>>>) {
    let mut lines = BufReader::new(words).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        forward(&line);
        if line.starts_with('{') || line.trim().is_empty() {
            continue;
        }
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == 2 * WORDS {
            kept.remove(WORDS);
        }
        kept.push_back(line);
    }
}

fn forward(line: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = writeln!(stderr, "{}", covered(line));
}

/// How a process ended, for a person.
fn told(status: ExitStatus) -> String {
    let name = |signal| match signal {
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        7 => " (SIGBUS)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        15 => " (SIGTERM)",
        _ => "",
    };
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("ended by signal {signal}{}", name(signal)),
        (None, Some(code)) => format!("ended with exit code {code}"),
        (None, None) => "ended".to_owned(),
    }
}
