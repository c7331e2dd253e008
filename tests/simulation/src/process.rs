//! One process of the product: its flow and its pools, as `maas run` starts them.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use maas_collector::flow::{Flow, FlowContext, FlowMode, Force, Room};
use maas_engine::engine::Reads;
use maas_engine::pool::{PoolContext, PoolRunner};
use maas_model::clock::Clock;
use maas_model::layer::MeteredStore;
use maas_model::message::{Binding, MessageBus};
use maas_model::pipeline::Pipeline;
use maas_model::store::DocumentStore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::alone::Children;
use crate::bus::SimulatedBus;
use crate::fuse::Fuse;
use crate::source::SimulatedCollector;
use crate::store::SimulatedStore;
use crate::world::{Who, World};

/// How long what is in hand may take after a stop.
pub(crate) const GRACE: Duration = Duration::from_secs(20);

/// A process that runs.
pub(crate) struct Process {
    /// Which one, and which of its starts.
    pub(crate) who: Who,
    tasks: JoinSet<anyhow::Result<()>>,
    stop: CancellationToken,
    /// When it was asked to end.
    pub(crate) stopping: Option<Instant>,
}

impl Process {
    /// Starts it; the first one also collects.
    pub(crate) fn start(world: &Arc<World>, pipeline: &Arc<Pipeline>, who: Who) -> Self {
        {
            let mut state = world.state();
            state.alive[who.slot] = Some(who);
            state.say(format_args!("{who} starts"));
        }
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(run(
            Arc::clone(world),
            Arc::clone(pipeline),
            who,
            stop.clone(),
        ));
        Self {
            who,
            tasks,
            stop,
            stopping: None,
        }
    }

    /// Asks it to end.
    pub(crate) fn stop(&mut self) {
        self.stop.cancel();
        self.stopping = Some(Instant::now());
    }

    /// Ends it at once, wherever it is.
    pub(crate) fn kill(mut self, world: &World) {
        self.tasks.abort_all();
        let mut state = world.state();
        state.alive[self.who.slot] = None;
        let who = self.who;
        state.say(format_args!("{who} is gone"));
        state.broker.let_go(who.holder());
        drop(state);
        world.bus_changed.notify_waiters();
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<Result<(), String>> {
        let ended = self.tasks.try_join_next()?;
        Some(match ended {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(format!("{error:#}")),
            Err(error) => Err(error.to_string()),
        })
    }
}

async fn run(
    world: Arc<World>,
    pipeline: Arc<Pipeline>,
    who: Who,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let store = SimulatedStore::new(Arc::clone(&world), who);
    let store: Arc<dyn DocumentStore> = Arc::new(MeteredStore::new(Arc::new(store)));
    let bus: Arc<dyn MessageBus> = Arc::new(SimulatedBus::new(Arc::clone(&world), who));
    let prepared = stop.run_until_cancelled(prepare(&pipeline, &*store, &*bus));
    let Some(()) = prepared.await.transpose()? else {
        return Ok(());
    };
    let clock = clock(&world);
    let bindings = bindings(&pipeline);
    let mut tasks = JoinSet::new();
    if who.slot == 0 {
        for interface in &pipeline.interfaces {
            let context = FlowContext {
                store: Arc::clone(&store),
                bus: Arc::clone(&bus),
                clock: clock.clone(),
                force: Force::default(),
                bindings: bindings.clone(),
                room: Room::default(),
            };
            let collector = SimulatedCollector::new(Arc::clone(&world), who);
            let flow = Flow::with_collector(interface, Box::new(collector), context)?;
            let stop = stop.clone();
            tasks.spawn(async move {
                Box::pin(flow.run(stop, FlowMode::Forever)).await?;
                anyhow::Ok(())
            });
        }
    }
    let models = Arc::new(pipeline.models.clone());
    let context = PoolContext {
        reads: Reads::new(Arc::clone(&store), models, clock),
        bus: Arc::clone(&bus),
        bindings,
        grace: GRACE,
    };
    let children = Arc::new(Children {
        world: Arc::clone(&world),
        who,
        pipeline: Arc::clone(&pipeline),
        context: context.clone(),
    });
    for pool in &pipeline.pools {
        let fuse = Fuse::Process(Arc::clone(&world), who);
        let pool = fuse.under(|| PoolRunner::build(pool, context.clone()))?;
        let pool = pool.isolated(children.clone());
        let stop = stop.clone();
        tasks.spawn(async move { Ok(pool.run(stop).await?) });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    bus.close().await?;
    Ok(())
}

/// As `maas run` before its parts start.
async fn prepare(
    pipeline: &Pipeline,
    store: &dyn DocumentStore,
    bus: &dyn MessageBus,
) -> anyhow::Result<()> {
    const PAUSE: Duration = Duration::from_secs(2);
    bus.declare(&pipeline.topology()).await?;
    for model in pipeline.models.values() {
        while let Err(error) = store.install(model).await {
            anyhow::ensure!(error.is_temporary(), error);
            sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// Shows simulated time.
fn clock(world: &Arc<World>) -> Clock {
    const BEGINNING: i64 = 1_795_000_000_000;
    let world = Arc::clone(world);
    Clock::showing(move || {
        let millis = i64::try_from(world.millis()).unwrap_or(i64::MAX);
        DateTime::<Utc>::from_timestamp_millis(BEGINNING + millis).unwrap_or_default()
    })
}

fn bindings(pipeline: &Pipeline) -> Vec<Binding> {
    let queues = pipeline.pools.iter().flat_map(|pool| &pool.queues);
    queues.flat_map(|queue| queue.bindings.clone()).collect()
}
