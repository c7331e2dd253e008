//! What a test happens in: a store and a bus of its own, and a clock that is moved by hand.

mod work;

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use maas_collector::collect::RawItem;
use maas_collector::flow::{self, Flow, FlowContext, FlowMode, Force};
use maas_engine::engine::Reads;
use maas_engine::pool::{PoolContext, PoolRunner};
use maas_model::clock::Clock;
use maas_model::document::{Document, DocumentId, IndexName};
use maas_model::message::{DeadLetter, Outgoing, QueueName};
use maas_model::pipeline::Pipeline;
use maas_model::store::{
    DocumentStore, EmbeddedStore, Query, Search, WriteAction, WriteOp, WriteOutcome,
};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::bus::TestBus;
use super::file::{Fields, Step};
use super::handed::{Broken, BrokenFile, Handed};
use crate::program::connect;

/// Indices in which pools and interfaces keep what they must remember.
const OWN_INDICES: [&str; 2] = ["maas-intents", "maas-file-journal"];

/// A store with the models of a pipeline; kept from test to test, for making one takes longer than most tests.
pub(super) struct Room {
    store: Arc<dyn DocumentStore>,
    folder: TempDir,
}

/// A temporary folder for nobody else.
fn private_folder() -> std::io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir()
}

impl Room {
    pub(super) async fn of(pipeline: &Pipeline) -> anyhow::Result<Self> {
        let folder = private_folder().context("cannot make a temporary folder")?;
        let store = EmbeddedStore::open_fleeting(folder.path())?;
        for model in pipeline.models.values() {
            store.install(model).await?;
        }
        Ok(Self {
            store: Arc::new(store),
            folder,
        })
    }

    /// Removes all documents.
    async fn clear(&self) -> anyhow::Result<()> {
        for index in self.store.indices("*").await? {
            self.store.drop_index(&index.name).await?;
        }
        Ok(())
    }
}

/// One test's world.
pub(super) struct World<'a> {
    pipeline: &'a Pipeline,
    room: &'a Room,
    bus: Arc<TestBus>,
    pools: HashMap<QueueName, Arc<PoolRunner>>,
    /// The time, in microseconds.
    time: Arc<AtomicI64>,
    /// Letters of messages that died as a whole; all others are on the bus.
    dead: Vec<DeadLetter>,
    /// Files that could not be read to their end.
    broken: Broken,
}

