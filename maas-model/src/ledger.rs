//! Where every unit of work is, from the moment it is taken until it is known what came of it.
//!
//! A unit is moved, never counted twice: `received = written + unchanged + filtered + dead_lettered + returned +
//! in_flight`, to the unit, whenever the book is read. The metrics are set from one reading of the book, when they
//! are asked for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{counter, gauge};
use serde::{Deserialize, Serialize};

/// What came of a unit. Of two things that came of it, the later one in this list is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Nothing was made of it.
    Filtered,
    /// What was made of it was stored like that already.
    Unchanged,
    /// Something was written because of it.
    Written,
    /// It is in a dead letter.
    DeadLettered,
    /// It was handed back unfinished, and comes again: then it is received once more.
    Returned,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Filtered,
        Self::Unchanged,
        Self::Written,
        Self::DeadLettered,
        Self::Returned,
    ];

    /// The label of the metric.
    pub fn name(self) -> &'static str {
        match self {
            Self::Filtered => "filtered",
            Self::Unchanged => "unchanged",
            Self::Written => "written",
            Self::DeadLettered => "dead_lettered",
            Self::Returned => "returned",
        }
    }
}

/// Numbers of units by what came of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes([u64; Outcome::ALL.len()]);

impl Outcomes {
    /// So many that all ended alike.
    pub fn all(outcome: Outcome, units: u64) -> Self {
        let mut outcomes = Self::default();
        outcomes.add(outcome, units);
        outcomes
    }

    /// So many more.
    pub fn add(&mut self, outcome: Outcome, units: u64) {
        self.0[outcome as usize] += units;
    }

    /// How many ended so.
    pub fn get(&self, outcome: Outcome) -> u64 {
        self.0[outcome as usize]
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// What a ledger says at one instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Book {
    /// Units ever taken.
    pub received: u64,
    /// Those of which it is known what came of them.
    pub settled: Outcomes,
    /// Those taken and not settled.
    pub in_flight: u64,
}

/// Counts the units of one pool or interface. One short lock for each batch of them.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Book>);

/// The names of a ledger's metrics.
#[derive(Debug, Clone, Copy)]
pub struct MetricNames {
    /// The counter of what was received.
    pub received: &'static str,
    /// The counter of what was settled, by `outcome`.
    pub settled: &'static str,
    /// The gauge of what is in flight.
    pub in_flight: &'static str,
    /// The label that names the pool or interface.
    pub owner: &'static str,
}

impl Ledger {
    /// Takes so many units in hand.
    pub fn take(self: &Arc<Self>, units: u64) -> Taken {
        let mut taken = Taken {
            ledger: Arc::clone(self),
            left: 0,
        };
        taken.more(units);
        taken
    }

    /// What it says now.
    pub fn book(&self) -> Book {
        *self.lock()
    }

    /// Sets the metrics to one reading of the book. Nobody else may set them, and two calls must not meet.
    pub fn publish(&self, names: MetricNames, owner: &str) {
        let book = self.book();
        let label = || (names.owner, owner.to_owned());
        counter!(names.received, &[label()]).absolute(book.received);
        for outcome in Outcome::ALL {
            let labels = [label(), ("outcome", outcome.name().to_owned())];
            counter!(names.settled, &labels).absolute(book.settled.get(outcome));
        }
        gauge!(names.in_flight, &[label()]).set(book.in_flight as f64);
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Units in hand. Those that are not settled when it is dropped are returned.
#[derive(Debug)]
#[must_use = "what is dropped is counted as returned"]
pub struct Taken {
    ledger: Arc<Ledger>,
    left: u64,
}

impl Taken {
    /// Takes further units.
    pub fn more(&mut self, units: u64) {
        let mut book = self.ledger.lock();
        book.received += units;
        book.in_flight += units;
        self.left += units;
    }

    /// Takes over what another one of the same ledger has in hand.
    pub fn join(&mut self, mut other: Self) {
        debug_assert!(Arc::ptr_eq(&self.ledger, &other.ledger));
        self.left += std::mem::take(&mut other.left);
    }

    /// Units in hand.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// It is known what came of some units. More than there are in hand cannot be settled.
    pub fn settle(&mut self, outcomes: Outcomes) {
        let mut book = self.ledger.lock();
        for outcome in Outcome::ALL {
            let units = outcomes.get(outcome).min(self.left);
            self.left -= units;
            book.in_flight -= units;
            book.settled.add(outcome, units);
        }
    }

    /// The same came of all that are left.
    pub fn settle_rest(&mut self, outcome: Outcome) {
        self.settle(Outcomes::all(outcome, self.left));
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if self.left > 0 {
            self.settle_rest(Outcome::Returned);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balanced(ledger: &Ledger) -> Book {
        let book = ledger.book();
        assert_eq!(book.received, book.settled.total() + book.in_flight);
        book
    }

    #[test]
    fn a_unit_is_in_one_place_whatever_is_done_with_it() {
        let ledger = Arc::new(Ledger::default());
        let mut taken = ledger.take(5);
        assert_eq!(balanced(&ledger).in_flight, 5);
        let mut outcomes = Outcomes::all(Outcome::Written, 2);
        outcomes.add(Outcome::Filtered, 1);
        taken.settle(outcomes);
        taken.join(ledger.take(3));
        assert_eq!((balanced(&ledger).in_flight, taken.left()), (5, 5));
        drop(taken);
        let book = balanced(&ledger);
        assert_eq!((book.received, book.in_flight), (8, 0));
        assert_eq!(book.settled.get(Outcome::Written), 2);
        assert_eq!(book.settled.get(Outcome::Filtered), 1);
        assert_eq!(book.settled.get(Outcome::Returned), 5);
    }

    #[test]
    fn nobody_settles_more_than_there_is_in_hand() {
        let ledger = Arc::new(Ledger::default());
        let mut taken = ledger.take(2);
        taken.settle(Outcomes::all(Outcome::Written, 3));
        drop(taken);
        assert_eq!(balanced(&ledger).received, 2);
    }

    #[test]
    fn what_is_read_while_others_move_units_adds_up() {
        let ledger = Arc::new(Ledger::default());
        std::thread::scope(|scope| {
            for outcome in [Outcome::Written, Outcome::Unchanged] {
                let ledger = &ledger;
                scope.spawn(move || {
                    for units in 0..2_000 {
                        ledger.take(units % 7).settle_rest(outcome);
                    }
                });
            }
            for _ in 0..2_000 {
                balanced(&ledger);
            }
        });
        assert_eq!(balanced(&ledger).in_flight, 0);
    }
}
