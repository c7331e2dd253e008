//! What all simulated processes share: time, chance, the store, the bus, the source, and what happened.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use maas_model::message::memory::Broker;
use maas_model::store::memory::Documents;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::dice::Dice;
use crate::fault::Faults;
use crate::oracle::Oracle;
use crate::source::Item;
use crate::trace::Trace;

/// One start of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Who {
    /// Its place among the processes.
    pub slot: usize,
    /// How many times it was started before.
    pub start: u64,
}

impl Who {
    /// Whose messages come back when it dies.
    pub fn holder(self) -> u64 {
        self.slot as u64 * 1_000_000 + self.start
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}.{}", self.slot, self.start)
    }
}

/// The world of one seed.
#[derive(Debug)]
pub struct World {
    state: Mutex<State>,
    /// Something may be ready in a queue.
    pub bus_changed: Notify,
    /// A process died at one of its calls.
    pub died: Notify,
}

/// All that changes.
#[derive(Debug)]
pub struct State {
    began: Instant,
    /// What decides about faults.
    pub dice: Dice,
    /// How often what goes wrong.
    pub faults: Faults,
    /// What happened.
    pub trace: Trace,
    /// The store.
    pub documents: Documents,
    /// Calls under way when it grows get no answer.
    pub store_crashes: u64,
    /// The store does not answer before.
    pub store_away_until: u64,
    /// The bus.
    pub broker: Broker,
    /// No queue takes this key before.
    pub key_gone: Option<(String, u64)>,
    /// Items that are not settled.
    pub source: Vec<Item>,
    /// What must be true.
    pub oracle: Oracle,
    /// The present start of each process; `None` while it is down.
    pub alive: Vec<Option<Who>>,
    /// How many may still die at a call.
    pub crashes_left: u64,
    /// Numbers the calls to the store.
    pub calls: u64,
    /// Calls that the store executed and has not synced, with the time at which it will have.
    pub syncing: VecDeque<(u64, u64)>,
}

/// How long the store takes to sync what it executed, whether or not anybody still waits for it.
const SYNC_MILLIS: u64 = 4;

impl World {
    /// A world at its beginning.
    pub fn new(dice: Dice, faults: Faults, source: Vec<Item>, kept: bool) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                began: Instant::now(),
                dice,
                faults,
                trace: Trace::new(kept),
                documents: Documents::default(),
                store_crashes: 0,
                store_away_until: 0,
                broker: Broker::default(),
                key_gone: None,
                oracle: Oracle::new(&source),
                source,
                alive: Vec::new(),
                crashes_left: 8,
                calls: 0,
                syncing: VecDeque::new(),
            }),
            bus_changed: Notify::new(),
            died: Notify::new(),
        })
    }

    /// Everything that changes. Never held over an await.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the beginning.
    pub fn millis(&self) -> u64 {
        self.state().millis()
    }

    /// The instant so many milliseconds after the beginning.
    pub fn at(&self, millis: u64) -> Instant {
        self.state().began + Duration::from_millis(millis)
    }

    /// A place at which a process may die: then this never returns.
    pub async fn point(&self, who: Who) {
        if !self.state().survives(who) {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }

    /// The time that a call takes.
    pub async fn latency(&self, slow: u64) {
        let millis = {
            let mut state = self.state();
            match state.dice.hits(slow) {
                true => state.dice.below(15_000),
                false => state.dice.below(5),
            }
        };
        if millis > 0 {
            sleep(Duration::from_millis(millis)).await;
        }
    }
}

impl State {
    /// Milliseconds since the beginning.
    pub fn millis(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The number of a call that the store begins to execute now.
    pub fn begin_call(&mut self) -> u64 {
        self.sync_what_is_due();
        self.calls += 1;
        let due = self.millis() + SYNC_MILLIS;
        self.syncing.push_back((due, self.calls));
        self.calls
    }

    /// The store syncs in the background.
    pub fn sync_what_is_due(&mut self) {
        let now = self.millis();
        while let Some((_, call)) = self.syncing.pop_front_if(|(due, _)| *due <= now) {
            self.documents.sync(call);
        }
    }

    /// Adds to the trace.
    pub fn say(&mut self, what: fmt::Arguments<'_>) {
        let now = self.millis();
        self.trace.event(now, what);
    }

    /// Whether this start of a process is the present one.
    pub fn is_alive(&self, who: Who) -> bool {
        self.alive.get(who.slot).copied().flatten() == Some(who)
    }

    fn survives(&mut self, who: Who) -> bool {
        if self.alive.get(who.slot).is_none() {
            // A store or bus without processes, as in the contract suites.
            return true;
        }
        if !self.is_alive(who) {
            return false;
        }
        let rate = self.faults.crash;
        if self.crashes_left == 0 || !self.dice.hits(rate) {
            return true;
        }
        self.crashes_left -= 1;
        self.say(format_args!("{who} dies at a call"));
        self.alive[who.slot] = None;
        false
    }

    /// Whether nothing waits and nobody works.
    pub fn is_at_rest(&self) -> bool {
        let queues = self.broker.queues("q-*");
        let empty = |queue: &maas_model::message::QueueInfo| {
            queue.ready == 0 && queue.delayed == 0 && queue.unsettled == Some(0)
        };
        let documents = self.documents.all();
        let mut intents = documents.filter(|(index, ..)| index.as_str() == "maas-intents");
        self.source.is_empty() && queues.iter().all(empty) && intents.next().is_none()
    }

    /// The collector was told that an item is done.
    pub fn settled(&mut self, name: &str) {
        self.oracle.item_settled(name);
    }
}
