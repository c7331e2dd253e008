//! One pool, from its description to its end.

use std::sync::Arc;
use std::time::Duration;

use maas_model::message::{Binding, BusError, MessageBus, QueueName};
use maas_model::pipeline::Pool;
use tokio_util::sync::CancellationToken;

use super::chain::Chains;
use super::consume::consume;
use super::contain::{self, Isolation, Lanes, Watch};
use super::context::Reads;
use super::hand::InHand;
use super::intent::{Intents, intents_model};
use super::process::{Processed, process};
use super::shared::Shared;
use super::stats::PoolStats;
use super::sweep::sweep;
use super::turns::Turns;
use super::wait::{Enough, Outage, Patience};
use super::work::Work;
use crate::engine::BuildError;

/// What a pool works with.
#[derive(Debug, Clone)]
pub struct PoolContext {
    /// Where engines read and the pool writes; shared by the pools of a process.
    pub reads: Reads,
    /// Where messages come from and go to. Its topology is declared before a pool runs.
    pub bus: Arc<dyn MessageBus>,
    /// All bindings of the pipeline: what is published with a key that one of them takes must find a
    /// queue, else it is published again.
    pub bindings: Vec<Binding>,
    /// How long work in hand may take after a stop before it is handed back.
    pub grace: Duration,
}

/// Why a pool cannot be built or goes no further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// An engine cannot be made.
    #[error("pool `{pool}`")]
    Build {
        /// The pool.
        pool: String,
        /// Why.
        #[source]
        source: BuildError,
    },
    /// A queue cannot be subscribed to, now or later.
    #[error("pool `{pool}` cannot take from `{queue}`")]
    Subscribe {
        /// The pool.
        pool: String,
        /// The queue.
        queue: QueueName,
        /// Why.
        #[source]
        source: BusError,
    },
    /// The index of intents has no valid name; a defect of this program.
    #[error(transparent)]
    Intents(#[from] maas_model::document::IndexNameError),
}

/// The workers of one pool.
pub struct PoolRunner {
    shared: Arc<Shared>,
    queues: Vec<QueueName>,
    concurrency: usize,
    prefetch: u16,
    grace: Duration,
}

impl PoolRunner {
    /// Makes the engines. No I/O.
    pub fn build(pool: &Pool, cx: PoolContext) -> Result<Self, PoolError> {
        contain::listen();
        let chains = Chains::build(pool, &cx.reads.models).map_err(|source| PoolError::Build {
            pool: pool.name.clone(),
            source,
        })?;
        let store = Arc::clone(&cx.reads.store);
        let intents = Intents::new(store, cx.reads.clock.clone(), &pool.name)?;
        Ok(Self {
            shared: Arc::new(Shared {
                chains,
                reads: cx.reads,
                bus: cx.bus,
                bindings: cx.bindings,
                intents,
                stats: Arc::default(),
                store_outage: Outage::new("store", &pool.name),
                bus_outage: Outage::new("bus", &pool.name),
                watch: Arc::default(),
                lanes: None,
            }),
            queues: pool.queues.iter().map(|queue| queue.name.clone()).collect(),
            concurrency: pool.concurrency,
            prefetch: pool.prefetch,
            grace: cx.grace,
        })
    }

    /// The same pool, which works on messages that came back unsettled in `isolation`. To be called before it
    /// runs.
    #[must_use]
    pub fn isolated(mut self, isolation: Arc<dyn Isolation>) -> Self {
        let lanes = Lanes::new(isolation, self.concurrency);
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.lanes = Some(lanes);
        }
        self
    }

    /// The same pool, whose engines `watch` sees. To be called before it runs.
    #[must_use]
    pub fn watched(mut self, watch: Arc<Watch>) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.watch = watch;
        }
        self
    }

    /// What it did so far.
    pub fn stats(&self) -> Arc<PoolStats> {
        Arc::clone(&self.shared.stats)
    }

    /// Works until `stop` or until the bus is closed; then nothing new is taken, and what is in hand is
    /// finished, or handed back when the grace period is over.
    pub async fn run(&self, stop: CancellationToken) -> Result<(), PoolError> {
        if self.install(&stop).await.is_err() {
            return Ok(());
        }
        let mut subscriptions = Vec::with_capacity(self.queues.len());
        for queue in &self.queues {
            match self.subscribe(queue, &stop).await? {
                Some(subscription) => subscriptions.push(subscription),
                None => return Ok(()),
            }
        }
        let turns = Turns::new(subscriptions);
        let shared = Arc::clone(&self.shared);
        let consumed = consume(shared, turns, self.concurrency, self.grace, stop.clone());
        let sweeping = async {
            sweep(&self.shared, &stop).await;
            std::future::pending().await
        };
        tokio::select! {
            biased;
            () = Box::pin(consumed) => {}
            () = Box::pin(sweeping) => {}
        }
        Ok(())
    }

    /// Works on one message outside any queue: engines, writes and reports as ever; the caller does
    /// with the verdict what it likes.
    pub async fn run_once(&self, work: Work<'_>) -> Processed {
        let (shared, stop) = (&self.shared, CancellationToken::new());
        let mut hand = InHand::take(&shared.stats, work.queue);
        let processed = Box::pin(process(shared, work, &mut hand, &stop)).await;
        let of_message = processed.verdict.of_message(&processed.outcomes);
        hand.settle(of_message, processed.outcomes);
        processed
    }

    async fn install(&self, stop: &CancellationToken) -> Result<(), Enough> {
        let Ok(model) = intents_model() else {
            return Ok(());
        };
        let mut patience = Patience::endless();
        while let Err(error) = self.shared.reads.store.install(&model).await {
            self.shared.store_outage.began(&error);
            patience.pause(stop).await?;
        }
        self.shared.store_outage.over();
        Ok(())
    }

    async fn subscribe(
        &self,
        queue: &QueueName,
        stop: &CancellationToken,
    ) -> Result<Option<Box<dyn maas_model::message::Subscription>>, PoolError> {
        let mut patience = Patience::endless();
        loop {
            match self.shared.bus.subscribe(queue, self.prefetch).await {
                Ok(subscription) => {
                    self.shared.bus_outage.over();
                    return Ok(Some(subscription));
                }
                Err(error) if error.is_temporary() => {
                    self.shared.bus_outage.began(&error);
                    if patience.pause(stop).await.is_err() {
                        return Ok(None);
                    }
                }
                Err(source) => {
                    return Err(PoolError::Subscribe {
                        pool: self.shared.chains.pool.clone(),
                        queue: queue.clone(),
                        source,
                    });
                }
            }
        }
    }
}

#[cfg(test)]
impl PoolRunner {
    pub(crate) fn for_test(
        shared: Shared,
        queues: Vec<QueueName>,
        concurrency: usize,
        grace: Duration,
    ) -> Self {
        Self {
            shared: Arc::new(shared),
            queues,
            concurrency,
            prefetch: 8,
            grace,
        }
    }
}
