//! What one engine wants done with a message's documents, and what came of it so far.

mod debt;
mod report;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use indexmap::IndexMap;
use maas_model::document::{DocumentId, IndexName};
use maas_model::message::RoutingKey;
use maas_model::planted;

pub(crate) use self::debt::Debt;
use crate::engine::{Announcement, Notice, ReportOrder};
use crate::report::Action;

/// Names a document.
pub(super) type Key = (IndexName, DocumentId);

/// The documents of one engine, in the order in which it named them first.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    entries: IndexMap<Key, Entry>,
    notices: Vec<Notice>,
    noticed_before: HashSet<(RoutingKey, DocumentId)>,
    order: ReportOrder,
    of_whole: bool,
}

#[derive(Debug, Default)]
struct Entry {
    report: Option<Announcement>,
    /// What is to be announced if this run finds nothing to do: somebody, or a call of this run whose
    /// answer was lost, may have done it already.
    owed: Option<Action>,
    /// What is owed is owed by another part of the message, unless the engine returns it here, too.
    elsewhere: bool,
    /// What this run is about to do.
    planned: Option<Action>,
    /// What this run did.
    done: Option<Action>,
    /// The store will never take it: whatever another copy of the message still means to do.
    refused: bool,
}

impl Plan {
    /// A plan that takes over what an earlier run of the same message owes.
    pub(crate) fn after(debt: Debt) -> Self {
        let mut plan = Self {
            of_whole: debt.of_whole,
            ..Self::default()
        };
        plan.owe(debt);
        plan
    }

    /// The engine returned this document; `action` if it is to be written.
    pub(crate) fn see(&mut self, key: &Key, report: Option<Announcement>, action: Option<Action>) {
        let entry = self.entries.entry(key.clone()).or_default();
        entry.report = report;
        entry.planned = action;
        entry.elsewhere = false;
        entry.refused = false;
    }

    pub(crate) fn notices(&mut self, notices: Vec<Notice>, order: ReportOrder) {
        self.notices.extend(notices);
        self.order = order;
    }

    /// The answer of a write was lost: it may have been done.
    pub(crate) fn uncertain(&mut self, key: &Key) {
        planted!(ForgetAnUncertainWrite, return);
        if let Some(entry) = self.entries.get_mut(key) {
            entry.owed = entry.owed.or(entry.planned);
        }
    }

    /// It was written.
    pub(crate) fn done(&mut self, key: &Key, action: Action) {
        if let Some(entry) = self.entries.get_mut(key) {
            // A document that an earlier run was about to create is new to everybody else.
            let new = entry.owed == Some(Action::New) && action == Action::Update;
            entry.done = Some(if new { Action::New } else { action });
        }
    }

    /// It was not written, and will not be by this run.
    pub(crate) fn undone(&mut self, key: &Key) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.planned = None;
        }
    }

    /// The store will never take it: whatever was planned, there is nothing to announce.
    pub(crate) fn refused(&mut self, key: &Key) {
        if let Some(entry) = self.entries.get_mut(key) {
            (entry.planned, entry.owed) = (None, None);
            entry.refused = true;
        }
    }

    /// The documents that may have been written and are not announced, by index. Deleted ones are not looked for.
    pub(crate) fn owed(&self) -> BTreeMap<IndexName, Vec<DocumentId>> {
        let mut owed: BTreeMap<IndexName, Vec<DocumentId>> = BTreeMap::new();
        for ((index, id), entry) in &self.entries {
            if entry.owed.is_some_and(|action| action != Action::Delete) {
                owed.entry(index.clone()).or_default().push(id.clone());
            }
        }
        owed
    }

    /// These were not written.
    pub(crate) fn forgive(&mut self, index: &IndexName, ids: &HashSet<DocumentId>) {
        for ((of, id), entry) in &mut self.entries {
            if of == index && ids.contains(id) {
                entry.owed = None;
            }
        }
    }

    /// The step has not come to its end: what this run did not do itself is not announced by it.
    pub(crate) fn only_done(&mut self) {
        for entry in self.entries.values_mut() {
            entry.owed = None;
        }
    }

    fn by_id(&self, holds: impl Fn(&Entry) -> bool) -> HashMap<&DocumentId, bool> {
        let mut ids: HashMap<&DocumentId, bool> = HashMap::new();
        for ((_, id), entry) in &self.entries {
            *ids.entry(id).or_default() |= holds(entry);
        }
        ids
    }

    /// The ids of a notice without those of documents that did not change.
    fn named(&self, notice: &Notice, changed: &HashMap<&DocumentId, bool>) -> Vec<DocumentId> {
        let known = |id: &DocumentId| {
            self.noticed_before
                .contains(&(notice.routing_key.clone(), id.clone()))
        };
        let named = |id: &&DocumentId| changed.get(id).copied().unwrap_or(true) || known(id);
        notice.ids.iter().filter(named).cloned().collect()
    }
}

impl Entry {
    fn announced(&self) -> Option<Action> {
        let owed = self.owed.filter(|_| !self.elsewhere);
        self.done.or(owed)
    }
}
