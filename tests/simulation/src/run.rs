//! One seed, from its beginning to the verdict.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use maas_model::chance;
use maas_model::message::{ExchangeName, Message, MessageBus, Outgoing, RoutingKey};
use maas_model::pipeline::Pipeline;
use maas_model::planted::{Bug, plant};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::bus::SimulatedBus;
use crate::dice::Dice;
use crate::fault::Faults;
use crate::process::{GRACE, Process};
use crate::source::{self, Item};
use crate::world::{State, Who, World};

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

/// Faults come until then.
const CALM: u64 = 120_000;
/// After the faults everything must be done by then.
const LATEST: u64 = 4 * 3_600_000;
/// How often the store refreshes by itself.
const REFRESH_SECONDS: u64 = 30;
/// How long nothing may happen at rest.
const IDLE: u64 = 120_000;

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

/// Starts and ends processes, and lets things happen.
struct Drive {
    world: Arc<World>,
    pipeline: Arc<Pipeline>,
    slots: Vec<Slot>,
    /// When the store will crash, in this second.
    store_crash: Option<u64>,
}

/// The place of one process.
struct Slot {
    starts: u64,
    running: Option<Process>,
    /// When it is started again.
    back: u64,
}

impl Drive {
    fn new(world: Arc<World>, pipeline: Arc<Pipeline>, processes: usize) -> Self {
        world.state().alive = vec![None; processes];
        let slots = (0..processes).map(|_| Slot {
            starts: 0,
            running: None,
            back: 0,
        });
        Self {
            slots: slots.collect(),
            store_crash: None,
            world,
            pipeline,
        }
    }

    async fn until_the_end(&mut self) {
        let calm = self.world.state().faults == Faults::default();
        if !calm {
            while self.world.millis() < CALM {
                self.happen();
                self.second().await;
            }
            self.calm_down();
        }
        if !self.rest(LATEST).await {
            return;
        }
        self.world.state().oracle.finish();
        if !calm {
            self.nothing_happens().await;
        }
        self.stop_all().await;
    }

    /// One second, in which processes may die, end, and come back.
    async fn second(&mut self) {
        let until = Instant::now() + Duration::from_secs(1);
        self.start();
        if (self.world.millis() / 1_000).is_multiple_of(REFRESH_SECONDS) {
            self.world.state().documents.refresh_all();
        }
        let world = Arc::clone(&self.world);
        loop {
            let died = world.died.notified();
            self.bury();
            let crash = match self.store_crash {
                Some(millis) => world.at(millis).min(until),
                None => until,
            };
            tokio::select! {
                biased;
                () = died => continue,
                () = sleep_until(crash) => {}
            }
            if self.store_crash.take().is_some() {
                crash_store(&mut world.state());
            } else {
                break;
            }
        }
        self.ended();
    }

    fn start(&mut self) {
        let now = self.world.millis();
        for (place, slot) in self.slots.iter_mut().enumerate() {
            if slot.running.is_none() && slot.back <= now {
                let who = Who {
                    slot: place,
                    start: slot.starts,
                };
                slot.starts += 1;
                slot.running = Some(Process::start(&self.world, &self.pipeline, who));
            }
        }
    }

    /// Takes away those that died at a call.
    fn bury(&mut self) {
        for slot in &mut self.slots {
            let is_dead = |process: &mut Process| !self.world.state().is_alive(process.who);
            if let Some(process) = slot.running.take_if(is_dead) {
                process.kill(&self.world);
                slot.back = back(&mut self.world.state());
            }
        }
    }

