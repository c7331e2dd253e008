//! The program as a platform runs it: started again whenever it ends.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use maas_model::document::IndexName;
use maas_model::layer::{RetryPolicy, RetryStore};
use maas_model::message::{BusOptions, Published};
use maas_model::store::{DocumentStore, OpenSearchOptions, Query, Search};
use maas_tests::program::Pair;
use maas_tests::server::free_port;
use serde_json::json;

use super::load::Load;
use super::look::{Look, Told};
use super::pipeline;
use crate::program::{Running, under_test};

/// How long all of it may take.
const LIMIT: Duration = Duration::from_secs(900);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);
/// When nothing is done for so long, the program does not work.
const LULL: Duration = Duration::from_millis(600);
/// KiB of memory that the program has: less than the document wants that wants 4 GiB.
const MEMORY_KIB: &str = "3000000";
/// How the program ends when an engine never comes back.
const HANDED_OVER: i32 = 5;

/// What it took.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// Until the healthy messages were done.
    pub(super) healthy: Duration,
    /// How much of it the program did not work: it was stuck, or started.
    pub(super) down: Duration,
    /// Until all but one in a hundred of the healthy documents were done.
    pub(super) p99: Duration,
    /// Until nothing was left to do.
    pub(super) whole: Duration,
    pub(super) restarts: usize,
    pub(super) told: Told,
    pub(super) log_told: bool,
}

/// The program on a pair of its own.
pub(super) struct Service {
    pair: Pair,
    port: u16,
}

impl Service {
    pub(super) fn new(pair: Pair) -> Result<Self> {
        Ok(Self {
            pair,
            port: free_port()?,
        })
    }

    pub(super) fn pair(&self) -> &Pair {
        &self.pair
    }

    /// Puts documents and messages where they are to be.
    pub(super) async fn feed(&self, load: &Load) -> Result<()> {
        // Makes queues and indices.
        let mut run = Running::start(&mut self.command()?)?;
        run.finish(LIMIT).await?;
        let store = self.store()?;
        let outcomes = store.write(load.documents()?).await?;
        ensure!(
            outcomes.iter().all(|outcome| outcome.is_done()),
            "not written"
        );
        store.close().await?;
        let (url, options) = (self.pair.bus.parse()?, BusOptions::default());
        let bus = maas_model::message::open(&url, &self.pair.data, &options)?;
        let published = bus.publish(load.outgoing()?).await?;
        ensure!(
            published.iter().all(|came| *came == Published::Routed),
            "not routed"
        );
        Ok(bus.close().await?)
    }

    /// Runs the program until nothing is left to do, and starts it again whenever a message ends it.
    pub(super) async fn serve(&self, load: &Load) -> Result<Times> {
        let mut times = Times::default();
        let began = Instant::now();
        let look = Look::at(self.port);
        let store = self.store()?;
        let mut run = Running::start(&mut self.command()?)?;
        let (mut progress, mut counted) = (Instant::now(), 0);
        let (all, most) = (load.healthy() as u64, load.healthy() as u64 * 99 / 100);
        loop {
            tokio::time::sleep(PAUSE).await;
            ensure!(
                began.elapsed() < LIMIT,
                "not done after {LIMIT:?}:\n{}",
                run.said()
            );
            if times.healthy.is_zero() {
                let done = healthy(&*store).await?;
                if done > counted {
                    let pause = progress.elapsed();
                    if pause >= LULL {
                        times.down += pause;
                    }
                    (progress, counted) = (Instant::now(), done);
                }
                if done >= most && times.p99.is_zero() {
                    times.p99 = began.elapsed();
                }
                if done == all {
                    times.healthy = began.elapsed();
                }
            }
            let Some(status) = run.ended()? else { continue };
            times.log_told |= run.said().contains("an engine is stuck");
            match status.code() {
                Some(0) => break,
                Some(HANDED_OVER) => {}
                None if status.signal() == Some(6) => {}
                _ => bail!("it ended with {status}:\n{}", run.said()),
            }
            times.restarts += 1;
            run = Running::start(&mut self.command()?)?;
        }
        times.whole = began.elapsed();
        times.told = look.told();
        store.close().await?;
        Ok(times)
    }

    /// Leaves nothing to another one on the same pair.
    pub(super) async fn clear(&self) -> Result<()> {
        let store = self.store()?;
        for index in ["item", "done"] {
            store.drop_index(&IndexName::new(index)?).await?;
        }
        Ok(store.close().await?)
    }

    fn store(&self) -> Result<Arc<dyn DocumentStore>> {
        let (url, options) = (self.pair.store.parse()?, OpenSearchOptions::default());
        let store = maas_model::store::open(&url, &self.pair.data, options)?;
        // An index that was made a moment ago may not be ready.
        Ok(Arc::new(RetryStore::new(store, RetryPolicy::default())))
    }

    /// The documents that were done.
    pub(super) async fn done(&self) -> Result<BTreeSet<String>> {
        let store = self.store()?;
        let index = IndexName::new("done")?;
        store.refresh(&index).await?;
        let mut pages = store.scan(&index, &Search::new(Query::All)).await?;
        let mut done = BTreeSet::new();
        while let Some(page) = pages.next().await? {
            done.extend(page.into_iter().map(|found| found.id.to_string()));
        }
        Ok(done)
    }

    /// The program with little memory, by way of a shell: only that can limit it without code of ours.
    fn command(&self) -> Result<Command> {
        let (pipeline, port) = (pipeline(), format!("127.0.0.1:{}", self.port));
        let pipeline = pipeline.to_str().context("a path that is no text")?;
        let arguments = ["run", pipeline, "--until-idle", "--metrics", &port];
        let program = under_test()?;
        let wanted = self.pair.command_of(program, &arguments);
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", "ulimit -v \"$0\"; exec \"$@\"", MEMORY_KIB])
            .arg(program);
        shell.args(wanted.get_args());
        // As in a release: telling a stack from debug information takes longer than the crash.
        shell.env("RUST_BACKTRACE", "0");
        shell.stdin(std::process::Stdio::null());
        if let Some(folder) = wanted.get_current_dir() {
            shell.current_dir(folder);
        }
        for (name, _) in wanted.get_envs().filter(|(_, value)| value.is_none()) {
            shell.env_remove(name);
        }
        Ok(shell)
    }
}

async fn healthy(store: &dyn DocumentStore) -> Result<u64> {
    let healthy = Query::Term {
        field: "healthy".to_owned(),
        value: json!(true),
    };
    let index = IndexName::new("done")?;
    store.refresh(&index).await?;
    Ok(store.count(&index, &healthy).await?)
}
