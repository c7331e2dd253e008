//! How often what goes wrong.

use crate::dice::Dice;

/// Faults in a thousand calls. All 0: nothing goes wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)] // Each name says what happens.
pub struct Faults {
    // store, per call
    pub store_unreachable: u64,
    pub store_answer_lost: u64,
    pub store_slow: u64,
    /// Per document of a write.
    pub document_busy: u64,
    /// Per document of a write: done or not, nobody is told.
    pub document_unknown: u64,
    // bus, per call
    pub bus_unreachable: u64,
    pub confirm_lost: u64,
    pub published_in_part: u64,
    pub published_twice: u64,
    pub message_returned: u64,
    pub settlement_lost: u64,
    // source
    pub source_fails: u64,
    // per message that came back unsettled
    pub child_dies: u64,
    pub child_missing: u64,
    /// Per call of a process to store or bus.
    pub crash: u64,
    // per second
    pub store_crash: u64,
    pub store_outage: u64,
    pub connection_cut: u64,
    pub binding_gone: u64,
    pub kill: u64,
    pub stop: u64,
}

impl Faults {
    /// Some kinds of faults, each rare or frequent.
    pub fn of(dice: &mut Dice) -> Self {
        let mut faults = Self::default();
        for (rate, most) in faults.rates() {
            if dice.hits(550) {
                *rate = 1 + dice.below(most);
            }
        }
        faults
    }

    /// Each with its highest value.
    fn rates(&mut self) -> [(&mut u64, u64); 21] {
        [
            (&mut self.store_unreachable, 150),
            (&mut self.store_answer_lost, 150),
            (&mut self.store_slow, 100),
            (&mut self.document_busy, 200),
            (&mut self.document_unknown, 100),
            (&mut self.bus_unreachable, 100),
            (&mut self.confirm_lost, 150),
            (&mut self.published_in_part, 150),
            (&mut self.published_twice, 150),
            (&mut self.message_returned, 150),
            (&mut self.settlement_lost, 150),
            (&mut self.source_fails, 100),
            (&mut self.child_dies, 200),
            (&mut self.child_missing, 200),
            (&mut self.crash, 40),
            (&mut self.store_crash, 60),
            (&mut self.store_outage, 60),
            (&mut self.connection_cut, 150),
            (&mut self.binding_gone, 80),
            (&mut self.kill, 60),
            (&mut self.stop, 60),
        ]
    }
}