    /// Takes away those that came to an end, which is only theirs when they were asked to.
    fn ended(&mut self) {
        for slot in &mut self.slots {
            let Some(process) = &mut slot.running else {
                continue;
            };
            let overdue = |since: Instant| since.elapsed() > GRACE + Duration::from_secs(6);
            let (ended, asked) = (process.ended(), process.stopping);
            let mut state = self.world.state();
            let what = match (ended, asked) {
                // The program ends itself then, though a slow store still owes an answer.
                (None, Some(since)) if overdue(since) => {
                    state.say(format_args!("{} ends without its answers", process.who));
                    None
                }
                (None, _) => continue,
                (Some(Ok(())), Some(_)) => None,
                (Some(Ok(())), None) => Some("it ended by itself".to_owned()),
                (Some(Err(error)), _) => Some(error),
            };
            if let Some(what) = what {
                state.oracle.broken.push(format!("{}: {what}", process.who));
            }
            slot.back = back(&mut state);
            drop(state);
            if let Some(process) = slot.running.take() {
                process.kill(&self.world);
            }
        }
    }

    /// What may happen in a second.
    fn happen(&mut self) {
        let now = self.world.millis();
        let faults = self.world.state().faults;
        for slot in &mut self.slots {
            let mut state = self.world.state();
            if state.dice.hits(faults.kill) {
                slot.back = back(&mut state);
                drop(state);
                if let Some(process) = slot.running.take() {
                    process.kill(&self.world);
                }
            } else if state.dice.hits(faults.stop) {
                state.say(format_args!("a process is asked to end"));
                drop(state);
                if let Some(process) = slot.running.as_mut().filter(|p| p.stopping.is_none()) {
                    process.stop();
                }
            } else if state.dice.hits(faults.connection_cut)
                && let Some(process) = &slot.running
            {
                let who = process.who;
                state.say(format_args!("{who}: connection cut"));
                state.broker.let_go(who.holder());
                drop(state);
                self.world.bus_changed.notify_waiters();
            }
        }
        let mut state = self.world.state();
        if state.dice.hits(faults.store_crash) {
            self.store_crash = Some(now + state.dice.below(1_000));
        }
        if state.dice.hits(faults.store_outage) {
            state.store_away_until = now + state.dice.below(130_000);
            let until = state.store_away_until;
            state.say(format_args!("the store is away until {until}"));
        }
        if state.dice.hits(faults.binding_gone) {
            let keys = ["new.readings", "new.copy", "update.", "new.station"];
            let key = keys[state.dice.below(keys.len() as u64) as usize].to_owned();
            state.say(format_args!("no queue takes `{key}`"));
            let until = now + state.dice.below(30_000);
            state.key_gone = Some((key, until));
        }
    }

    /// No more faults; all processes start anew, so that what they missed comes again.
    fn calm_down(&mut self) {
        let mut state = self.world.state();
        state.say(format_args!("no more faults"));
        state.faults = Faults::default();
        state.store_away_until = 0;
        state.key_gone = None;
        drop(state);
        for slot in &mut self.slots {
            if let Some(process) = slot.running.take() {
                process.kill(&self.world);
            }
            slot.back = 0;
        }
    }

    /// Until everything is done, and for some seconds longer.
    async fn rest(&mut self, longest: u64) -> bool {
        let until = self.world.millis() + longest;
        let mut quiet = 0;
        while quiet < 5 {
            self.second().await;
            self.world.bus_changed.notify_waiters();
            let mut state = self.world.state();
            quiet = if state.is_at_rest() { quiet + 1 } else { 0 };
            if state.millis() > until {
                let left = state.broker.queues("q-*");
                let source: Vec<&String> = state.source.iter().map(|item| &item.name).collect();
                let what = format!("it never comes to rest: {source:?} {left:?}");
                state.oracle.broken.push(what);
                return false;
            }
        }
        true
    }

    /// At rest nothing is written, also when messages come twice.
    async fn nothing_happens(&mut self) {
        let (writes, messages) = self.effects();
        let until = self.world.millis() + IDLE;
        while self.world.millis() < until {
            self.second().await;
        }
        if self.effects() != (writes, messages) {
            let broken = "at rest something is written or published".to_owned();
            self.world.state().oracle.broken.push(broken);
        }
        self.announce_again().await;
        self.rest(LATEST).await;
        if self.effects().0 != writes {
            let broken = "a message that comes twice writes something".to_owned();
            self.world.state().oracle.broken.push(broken);
        }
    }

