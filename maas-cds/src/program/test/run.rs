//! Runs tests side by side: each worker keeps a store per pipeline, each pipeline is loaded once.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use maas_model::pipeline::{LoadError, Pipeline};
use tokio::task::JoinSet;

use super::compare::{Difference, differences};
use super::file::{TestCase, Tests};
use super::happened::Happened;
use super::world::{Room, World};

/// One test to run.
pub(super) struct Job {
    pub(super) tests: Arc<Tests>,
    /// Its number in the file.
    pub(super) number: usize,
    pipeline: Arc<Pipeline>,
    /// Which of the pipelines that is.
    pipeline_number: usize,
}

/// What a test came to.
pub(super) struct Ran {
    pub(super) happened: Happened,
    pub(super) differences: Vec<Difference>,
}

/// A test that is over: what it came to, or why it could not be run to its end.
pub(super) struct Done {
    pub(super) ran: anyhow::Result<Ran>,
    pub(super) took: Duration,
}

impl Job {
    pub(super) fn test(&self) -> &TestCase {
        &self.tests.yaml.value().tests[self.number]
    }

    fn now(&self) -> DateTime<Utc> {
        /// Chosen once and for all, so that a test means the same tomorrow: 2024-01-01T00:00:00Z.
        const DEFAULT: i64 = 1_704_067_200;
        let now = self.test().now.or(self.tests.yaml.value().now);
        now.unwrap_or_else(|| DateTime::from_timestamp(DEFAULT, 0).unwrap_or_default())
    }

    async fn run(&self, room: &Room) -> anyhow::Result<Ran> {
        let (file, test) = (self.tests.yaml.value(), self.test());
        let known = |name: &&String| self.pipeline.pools.iter().any(|pool| pool.name == **name);
        if let Some(unknown) = test.pools.iter().flatten().find(|name| !known(name)) {
            bail!("the pipeline has no pool `{unknown}`");
        }
        let pools = test.pools.as_deref();
        let mut world = World::new(&self.pipeline, room, pools, self.now()).await?;
        let folder = self.tests.folder();
        let happened = Happened::of(test, &file.given, folder, &self.pipeline, &mut world).await?;
        let differences = differences(&test.expect, &happened);
        Ok(Ran {
            happened,
            differences,
        })
    }
}

/// What a pipeline is loaded from: its path, and the variables in it.
type Key = (PathBuf, BTreeMap<String, String>);

/// The jobs of some files. Each pipeline is loaded once, however many tests it has.
pub(super) fn jobs(
    files: Vec<Tests>,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<Job>, LoadError> {
    let mut pipelines: HashMap<Key, (usize, Arc<Pipeline>)> = HashMap::new();
    let mut jobs = Vec::new();
    for tests in files.into_iter().map(Arc::new) {
        let file = tests.yaml.value();
        for (number, test) in file.tests.iter().enumerate() {
            if !wanted(&test.name) {
                continue;
            }
            let mut env = file.env.clone();
            env.extend(test.env.clone());
            let key = (tests.pipeline.clone(), env);
            let (pipeline_number, pipeline) = match pipelines.get(&key) {
                Some(known) => known.clone(),
                None => {
                    let (pipeline, _) = Pipeline::load(&key.0, &|name| key.1.get(name).cloned())?;
                    let numbered = (pipelines.len(), Arc::new(pipeline));
                    pipelines.insert(key, numbered.clone());
                    numbered
                }
            };
            jobs.push(Job {
                tests: Arc::clone(&tests),
                number,
                pipeline,
                pipeline_number,
            });
        }
    }
    Ok(jobs)
}

/// Runs all jobs; answers in their order.
pub(super) async fn run(jobs: Arc<Vec<Job>>) -> anyhow::Result<Vec<Done>> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    for _ in 0..count.min(jobs.len()) {
        let (jobs, next) = (Arc::clone(&jobs), Arc::clone(&next));
        workers.spawn(async move {
            let mut rooms = HashMap::new();
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Relaxed);
                let Some(job) = jobs.get(number) else {
                    return done;
                };
                done.push((number, one(job, &mut rooms).await));
            }
        });
    }
    let mut done: Vec<(usize, Done)> = Vec::with_capacity(jobs.len());
    while let Some(worker) = workers.join_next().await {
        done.extend(worker.context("a test crashed")?);
    }
    done.sort_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, done)| done).collect())
}

async fn one(job: &Job, rooms: &mut HashMap<usize, Room>) -> Done {
    let started = Instant::now();
    let ran = async {
        let key = job.pipeline_number;
        let room = match rooms.remove(&key) {
            Some(room) => room,
            None => Room::of(&job.pipeline).await?,
        };
        let ran = job.run(&room).await;
        rooms.insert(key, room);
        ran
    };
    Done {
        ran: ran.await,
        took: started.elapsed(),
    }
}
