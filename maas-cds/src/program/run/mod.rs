//! `maas run`: everything of a pipeline, in one process.

pub(crate) mod activity;
mod alone;
mod idle;
mod listen;
mod metrics;
mod order;
pub(crate) mod parts;
mod progress;
pub(crate) mod shutdown;
pub(crate) mod start;
mod summary;
mod watchdog;

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use maas_model::pipeline::Pipeline;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::options::{Connection, OutputOption, PipelineArgument};
use super::pace::{Noted, note};
use super::source::PipelineSource;
use super::{Outcome, connect, missing, output};
use alone::Nursery;
use listen::ListenAddress;
use metrics::{Figures, Health};
use parts::{Containment, Part, Parts};
use watchdog::Watchdog;

/// How long what is in hand may take after a stop before it is handed back. Platforms kill after 30 s.
const GRACE: Duration = Duration::from_secs(20);
/// How long handing back may take.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// How long the figures of a stopped run may be gathered.
const SUMMARY: Duration = Duration::from_secs(2);

/// Run a pipeline: collect, store, announce, compute, until stopped.
#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    pipeline: PipelineArgument,
    /// End when all files there are have been taken and the queues are empty.
    #[arg(long)]
    until_idle: bool,
    /// Run this part only: `collectors`, or `pool=NAME`. May be given several times.
    #[arg(long)]
    only: Vec<Part>,
    /// Run what can be run of a pipeline that names collectors or engines which this program does not have.
    /// Messages for the queues left out wait in them.
    #[arg(long)]
    skip_missing: bool,
    /// Serve metrics and health on this port, for this machine alone; for others name the address to listen on:
    /// `0.0.0.0:9100`.
    #[arg(long, value_name = "[ADDRESS:]PORT")]
    metrics: Option<ListenAddress>,
    /// How the summary at the end is printed.
    #[command(flatten)]
    output: OutputOption,
    /// MiB of memory that a message may take which is worked on in a process of its own, because its worker
    /// ended with it in hand. Without it: half of what is free.
    #[arg(long, env = "MAAS_ALONE_MEMORY", value_name = "MIB")]
    alone_memory: Option<u64>,
    /// Work on messages of this pool as the parent process hands them in.
    #[arg(long, hide = true, value_name = "POOL")]
    alone: Option<String>,
}

