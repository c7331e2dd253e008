//! What is done with the messages of one queue, built once per pool.

use std::collections::HashMap;
use std::time::Duration;

use maas_model::document::IndexName;
use maas_model::message::{Binding, ExchangeName, QueueName};
use maas_model::model::Models;
use maas_model::pipeline::{EngineStep, MissingInput, Pool, Queue};

use super::work::Work;
use crate::engine::{BuildContext, BuildError, Engine, registry};

/// The queues of a pool with their engines.
pub(crate) struct Chains {
    pub(crate) pool: String,
    pub(crate) report_exchange: ExchangeName,
    pub(crate) max_tries: u32,
    pub(crate) engine_timeout: Duration,
    by_queue: HashMap<QueueName, Chain>,
}

/// The engines of one queue.
pub(crate) struct Chain {
    bindings: Vec<Binding>,
    pub(crate) steps: Vec<Step>,
}

/// One engine of a queue.
pub(crate) struct Step {
    pub(crate) id: String,
    /// Its crate, with the version where that is told.
    pub(crate) maker: String,
    pub(crate) engine: Box<dyn Engine>,
    pub(crate) send_reports: bool,
    pub(crate) chunk_size: usize,
    pub(crate) force: bool,
    pub(crate) missing: MissingInput,
}

impl Chains {
    /// The same engines for all queues.
    #[cfg(test)]
    pub(crate) fn for_test(
        max_tries: u32,
        queues: &[&QueueName],
        steps: fn() -> Vec<Step>,
    ) -> Self {
        let chain = |queue: &&QueueName| {
            let (bindings, steps) = (Vec::new(), steps());
            (QueueName::clone(queue), Chain { bindings, steps })
        };
        Self {
            pool: "pool".to_owned(),
            report_exchange: super::tests::exchange(),
            max_tries,
            engine_timeout: Duration::from_secs(30),
            by_queue: queues.iter().map(chain).collect(),
        }
    }

    pub(crate) fn build(pool: &Pool, models: &Models) -> Result<Self, BuildError> {
        let cx = BuildContext { models };
        let chain = |queue: &Queue| Ok((queue.name.clone(), Chain::build(queue, &cx)?));
        Ok(Self {
            pool: pool.name.clone(),
            report_exchange: pool.report_exchange.clone(),
            max_tries: pool.max_tries,
            engine_timeout: Duration::from_secs(pool.engine_timeout_seconds),
            by_queue: pool
                .queues
                .iter()
                .map(chain)
                .collect::<Result<_, BuildError>>()?,
        })
    }

    /// Who made an engine of this pool.
    pub(crate) fn maker(&self, engine: &str) -> String {
        let steps = self.by_queue.values().flat_map(|chain| &chain.steps);
        let made = steps
            .filter(|step| step.id == engine)
            .map(|step| &step.maker);
        made.last().cloned().unwrap_or_default()
    }

    /// The chain of a message; `None` when no binding of its queue has its key. A message that was put
    /// straight into the queue has the queue's name as key, and is welcome.
    pub(crate) fn of(&self, work: &Work<'_>) -> Option<&Chain> {
        let chain = self.by_queue.get(work.queue)?;
        let direct = work.routing_key.as_str() == work.queue.as_str();
        let bound = |binding: &Binding| binding.pattern.matches(work.routing_key);
        (direct || chain.bindings.iter().any(bound)).then_some(chain)
    }
}

impl Chain {
    fn build(queue: &Queue, cx: &BuildContext<'_>) -> Result<Self, BuildError> {
        let steps = queue.engines.iter().map(|step| Step::build(step, cx));
        Ok(Self {
            bindings: queue.bindings.clone(),
            steps: steps.collect::<Result<_, _>>()?,
        })
    }
}

impl Step {
    fn build(step: &EngineStep, cx: &BuildContext<'_>) -> Result<Self, BuildError> {
        Ok(Self {
            id: step.engine.name.clone(),
            maker: registry::maker(&step.engine.name),
            engine: registry::build(&step.engine, cx)?,
            send_reports: step.send_reports,
            chunk_size: step.chunk_size,
            force: step.force,
            missing: step.missing,
        })
    }
}

/// Whether documents of this index carry the time of their last write.
pub(crate) fn has_update_time(models: &Models, index: &IndexName) -> bool {
    let owner = models
        .values()
        .filter(|model| belongs(index.as_str(), model.alias.as_str()))
        .max_by_key(|model| model.alias.as_str().len());
    owner.is_some_and(|model| model.fields.contains_key(UPDATE_TIME))
}

/// The field that the pool sets at every write.
pub(crate) const UPDATE_TIME: &str = "updateTime";

fn belongs(index: &str, alias: &str) -> bool {
    let rest = index.strip_prefix(alias);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
