//! What all workers of a pool share.

use std::sync::Arc;

use maas_model::message::{Binding, MessageBus};
use tokio::time::Instant;

use super::chain::{Chains, Step};
use super::contain::{Counted, Happening, Lanes, Watch};
use super::context::Reads;
use super::intent::Intents;
use super::stats::PoolStats;
use super::wait::Outage;

/// Built once per pool.
pub(crate) struct Shared {
    pub(crate) chains: Chains,
    pub(crate) reads: Reads,
    pub(crate) bus: Arc<dyn MessageBus>,
    /// All bindings of the pipeline: a key that one of them takes must find its queue.
    pub(crate) bindings: Vec<Binding>,
    pub(crate) intents: Intents,
    pub(crate) stats: Arc<PoolStats>,
    pub(crate) store_outage: Outage,
    pub(crate) bus_outage: Outage,
    pub(crate) watch: Arc<Watch>,
    /// Where suspects are worked on; without any they are worked on like all others.
    pub(crate) lanes: Option<Lanes>,
}

impl Shared {
    /// Notes that an engine ran.
    pub(crate) fn ran(&self, step: &Step, started: Instant) {
        self.store_outage.over();
        let (pool, engine) = (self.chains.pool.clone(), step.id.clone());
        metrics::histogram!("maas_engine_run_seconds", "pool" => pool, "engine" => engine)
            .record(started.elapsed().as_secs_f64());
    }

    /// Counts documents by what came of them.
    pub(crate) fn count(&self, step: &Step, outcome: &'static str, documents: usize) {
        if documents > 0 {
            let (pool, engine) = (self.chains.pool.clone(), step.id.clone());
            metrics::counter!("maas_engine_documents_total",
                "pool" => pool, "engine" => engine, "outcome" => outcome)
            .increment(documents as u64);
            self.watch.tell(Happening::Counted {
                engine: &step.id,
                outcome,
                documents,
            });
        }
    }

    /// Counts documents that were worked on in another process.
    pub(crate) fn count_elsewhere(&self, counted: &Counted) {
        for (engine, outcomes) in counted {
            for (outcome, &documents) in outcomes {
                let pool = self.chains.pool.clone();
                metrics::counter!("maas_engine_documents_total",
                    "pool" => pool, "engine" => engine.clone(), "outcome" => outcome.clone())
                .increment(documents);
            }
        }
    }
}