impl Run {
    pub(crate) async fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        let source = PipelineSource::required(self.pipeline.pipeline.as_deref(), connection);
        let pipeline = match connect::load(&source) {
            Ok(pipeline) => Arc::new(pipeline),
            Err(error) => {
                output::failure(&anyhow::Error::new(error).context("the pipeline is refused"));
                return Ok(Outcome::Refused);
            }
        };
        if let Some(pool) = &self.alone {
            return alone::serve(pool, &pipeline, connection, self.alone_memory).await;
        }
        if let Some(problem) = parts::unknown(&self.only, &pipeline) {
            output::failure(&anyhow::anyhow!(problem));
            return Ok(Outcome::Refused);
        }
        let missing = missing::counts(&parts::chosen(&self.only, &pipeline));
        if !missing.is_empty() && !self.skip_missing {
            let advice = "this program does not have all that the pipeline names: leave it out with `--skip-missing`, or choose a part with `--only`";
            output::failure(&anyhow::anyhow!("{advice}\n{}", missing::table(&missing)));
            return Ok(Outcome::Unavailable);
        }
        let recorder = self.metrics.map(|_| metrics::record()).transpose()?;
        let cancel = CancellationToken::new();
        shutdown::watch(cancel.clone())?;
        let servers = start::open(connection).await?;
        let containment = Containment {
            isolation: Arc::new(Nursery::default()),
            watch: Arc::default(),
        };
        let parts = Parts::build(
            &pipeline,
            &servers,
            &containment,
            &self.only,
            self.until_idle,
        )?;
        let noted = Arc::new(Noted::default());
        let watchdog = Watchdog::start(containment.watch, parts.activities(), cancel.clone())?;
        if let (Some(address), Some(recorder)) = (self.metrics, recorder) {
            let health = Health {
                store: servers.store.clone(),
                bus: servers.bus.clone(),
                watchdog: Arc::clone(&watchdog),
            };
            let figures = Figures {
                activities: parts.activities(),
                queues: Arc::clone(&noted),
                turn: Arc::default(),
            };
            metrics::serve(address.0, recorder, figures, health, cancel.clone()).await?;
        }
        if !start::prepare(&pipeline, &servers, &cancel).await? {
            return Ok(Outcome::Done);
        }
        let activities = parts.activities();
        let (interfaces, pools) = (activities.flows.len(), activities.pools.len());
        let version = env!("CARGO_PKG_VERSION");
        tracing::info!(version, interfaces, pools, "running");
        let outcome = self.run(pipeline, servers, parts, noted, cancel).await?;
        Ok(match watchdog.handed_over() {
            true => Outcome::HandedOver,
            false => outcome,
        })
    }

    async fn run(
        self,
        pipeline: Arc<Pipeline>,
        servers: start::Servers,
        parts: Parts,
        noted: Arc<Noted>,
        cancel: CancellationToken,
    ) -> anyhow::Result<Outcome> {
        let activities = parts.activities();
        let ended = CancellationToken::new();
        let (queues, of_all) = (parts.queues(), activities.clone());
        let noting = note(servers.clone(), of_all, queues, noted, ended.clone());
        let noting = tokio::spawn(noting);
        let watching = tokio::spawn(activity::watch(activities.clone(), ended.clone()));
        let drawing = progress::draw(activities.clone(), ended.clone());
        let failed = self.work(&servers, parts, &cancel).await;
        ended.cancel();
        let _ = tokio::join!(watching, noting);
        if let Some(drawing) = drawing {
            let _ = drawing.await;
        }
        let gathering = summary::Summary::gather(&pipeline, &servers, &activities);
        let summary = match cancel.is_cancelled() {
            // Who stops a run because the store hangs does not want to wait for the store.
            true => tokio::time::timeout(SUMMARY, gathering).await.ok(),
            false => Some(gathering.await),
        };
        servers.bus.close().await?;
        servers.store.close().await?;
        if let Some(summary) = summary {
            summary.print(self.output.output)?;
        }
        Ok(if failed {
            Outcome::NotWell
        } else {
            Outcome::Done
        })
    }

    /// Runs all parts to their end. Whether one of them failed.
    async fn work(
        &self,
        servers: &start::Servers,
        parts: Parts,
        cancel: &CancellationToken,
    ) -> bool {
        let queues = parts.queues();
        let busy = parts.activities();
        let (mut flows, mut pools) = (JoinSet::new(), JoinSet::new());
        // Pools outlast the flows: what the flows announce is still theirs to do.
        let stop_pools = cancel.child_token();
        let overdue = overdue_after(stop_pools.clone());
        parts.spawn(&mut flows, &mut pools, cancel, &stop_pools);
        let mut failed = tokio::select! {
            failed = joined(&mut flows) => failed,
            () = overdue.cancelled() => {
                tracing::warn!("what is not stored and announced yet is collected again");
                flows.shutdown().await;
                false
            }
        };
        if self.until_idle && !pools.is_empty() && !cancel.is_cancelled() {
            let idle = idle::wait(&*servers.bus, &queues, &busy);
            tokio::select! {
                () = cancel.cancelled() => {}
                () = idle => stop_pools.cancel(),
                // Nobody empties its queues any more.
                Some(ended) = pools.join_next() => {
                    failed |= has_failed(ended);
                    stop_pools.cancel();
                }
            }
        }
        tokio::select! {
            result = joined(&mut pools) => failed |= result,
            () = overdue.cancelled() => tracing::warn!("what is still in hand goes back to its queue"),
        }
        failed
    }
}

/// Cancelled when a stop has lasted too long: a server that hangs must not hold up the end. Without a stop
/// everything runs on.
fn overdue_after(stop: CancellationToken) -> CancellationToken {
    let overdue = CancellationToken::new();
    let later = overdue.clone();
    tokio::spawn(async move {
        stop.cancelled().await;
        tokio::time::sleep(GRACE + LAST_WORDS).await;
        later.cancel();
    });
    overdue
}

/// Waits for all tasks; a failure is told when it happens. Whether there was one.
async fn joined(tasks: &mut JoinSet<anyhow::Result<()>>) -> bool {
    let mut failed = false;
    while let Some(ended) = tasks.join_next().await {
        failed |= has_failed(ended);
    }
    failed
}

/// Whether a task failed; that is told.
fn has_failed(ended: Result<anyhow::Result<()>, JoinError>) -> bool {
    let error = match ended {
        Ok(Ok(())) => return false,
        Ok(Err(error)) => error,
        Err(error) => anyhow::Error::new(error).context("a part of the pipeline crashed"),
    };
    tracing::error!(error = format!("{error:#}"), "a part of the pipeline ended");
    true
}
