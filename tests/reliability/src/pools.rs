//! Pools in this process, on stores of the goal's choice: as many copies of each as there would be processes.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use maas_engine::engine::Reads;
use maas_engine::pool::{PoolContext, PoolRunner};
use maas_model::clock::Clock;
use maas_model::document::DocumentId;
use maas_model::message::{
    Binding, DeadLetter, EmbeddedBus, ExchangeName, Message, MessageBus, Outgoing, Published,
    QueueName, RoutingKey, Topology,
};
use maas_model::pipeline::Pipeline;
use maas_model::store::DocumentStore;
use maas_tests::server::wait_until;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::meters::Meters;

/// More than any goal leaves in a queue.
const MOST: usize = 100_000;

/// A pipeline that is worked on, and the bus it is woken by.
pub struct Pools {
    pipeline: Pipeline,
    bus: Arc<dyn MessageBus>,
    clock: Clock,
    stop: CancellationToken,
    running: JoinSet<()>,
    meters: Meters,
    _folder: TempDir,
}

impl Pools {
    /// Reads the pipeline and declares its queues on an embedded bus of its own; nothing runs yet.
    pub async fn new(pipeline: &str) -> Result<Self> {
        let (pipeline, _) = Pipeline::from_text("goal", pipeline, &|_| None)?;
        let folder = tempfile::tempdir()?;
        let bus = Arc::new(EmbeddedBus::open(folder.path())?);
        bus.declare(&pipeline.topology()).await?;
        Ok(Self {
            pipeline,
            bus,
            clock: Clock::system(),
            stop: CancellationToken::new(),
            running: JoinSet::new(),
            meters: Meters::default(),
            _folder: folder,
        })
    }

    /// Makes what the store must know of the models.
    pub async fn install(&self, store: &dyn DocumentStore) -> Result<()> {
        for model in self.pipeline.models.values() {
            store.install(model).await?;
        }
        Ok(())
    }

    /// Runs one pool of the pipeline on this store, beside those that run: as one process more would.
    pub fn run(&mut self, pool: &str, store: Arc<dyn DocumentStore>) -> Result<()> {
        let models = Arc::new(self.pipeline.models.clone());
        let mut pools = self.pipeline.pools.iter();
        let description = pools
            .find(|found| found.name == pool)
            .with_context(|| format!("there is no pool `{pool}`"))?;
        let context = PoolContext {
            reads: Reads::new(store, models, self.clock.clone()),
            bus: Arc::clone(&self.bus),
            bindings: self.bindings(),
            grace: Duration::from_secs(5),
        };
        let runner = PoolRunner::build(description, context)?;
        self.meters.add(pool, runner.stats());
        let stop = self.stop.clone();
        self.running.spawn(async move {
            if let Err(error) = runner.run(stop).await {
                tracing::error!(%error, "a pool ended");
            }
        });
        Ok(())
    }

    /// Publishes one message that names these documents, on `collect-exchange`.
    pub async fn send(&self, key: &str, class: &str, ids: Vec<DocumentId>) -> Result<()> {
        self.send_all(key, class, vec![ids]).await
    }

    /// One message for each list of documents.
    pub async fn send_all(
        &self,
        key: &str,
        class: &str,
        lists: Vec<Vec<DocumentId>>,
    ) -> Result<()> {
        let messages: Result<Vec<_>> = lists
            .into_iter()
            .map(|ids| self.message(key, class, ids))
            .collect();
        for published in self.bus.publish(messages?).await? {
            ensure!(published == Published::Routed, "{published:?}");
        }
        Ok(())
    }

    fn message(&self, key: &str, class: &str, ids: Vec<DocumentId>) -> Result<Outgoing> {
        let message = Message {
            document_class: class.to_owned(),
            document_ids: ids,
            ..Message::new(&self.clock)
        };
        Ok(Outgoing {
            exchange: ExchangeName::new("collect-exchange")?,
            routing_key: RoutingKey::new(key)?,
            body: message.to_body(),
            message_id: Uuid::new_v4().to_string(),
            priority: 0,
            headers: Default::default(),
        })
    }

    /// Waits until nothing is left to do.
    pub async fn idle(&self, limit: Duration) -> Result<()> {
        let queues = self.queues();
        wait_until("idle pools", limit, || async {
            let found = self.bus.queues("*").await.unwrap_or_default();
            let ours = found.iter().filter(|queue| queues.contains(&queue.name));
            let mut left =
                ours.map(|queue| queue.ready + queue.delayed + queue.unsettled.unwrap_or(0));
            left.all(|left| left == 0)
        })
        .await
        .with_context(|| format!("{queues:?}"))
    }

    /// How many messages wait in this queue or are worked on.
    pub async fn left(&self, queue: &str) -> Result<u64> {
        let found = self.bus.queues(queue).await?;
        let left = found
            .iter()
            .map(|queue| queue.ready + queue.delayed + queue.unsettled.unwrap_or(0));
        Ok(left.sum())
    }

    /// The dead letters of a pool.
    pub async fn dead(&self, pool: &str) -> Result<Vec<DeadLetter>> {
        let letters = self.bus.peek(&Topology::parking_queue(pool)?, MOST).await?;
        let letters = letters
            .iter()
            .map(|letter| serde_json::from_slice(&letter.body));
        letters
            .collect::<Result<_, _>>()
            .context("a dead letter is malformed")
    }

    /// What waits in this queue.
    pub async fn heard(&self, queue: &str) -> Result<Vec<(String, Message)>> {
        let waiting = self.bus.peek(&QueueName::new(queue)?, MOST).await?;
        let messages = waiting.iter().map(|peeked| {
            let message = Message::parse(&peeked.body)?;
            Ok((peeked.routing_key.to_string(), message))
        });
        messages.collect()
    }

    /// The metrics of the pools that were run since the last [`stop`](Self::stop).
    pub fn meters(&self) -> Meters {
        self.meters.clone()
    }

    /// The bus.
    pub fn bus(&self) -> &Arc<dyn MessageBus> {
        &self.bus
    }

    /// Stops all pools that run; others can be started after.
    pub async fn stop(&mut self) -> Result<()> {
        self.stop.cancel();
        self.stop = CancellationToken::new();
        self.meters = Meters::default();
        while let Some(ended) = self.running.join_next().await {
            if let Err(error) = ended {
                bail!("a pool did not end well: {error}");
            }
        }
        Ok(())
    }

    fn bindings(&self) -> Vec<Binding> {
        let queues = self.pipeline.pools.iter().flat_map(|pool| &pool.queues);
        queues.flat_map(|queue| queue.bindings.clone()).collect()
    }

    /// The queues that somebody works on.
    fn queues(&self) -> Vec<QueueName> {
        let pools = self.pipeline.pools.iter();
        let worked_on = pools
            .flat_map(|pool| &pool.queues)
            .filter(|queue| !queue.engines.is_empty());
        worked_on.map(|queue| queue.name.clone()).collect()
    }
}