impl<'a> World<'a> {
    /// An empty one. `pools`: those that work; `None`: all.
    pub(super) async fn new(
        pipeline: &'a Pipeline,
        room: &'a Room,
        pools: Option<&[String]>,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Self> {
        room.clear().await?;
        let mut world = Self {
            pipeline,
            room,
            bus: Arc::new(TestBus::new(&pipeline.topology())?),
            pools: HashMap::new(),
            time: Arc::new(AtomicI64::new(now.timestamp_micros())),
            dead: Vec::new(),
            broken: Broken::default(),
        };
        let models = Arc::new(pipeline.models.clone());
        let reads = Reads::new(Arc::clone(&room.store), models, world.clock());
        for pool in &pipeline.pools {
            if pools.is_some_and(|pools| !pools.contains(&pool.name)) {
                continue;
            }
            let cx = PoolContext {
                reads: reads.clone(),
                bus: world.bus.clone(),
                bindings: Vec::new(),
                grace: Duration::ZERO,
            };
            let runner = Arc::new(PoolRunner::build(pool, cx)?);
            for queue in &pool.queues {
                world.pools.insert(queue.name.clone(), Arc::clone(&runner));
            }
        }
        Ok(world)
    }

    /// The clock of everything in it.
    pub(super) fn clock(&self) -> Clock {
        let time = Arc::clone(&self.time);
        Clock::showing(move || {
            DateTime::from_timestamp_micros(time.load(Relaxed)).unwrap_or_default()
        })
    }

    /// Lets a step happen, and the pools work until nothing is left to do. Files are relative to `folder`.
    pub(super) async fn happen(&mut self, step: &Step, folder: &Path) -> anyhow::Result<()> {
        if let Some(now) = step.now {
            self.time.store(now.timestamp_micros(), Relaxed);
        }
        if let Some(interface) = &step.interface {
            self.ingest(interface, step, folder)
                .await
                .with_context(|| format!("interface `{interface}`"))?;
        }
        for (index, documents) in step.documents.iter().flatten() {
            self.put(index, documents).await?;
        }
        if let Some(message) = &step.message {
            self.publish(message)?;
        }
        self.work().await
    }

    async fn ingest(&self, name: &str, step: &Step, folder: &Path) -> anyhow::Result<()> {
        let interface = connect::interface(self.pipeline, name)?;
        let context = FlowContext {
            store: Arc::clone(&self.room.store),
            bus: self.bus.clone(),
            clock: self.clock(),
            force: Force::default(),
            bindings: Vec::new(),
            room: flow::Room::default(),
        };
        let input = self.input(step, folder)?;
        let is_handed = input.is_some();
        let flow = match input {
            Some(item) => {
                let handed = Handed {
                    item: Some(item),
                    interface: name.to_owned(),
                    broken: Arc::clone(&self.broken),
                };
                Flow::with_collector(interface, Box::new(handed), context)?
            }
            None => Flow::build(interface, context)?,
        };
        let counts = flow.run(CancellationToken::new(), FlowMode::Once).await?;
        if counts.broken > 0 && !is_handed {
            bail!("{} files cannot be read to their end", counts.broken);
        }
        Ok(())
    }

    /// The file of a step, when it has one.
    pub(super) fn input(&self, step: &Step, folder: &Path) -> anyhow::Result<Option<RawItem>> {
        let (path, name, shown) = if let Some(text) = &step.text {
            let name = step.name.clone().unwrap_or_else(|| "input".to_owned());
            let path = self.room.folder.path().join("input");
            std::fs::write(&path, text).context("cannot write a temporary file")?;
            (path, name, None)
        } else if let Some(file) = &step.file {
            let path = folder.join(file);
            if !path.is_file() {
                bail!("there is no file `{}`", path.display());
            }
            let name = file.file_name().unwrap_or_default();
            let shown = file.parent().map(|folder| folder.display().to_string());
            (path, name.to_string_lossy().into_owned(), shown)
        } else {
            return Ok(None);
        };
        Ok(Some(RawItem {
            key: format!("{} {name}", path.display()),
            name,
            // As it is written in the test: the same on every machine.
            folder: shown,
            path,
        }))
    }

    async fn put(&self, index: &str, documents: &[Fields]) -> anyhow::Result<()> {
        let index = IndexName::new(index)?;
        let mut actions = Vec::with_capacity(documents.len());
        for fields in documents {
            let mut source = fields.clone();
            let id = source.shift_remove("_id");
            let id = id.as_ref().and_then(Value::as_str).unwrap_or_default();
            actions.push(WriteAction {
                index: index.clone(),
                id: DocumentId::new(id)?,
                op: WriteOp::Index(source, None),
            });
        }
        for outcome in self.room.store.write(actions).await? {
            if let WriteOutcome::Refused { reason, .. } = outcome {
                bail!("the store refuses a document for `{index}`: {reason}");
            }
        }
        Ok(())
    }

    /// Everything published since the last call.
    pub(super) fn take_published(&mut self) -> Vec<Outgoing> {
        self.bus.take_published()
    }

    /// Letters of messages that died as a whole since the last call.
    pub(super) fn take_dead(&mut self) -> Vec<DeadLetter> {
        std::mem::take(&mut self.dead)
    }

    /// Files since the last call that could not be read to their end.
    pub(super) fn take_broken(&mut self) -> Vec<BrokenFile> {
        std::mem::take(&mut *self.broken.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// All documents of an index or alias, by index and id.
    pub(super) async fn documents(&self, index: &str) -> anyhow::Result<Vec<Document>> {
        let index = IndexName::new(index)?;
        let search = Search::new(Query::All);
        let mut pages = self.room.store.scan(&index, &search).await?;
        let mut documents = Vec::new();
        while let Some(page) = pages.next().await? {
            documents.extend(page);
        }
        documents.sort_by(|a, b| (&a.index, &a.id).cmp(&(&b.index, &b.id)));
        Ok(documents)
    }

    /// The aliases of the pipeline's models that have documents.
    pub(super) async fn filled(&self) -> anyhow::Result<Vec<String>> {
        let indices = self.room.store.indices("*").await?;
        let mut names: Vec<String> = indices
            .into_iter()
            .map(|info| match info.aliases.first() {
                Some(alias) => alias.to_string(),
                None => info.name.to_string(),
            })
            .filter(|name| !OWN_INDICES.contains(&name.as_str()))
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }
}
