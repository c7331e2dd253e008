//! One seed, from its beginning to the verdict.

use std::sync::{Arc, OnceLock};

use maas_model::chance;
use maas_model::pipeline::Pipeline;
use maas_model::planted::{Bug, plant};

use crate::dice::Dice;
use crate::difference::differences;
use crate::drive::Drive;
use crate::fault::Faults;
use crate::source::{self, Item};
use crate::world::World;

/// What came of one seed.
#[derive(Debug)]
pub struct Outcome {
    /// The same for the same events.
    pub digest: u64,
    /// How many events there were.
    pub events: u64,
    /// What was not true; nothing when all is well.
    pub broken: Vec<String>,
    /// The events as text, when they were kept.
    pub lines: Vec<String>,
}

/// What is run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setting {
    /// What all chance follows from.
    pub seed: u64,
    /// What is wrong on purpose.
    pub bug: Option<Bug>,
    /// Keeps the events as text.
    pub trace: bool,
}

/// Runs one seed on this thread.
pub fn run(setting: Setting) -> anyhow::Result<Outcome> {
    let pipeline = pipeline()?;
    let mut dice = Dice::of(setting.seed);
    let items = source::items(&mut dice);
    let faults = Faults::of(&mut dice);
    let expected = {
        let items: Vec<Item> = items.iter().cloned().map(at_once).collect();
        let run = Run::new(one_by_one(&pipeline), Dice::of(1), Faults::default(), items);
        simulate(run, 1, false)?
    };
    if let Some(broken) = expected.state().oracle.broken.first() {
        anyhow::bail!("without faults: {broken}");
    }
    plant(setting.bug);
    let run = Run::new(pipeline, dice, faults, items);
    let world = simulate(run, setting.seed, setting.trace);
    plant(None);
    let world = world?;
    let mut state = world.state();
    let expected = expected.state();
    state.oracle.compare(&expected.oracle);
    let differences = differences(&expected, &state);
    let mut broken = std::mem::take(&mut state.oracle.broken);
    broken.extend(differences);
    Ok(Outcome {
        digest: state.trace.digest(),
        events: state.trace.events(),
        broken,
        lines: state.trace.take_lines(),
    })
}

/// The pipeline, read once.
fn pipeline() -> anyhow::Result<Pipeline> {
    static PIPELINE: OnceLock<Pipeline> = OnceLock::new();
    if let Some(pipeline) = PIPELINE.get() {
        return Ok(pipeline.clone());
    }
    let text = include_str!("pipeline.yaml");
    let (pipeline, _warnings) = Pipeline::from_text("simulation", text, &|_| None)?;
    Ok(PIPELINE.get_or_init(|| pipeline).clone())
}

fn at_once(item: Item) -> Item {
    Item { after: 0, ..item }
}

/// The same pipeline with one worker that does one message at a time.
fn one_by_one(pipeline: &Pipeline) -> Pipeline {
    let mut pipeline = pipeline.clone();
    for pool in &mut pipeline.pools {
        (pool.concurrency, pool.prefetch) = (1, 1);
    }
    pipeline
}

struct Run {
    pipeline: Arc<Pipeline>,
    dice: Dice,
    faults: Faults,
    items: Vec<Item>,
}

impl Run {
    fn new(pipeline: Pipeline, dice: Dice, faults: Faults, items: Vec<Item>) -> Self {
        Self {
            pipeline: Arc::new(pipeline),
            dice,
            faults,
            items,
        }
    }
}

/// A world at its end.
fn simulate(run: Run, seed: u64, trace: bool) -> anyhow::Result<Arc<World>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    chance::seed(Some(seed));
    source::put_files(&run.items);
    let world = runtime.block_on(async {
        let processes = if run.faults == Faults::default() {
            1
        } else {
            2
        };
        let world = World::new(run.dice, run.faults, run.items, trace);
        let mut drive = Drive::new(Arc::clone(&world), run.pipeline, processes);
        drive.until_the_end().await;
        world
    });
    drop(runtime);
    chance::seed(None);
    Ok(world)
}
