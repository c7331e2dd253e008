//! What a run of a message leaves behind for the next one.

use maas_model::document::{DocumentId, IndexName};
use maas_model::message::RoutingKey;
use serde::{Deserialize, Serialize};

use super::{Entry, Plan};
use crate::engine::{Announcement, Notice};
use crate::report::Action;

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

impl Plan {
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
}
