//! What one engine wants done with a message's documents, and what came of it so far.

use std::collections::{BTreeMap, HashMap, HashSet};

use indexmap::IndexMap;
use maas_model::document::{DocumentId, IndexName};
use maas_model::message::RoutingKey;
use serde::{Deserialize, Serialize};

use crate::engine::{Announcement, Notice, ReportOrder};
use crate::report::{Action, Report, Reports};

/// One document that was, or is about to be, written and announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Planned {
    pub(crate) index: IndexName,
    pub(crate) id: DocumentId,
    pub(crate) subject: String,
    pub(crate) class: String,
    pub(crate) action: Action,
}

/// Documents that a notice was about to name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlannedNotice {
    pub(crate) key: RoutingKey,
    pub(crate) class: String,
    pub(crate) ids: Vec<DocumentId>,
}

/// What a run may leave behind: planned, and perhaps done, but not known to be announced.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Debt {
    pub(crate) documents: Vec<Planned>,
    pub(crate) notices: Vec<PlannedNotice>,
    /// It was made for more documents than those of the message that pays it: what this one's engine does
    /// not return is not its to announce.
    #[serde(default)]
    pub(crate) of_whole: bool,
}

impl Debt {
    /// The same for a part of the message.
    pub(crate) fn of_a_part(self) -> Self {
        Self {
            of_whole: true,
            ..self
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.notices.is_empty()
    }
}

type Key = (IndexName, DocumentId);

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

    /// Takes over what another run of the same message owes.
    pub(crate) fn owe(&mut self, debt: Debt) {
        for planned in debt.documents {
            let report = Announcement {
                subject: planned.subject,
                document_class: planned.class,
            };
            let key = (planned.index, planned.id);
            let entry = self.entries.entry(key).or_insert_with(|| Entry {
                elsewhere: debt.of_whole,
                ..Entry::default()
            });
            entry.report.get_or_insert(report);
            if !entry.refused {
                entry.owed.get_or_insert(planned.action);
            }
        }
        for notice in debt.notices {
            let keys = notice.ids.iter().map(|id| (notice.key.clone(), id.clone()));
            self.noticed_before.extend(keys);
            let known = |known: &Notice| {
                (&known.routing_key, &known.document_class) == (&notice.key, &notice.class)
                    && notice.ids.iter().all(|id| known.ids.contains(id))
            };
            if !debt.of_whole && !self.notices.iter().any(known) {
                self.notices.push(Notice {
                    routing_key: notice.key,
                    document_class: notice.class,
                    ids: notice.ids,
                    indices: Vec::new(),
                    chunk_size: 0,
                });
            }
        }
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

    /// What must be remembered before anything is written, if anything will be announced at all.
    pub(crate) fn debt(&self) -> Debt {
        let documents = self.entries.iter().filter_map(|((index, id), entry)| {
            let report = entry.report.as_ref()?;
            Some(Planned {
                index: index.clone(),
                id: id.clone(),
                subject: report.subject.clone(),
                class: report.document_class.clone(),
                action: entry.done.or(entry.owed).or(entry.planned)?,
            })
        });
        let planned = self.by_id(|entry| entry.done.or(entry.owed).or(entry.planned).is_some());
        let notices = self.notices.iter().map(|notice| PlannedNotice {
            key: notice.routing_key.clone(),
            class: notice.document_class.clone(),
            ids: self.named(notice, &planned),
        });
        Debt {
            documents: documents.collect(),
            notices: notices.filter(|notice| !notice.ids.is_empty()).collect(),
            of_whole: self.of_whole,
        }
    }

    /// Hands what is to be announced to `reports`.
    pub(crate) fn report(&self, chunk_size: usize, reports: &mut Reports) {
        if self.order == ReportOrder::NoticesFirst {
            self.report_notices(reports);
        }
        self.report_writes(chunk_size, reports);
        if self.order == ReportOrder::WritesFirst {
            self.report_notices(reports);
        }
    }

    fn report_writes(&self, chunk_size: usize, reports: &mut Reports) {
        let mut groups: IndexMap<(Action, &Announcement), Vec<&Key>> = IndexMap::new();
        for (key, entry) in &self.entries {
            if let (Some(report), Some(action)) = (&entry.report, entry.announced()) {
                groups.entry((action, report)).or_default().push(key);
            }
        }
        for ((action, report), keys) in groups {
            let routing_key = format!("{}.{}", action.word(), report.subject);
            match RoutingKey::new(routing_key) {
                Ok(routing_key) => reports.add(Report {
                    routing_key,
                    document_class: report.document_class.clone(),
                    ids: keys.iter().map(|(_, id)| id.clone()).collect(),
                    indices: keys.iter().map(|(index, _)| index.clone()).collect(),
                    chunk_size,
                }),
                Err(error) => tracing::error!(%error, "documents cannot be announced"),
            }
        }
    }

    fn report_notices(&self, reports: &mut Reports) {
        let announced = self.by_id(|entry| entry.announced().is_some());
        let indices: HashMap<&DocumentId, &IndexName> =
            self.entries.keys().map(|(index, id)| (id, index)).collect();
        for notice in &self.notices {
            let ids = self.named(notice, &announced);
            let of_ids = ids.iter().filter_map(|id| indices.get(id).copied());
            reports.add(Report {
                routing_key: notice.routing_key.clone(),
                document_class: notice.document_class.clone(),
                indices: of_ids.chain(&notice.indices).cloned().collect(),
                ids,
                chunk_size: notice.chunk_size,
            });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_not_announced_because_another_copy_planned_it() {
        let key = (
            IndexName::new("copy").unwrap(),
            DocumentId::new("a").unwrap(),
        );
        let report = Announcement {
            subject: "copy".to_owned(),
            document_class: "Copy".to_owned(),
        };
        let mut plan = Plan::default();
        plan.see(&key, Some(report), Some(Action::New));
        let of_the_other = plan.debt();
        plan.refused(&key);
        plan.owe(of_the_other.clone());
        assert!(plan.owed().is_empty());
        assert!(plan.debt().is_empty());
        // Whoever comes later does not know, and sees for itself.
        assert_eq!(Plan::after(of_the_other).owed().len(), 1);
    }
}
