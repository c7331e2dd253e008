//! What a replay is told in the place of the operator.

use std::sync::{Mutex, PoisonError};

use maas_model::message::{DeadLetter, Replayed};

use super::super::Ending;
use crate::collect::ItemOutcome;

/// Why the one record of a run came to nothing, if it did.
#[derive(Default)]
pub(in super::super) struct Trial(Mutex<Option<Replayed>>);

impl Trial {
    /// It was refused again: the caller has a letter of it already, with its history.
    pub(in super::super) fn refuse(&self, letters: Vec<DeadLetter>) {
        if let Some(letter) = letters.into_iter().next() {
            self.note(Replayed::Failed(letter.reason.detail));
        }
    }

    /// How the item ends: only what is stored and announced leaves a mark.
    pub(in super::super) fn outcome(&self, ending: Ending) -> ItemOutcome {
        if let Ending::Broken(reason) = ending {
            self.note(Replayed::Kept(reason));
            return ItemOutcome::Released;
        }
        match self.verdict() {
            None if ending == Ending::Complete => ItemOutcome::Done,
            _ => ItemOutcome::Released,
        }
    }

    pub(super) fn verdict(&self) -> Option<Replayed> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The first thing that is told holds.
    fn note(&self, came: Replayed) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.get_or_insert(came);
    }
}
