//! Brings together what is announced with the same key.

use std::collections::{BTreeSet, HashMap, HashSet};

use maas_model::document::{DocumentId, IndexName};
use maas_model::message::RoutingKey;

/// Documents to announce with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The key.
    pub routing_key: RoutingKey,
    /// Their class.
    pub document_class: String,
    /// The documents.
    pub ids: Vec<DocumentId>,
    /// The indices that those which were written stand in.
    pub indices: BTreeSet<IndexName>,
    /// Most ids in one message; 0: no limit.
    pub chunk_size: usize,
}

/// The reports of all engines of one message, in the order in which their keys came up.
///
/// Reports of one key and class become one: ids unique in order, indices united, the chunk size of
/// the first one that has any.
#[derive(Debug, Default)]
pub struct Reports {
    merged: Vec<Merged>,
    open: HashMap<(RoutingKey, String), usize>,
}

#[derive(Debug)]
struct Merged {
    report: Report,
    seen: HashSet<DocumentId>,
}

impl Reports {
    /// Adds a report; one without ids is none.
    pub fn add(&mut self, report: Report) {
        if report.ids.is_empty() {
            return;
        }
        let key = (report.routing_key.clone(), report.document_class.clone());
        let place = *self.open.entry(key).or_insert_with(|| {
            self.merged.push(Merged {
                report: Report {
                    ids: Vec::with_capacity(report.ids.len()),
                    indices: BTreeSet::new(),
                    ..report.clone()
                },
                seen: HashSet::new(),
            });
            self.merged.len() - 1
        });
        let Merged {
            report: merged,
            seen,
        } = &mut self.merged[place];
        let fresh = report.ids.into_iter().filter(|id| seen.insert(id.clone()));
        merged.ids.extend(fresh);
        merged.indices.extend(report.indices);
        if merged.chunk_size == 0 {
            merged.chunk_size = report.chunk_size;
        }
    }

    /// What was added so far is merged with nothing that comes after.
    pub fn seal(&mut self) {
        self.open.clear();
    }

    /// The reports, in order.
    pub fn into_reports(self) -> impl Iterator<Item = Report> {
        self.merged.into_iter().map(|merged| merged.report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(key: &str, ids: &str, indices: &str, chunk_size: usize) -> Report {
        Report {
            routing_key: RoutingKey::new(key).unwrap(),
            document_class: "Class".to_owned(),
            ids: ids
                .split_whitespace()
                .map(|id| DocumentId::new(id).unwrap())
                .collect(),
            indices: indices
                .split_whitespace()
                .map(|i| IndexName::new(i).unwrap())
                .collect(),
            chunk_size,
        }
    }

    #[track_caller]
    fn check(added: &[Report], expected: &[Report]) {
        let mut reports = Reports::default();
        added.iter().for_each(|report| reports.add(report.clone()));
        assert_eq!(reports.into_reports().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn nothing_gives_nothing() {
        check(&[], &[]);
        check(&[report("new.a", "", "i", 3)], &[]);
    }

    #[test]
    fn one_key_becomes_one_report_with_each_id_once() {
        check(
            &[
                report("new.a", "1 2 1", "i", 0),
                report("update.a", "7", "i", 0),
                report("new.a", "3 2", "j i", 5),
            ],
            &[
                report("new.a", "1 2 3", "i j", 5),
                report("update.a", "7", "i", 0),
            ],
        );
    }

    #[test]
    fn classes_are_kept_apart() {
        let other = Report {
            document_class: "Other".to_owned(),
            ..report("new.a", "2", "i", 0)
        };
        check(
            &[report("new.a", "1", "i", 0), other.clone()],
            &[report("new.a", "1", "i", 0), other],
        );
    }

    #[test]
    fn what_is_sealed_is_not_merged() {
        let mut reports = Reports::default();
        reports.add(report("new.a", "1", "i", 0));
        reports.seal();
        reports.add(report("new.a", "1", "i", 0));
        assert_eq!(reports.into_reports().count(), 2);
    }
}
