//! What came of each document that a message names.

use std::collections::HashMap;

use maas_model::document::DocumentId;
use maas_model::ledger::{Outcome, Outcomes};

/// Noted as it happens, whatever engine it happens to; the most telling of all that came of a document counts.
#[derive(Debug, Default)]
pub(super) struct Fates {
    of: HashMap<DocumentId, Outcome>,
    of_all: Option<Outcome>,
}

impl Fates {
    /// This came of these documents; of all when none is named, as with the inputs of a change.
    pub(super) fn note(&mut self, ids: Vec<DocumentId>, outcome: Outcome) {
        if ids.is_empty() {
            self.of_all = self.of_all.max(Some(outcome));
        }
        for id in ids {
            let known = self.of.entry(id).or_insert(outcome);
            *known = outcome.max(*known);
        }
    }

    /// What came of these.
    pub(super) fn outcomes(&self, ids: &[DocumentId]) -> Outcomes {
        let mut outcomes = Outcomes::default();
        for id in ids {
            let known = self.of.get(id).copied().max(self.of_all);
            outcomes.add(known.unwrap_or(Outcome::Filtered), 1);
        }
        outcomes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &str) -> Vec<DocumentId> {
        let names = names.split_whitespace();
        names.map(|name| DocumentId::new(name).unwrap()).collect()
    }

    #[test]
    fn each_document_has_one_fate_the_most_telling_one() {
        let mut fates = Fates::default();
        fates.note(ids("a b c"), Outcome::Unchanged);
        fates.note(ids("a b other"), Outcome::Written);
        fates.note(ids("a"), Outcome::Unchanged);
        fates.note(ids("b"), Outcome::DeadLettered);
        let outcomes = fates.outcomes(&ids("a b c d d"));
        let counts = Outcome::ALL.map(|outcome| outcomes.get(outcome));
        assert_eq!(counts, [2, 1, 1, 1, 0]);
    }

    #[test]
    fn what_is_made_of_the_whole_message_is_made_of_each() {
        let mut fates = Fates::default();
        fates.note(Vec::new(), Outcome::Written);
        fates.note(ids("b"), Outcome::DeadLettered);
        let outcomes = fates.outcomes(&ids("a b"));
        assert_eq!(outcomes.get(Outcome::Written), 1);
        assert_eq!(outcomes.get(Outcome::DeadLettered), 1);
    }
}
