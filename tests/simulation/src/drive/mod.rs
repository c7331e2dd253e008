//! Drives the world of one seed: starts and ends processes, and lets things happen until all is done.

mod happen;
mod idle;

use std::sync::Arc;
use std::time::Duration;

use maas_model::pipeline::Pipeline;
use tokio::time::{Instant, sleep_until};

use self::happen::crash_store;
use crate::fault::Faults;
use crate::process::{GRACE, Process};
use crate::world::{State, Who, World};

/// Faults come until then.
const CALM: u64 = 120_000;
/// After the faults everything must be done by then.
const LATEST: u64 = 4 * 3_600_000;
/// How often the store refreshes by itself.
const REFRESH_SECONDS: u64 = 30;

/// See the module.
pub(crate) struct Drive {
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
    /// With so many processes.
    pub(crate) fn new(world: Arc<World>, pipeline: Arc<Pipeline>, processes: usize) -> Self {
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

    /// Faults, calm, rest, and the end of all processes.
    pub(crate) async fn until_the_end(&mut self) {
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
