//! Which engines are running now, and since when: so that one that never yields can be named by somebody
//! who does not wait for it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The engines that run in this process. One for all pools.
#[derive(Default)]
pub struct Watch {
    table: Mutex<Table>,
    hear: Option<Hear>,
}

type Hear = Box<dyn Fn(Happening<'_>) + Send + Sync>;

#[derive(Default)]
struct Table {
    next: u64,
    running: BTreeMap<u64, (Running, Instant)>,
}

/// One engine at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its pool.
    pub pool: String,
    /// The engine.
    pub engine: String,
    /// The id of the message.
    pub message: String,
    /// How many documents it works on.
    pub documents: usize,
    /// How long it may.
    pub limit: Duration,
}

/// One engine that works longer than it may and cannot be stopped, as it never waits for anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// Names this run of the engine.
    pub ticket: u64,
    /// The engine.
    pub running: Running,
    /// How long it works already.
    pub since: Duration,
}

/// What is told to a listener, as it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening<'a> {
    /// An engine begins.
    Begins(&'a Running),
    /// It ended.
    Ends,
    /// Documents by what came of them.
    Counted {
        /// The engine.
        engine: &'a str,
        /// The label of the metric.
        outcome: &'a str,
        /// How many.
        documents: usize,
    },
}

/// Between the end of the time limit, which an engine that waits for something keeps, and the conclusion
/// that it does not.
const BENEFIT_OF_DOUBT: Duration = Duration::from_millis(500);

impl Watch {
    /// One that also tells everything to `hear`, on the thread on which it happens.
    pub fn heard(hear: impl Fn(Happening<'_>) + Send + Sync + 'static) -> Self {
        Self {
            table: Mutex::default(),
            hear: Some(Box::new(hear)),
        }
    }

    /// The engines that should have ended.
    pub fn stuck(&self) -> Vec<Stuck> {
        let table = self.table();
        let all = table
            .running
            .iter()
            .map(|(&ticket, (running, began))| Stuck {
                ticket,
                running: running.clone(),
                since: began.elapsed(),
            });
        all.filter(|stuck| stuck.since > stuck.running.limit + BENEFIT_OF_DOUBT)
            .collect()
    }

    /// Notes that an engine runs until the answer is dropped.
    pub(crate) fn begin(&self, running: Running) -> Shift<'_> {
        self.tell(Happening::Begins(&running));
        let mut table = self.table();
        table.next += 1;
        let ticket = table.next;
        table.running.insert(ticket, (running, Instant::now()));
        Shift {
            watch: self,
            ticket,
        }
    }

    pub(crate) fn tell(&self, happening: Happening<'_>) {
        if let Some(hear) = &self.hear {
            hear(happening);
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One run of an engine.
pub(crate) struct Shift<'a> {
    watch: &'a Watch,
    ticket: u64,
}

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        self.watch.table().running.remove(&self.ticket);
        self.watch.tell(Happening::Ends);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("running", &self.table().running.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(limit: Duration) -> Running {
        Running {
            pool: "p".to_owned(),
            engine: "E".to_owned(),
            message: "m".to_owned(),
            documents: 1,
            limit,
        }
    }

    #[test]
    fn only_what_is_over_its_limit_and_has_not_ended_is_stuck() {
        let watch = Watch::default();
        let _slow = watch.begin(running(Duration::ZERO));
        let _fast = watch.begin(running(Duration::from_secs(3_600)));
        drop(watch.begin(running(Duration::ZERO)));
        std::thread::sleep(BENEFIT_OF_DOUBT + Duration::from_millis(50));
        let stuck = watch.stuck();
        assert_eq!(stuck.len(), 1);
        assert_eq!(stuck[0].running, running(Duration::ZERO));
    }
}