    fn effects(&self) -> (u64, u64) {
        let state = self.world.state();
        (state.oracle.writes, state.oracle.messages)
    }

    /// All readings, one message each; the dead ones are left out.
    async fn announce_again(&self) {
        let messages: Vec<Outgoing> = {
            let state = self.world.state();
            let readings = state.documents.all();
            let readings = readings.filter(|(index, id, source)| {
                let station = source.get("station").and_then(Value::as_str);
                index.as_str().starts_with("reading")
                    && station != Some(crate::engine::BAD_STATION)
                    && !id.as_str().starts_with(source::NO_COPY)
            });
            readings
                .filter_map(|(_, id, _)| {
                    let message = Message {
                        message_id: chance::uuid().to_string(),
                        document_ids: vec![id.clone()],
                        document_class: "Reading".to_owned(),
                        ..Message::default()
                    };
                    Some(Outgoing {
                        exchange: ExchangeName::collect(),
                        routing_key: RoutingKey::new("new.readings").ok()?,
                        body: message.to_body(),
                        message_id: message.message_id,
                        priority: 0,
                        headers: BTreeMap::new(),
                    })
                })
                .collect()
        };
        let Some(who) = self
            .slots
            .first()
            .and_then(|slot| Some(slot.running.as_ref()?.who))
        else {
            return;
        };
        // Nothing fails any more.
        let _ = SimulatedBus::new(Arc::clone(&self.world), who)
            .publish(messages)
            .await;
    }

    /// All end when they are asked to.
    async fn stop_all(&mut self) {
        for slot in &mut self.slots {
            slot.back = u64::MAX;
            if let Some(process) = &mut slot.running {
                process.stop();
            }
        }
        for _ in 0..30 {
            if self.slots.iter().all(|slot| slot.running.is_none()) {
                break;
            }
            self.second().await;
            for slot in &mut self.slots {
                slot.back = u64::MAX;
            }
        }
    }
}

/// When a process that is gone comes back.
fn back(state: &mut State) -> u64 {
    let now = state.millis();
    now + state.dice.below(8_000)
}

fn crash_store(state: &mut State) {
    state.sync_what_is_due();
    state.store_crashes += 1;
    let mut dice = state.dice.clone();
    let lost = state
        .documents
        .crash(|unsynced| dice.below(unsynced as u64 + 1) as usize);
    state.dice = dice;
    let count = lost.len();
    state.say(format_args!("the store crashes and loses {count} writes"));
    for (index, id) in lost {
        let now = state.documents.get_many(&index, std::slice::from_ref(&id));
        state
            .oracle
            .lost(&index, &id, now.first().and_then(Option::as_ref));
    }
}

/// Documents that are not as without faults. When something was written is not compared, nor what the product
/// keeps for itself.
fn differences(expected: &State, found: &State) -> Vec<String> {
    let (expected, found) = (contents(expected), contents(found));
    let mut differences = Vec::new();
    for (key, source) in &expected {
        match found.get(key) {
            None => differences.push(format!("{key} is missing")),
            Some(found) if found != source => {
                differences.push(format!("{key} is {found}, not {source}"));
            }
            Some(_) => {}
        }
    }
    let more = found.keys().filter(|key| !expected.contains_key(*key));
    differences.extend(more.map(|key| format!("{key} should not be")));
    differences
}

fn contents(state: &State) -> BTreeMap<String, Value> {
    let documents = state.documents.all();
    let ours = documents.filter(|(index, ..)| !index.as_str().starts_with("maas-"));
    ours.map(|(index, id, source)| {
        let mut source = source.clone();
        for own in ["ingestionTime", "updateTime", "reportName"] {
            source.shift_remove(own);
        }
        (format!("{index}/{id}"), Value::Object(source))
    })
    .collect()
}
