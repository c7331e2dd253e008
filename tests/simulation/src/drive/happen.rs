//! What goes wrong from outside: processes, connections, the store, bindings.

use super::{Drive, back};
use crate::world::State;

impl Drive {
    /// What may happen in a second.
    pub(super) fn happen(&mut self) {
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
        if now >= state.store_away_until && state.dice.hits(faults.store_outage) {
            // Some end before anybody gives up waiting, some after that.
            let longest = [5_000, 130_000][state.dice.below(2) as usize];
            state.store_away_until = now + state.dice.below(longest);
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
}

/// What was written and not synced is partly lost.
pub(super) fn crash_store(state: &mut State) {
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
