//! The parts of a pipeline that a run consists of: flows of interfaces, and pools.

use std::str::FromStr;
use std::sync::Arc;

use anyhow::Context;
use maas_collector::flow::{Flow, FlowContext, FlowMode, Force, Room};
use maas_engine::engine::Reads;
use maas_engine::pool::contain::{Isolation, Watch};
use maas_engine::pool::{PoolContext, PoolRunner};
use maas_model::message::{Binding, QueueName};
use maas_model::pipeline::Pipeline;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::GRACE;
use super::activity::{Activities, Activity};
use super::order::Order;
use super::start::Servers;

/// What `--only` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// All interfaces.
    Collectors,
    /// The pool of this name.
    Pool(String),
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "collectors" => Ok(Self::Collectors),
            Some(("pool", name)) if !name.is_empty() => Ok(Self::Pool(name.to_owned())),
            _ => Err("write `collectors` or `pool=NAME`".to_owned()),
        }
    }
}

/// What is wrong with the names in `--only`, if something is.
pub(crate) fn unknown(only: &[Part], pipeline: &Pipeline) -> Option<String> {
    let known = || pipeline.pools.iter().map(|pool| pool.name.as_str());
    only.iter().find_map(|part| match part {
        Part::Pool(name) if !known().any(|pool| pool == name) => {
            let known: Vec<&str> = known().collect();
            Some(format!(
                "the pipeline has no pool `{name}`; it has {}",
                known.join(", ")
            ))
        }
        _ => None,
    })
}

/// The part of the pipeline that `only` names.
pub(crate) fn chosen(only: &[Part], pipeline: &Pipeline) -> Pipeline {
    let mut chosen = pipeline.clone();
    if !only.is_empty() {
        chosen
            .pools
            .retain(|pool| only.contains(&Part::Pool(pool.name.clone())));
    }
    if !only.is_empty() && !only.contains(&Part::Collectors) {
        chosen.interfaces.clear();
    }
    chosen
}

/// What keeps the harm that a message does from the others.
#[derive(Clone)]
pub(crate) struct Containment {
    pub(crate) isolation: Arc<dyn Isolation>,
    pub(crate) watch: Arc<Watch>,
}

/// Built and not yet running.
pub(crate) struct Parts {
    flows: Vec<FlowPart>,
    pools: Vec<(String, PoolRunner)>,
    queues: Vec<QueueName>,
    mode: FlowMode,
}

/// An interface, and those that it starts after.
struct FlowPart {
    name: String,
    after: Vec<String>,
    flow: Flow,
}

impl Parts {
    /// Builds what `only` names (nothing named means all) and this program has the plugins for.
    pub(crate) fn build(
        pipeline: &Pipeline,
        servers: &Servers,
        containment: &Containment,
        only: &[Part],
        until_idle: bool,
    ) -> anyhow::Result<Self> {
        let wanted = |part: Part| only.is_empty() || only.contains(&part);
        let mode = if until_idle {
            FlowMode::Once
        } else {
            FlowMode::Forever
        };
        let mut parts = Self {
            flows: Vec::new(),
            pools: Vec::new(),
            queues: Vec::new(),
            mode,
        };
        let here = pipeline.without_missing();
        if wanted(Part::Collectors) {
            let room = Room::default();
            for interface in &here.interfaces {
                let cx = FlowContext {
                    store: servers.store.clone(),
                    bus: servers.bus.clone(),
                    clock: servers.clock.clone(),
                    force: Force::default(),
                    bindings: bindings(pipeline),
                    room: room.clone(),
                };
                let flow = Flow::build(interface, cx)
                    .with_context(|| format!("interface `{}`", interface.name))?;
                parts.flows.push(FlowPart {
                    name: interface.name.clone(),
                    after: interface.after.clone(),
                    flow,
                });
            }
        }
        let cx = pool_context(pipeline, servers);
        for pool in &here.pools {
            if wanted(Part::Pool(pool.name.clone())) {
                let runner = PoolRunner::build(pool, cx.clone())
                    .with_context(|| format!("pool `{}`", pool.name))?
                    .isolated(Arc::clone(&containment.isolation))
                    .watched(Arc::clone(&containment.watch));
                parts
                    .queues
                    .extend(pool.queues.iter().map(|queue| queue.name.clone()));
                parts.pools.push((pool.name.clone(), runner));
            }
        }
        Ok(parts)
    }

    /// The queues that the pools take from.
    pub(crate) fn queues(&self) -> Vec<QueueName> {
        self.queues.clone()
    }

    pub(crate) fn activities(&self) -> Activities {
        Activities {
            flows: self
                .flows
                .iter()
                .map(|part| Activity::new(&part.name, part.flow.stats()))
                .collect(),
            pools: self
                .pools
                .iter()
                .map(|(name, pool)| Activity::new(name, pool.stats()))
                .collect(),
        }
    }

    /// Starts everything.
    pub(crate) fn spawn(
        self,
        flows: &mut JoinSet<anyhow::Result<()>>,
        pools: &mut JoinSet<anyhow::Result<()>>,
        stop_flows: &CancellationToken,
        stop_pools: &CancellationToken,
    ) {
        for (name, pool) in self.pools {
            let stop = stop_pools.clone();
            pools.spawn(async move {
                pool.run(stop)
                    .await
                    .with_context(|| format!("pool `{name}`"))
            });
        }
        let mut order = Order::of(self.flows.iter().map(|part| part.name.as_str()));
        for FlowPart { name, after, flow } in self.flows {
            let (stop, mode) = (stop_flows.clone(), self.mode);
            let mut turn = order.turn(&name, &after);
            flows.spawn(async move {
                let ran = async {
                    if turn.come(&stop).await? {
                        turn.take(&flow.stats(), flow.run(stop, mode)).await?;
                    }
                    anyhow::Ok(())
                };
                ran.await.with_context(|| format!("interface `{name}`"))
            });
        }
    }
}

/// What all pools of a process share.
pub(crate) fn pool_context(pipeline: &Pipeline, servers: &Servers) -> PoolContext {
    PoolContext {
        reads: Reads::new(
            servers.store.clone(),
            Arc::new(pipeline.models.clone()),
            servers.clock.clone(),
        ),
        bus: servers.bus.clone(),
        bindings: bindings(pipeline),
        grace: GRACE,
    }
}

/// What the queues of all pools take.
pub(crate) fn bindings(pipeline: &Pipeline) -> Vec<Binding> {
    let queues = pipeline.pools.iter().flat_map(|pool| &pool.queues);
    queues.flat_map(|queue| queue.bindings.clone()).collect()
}
