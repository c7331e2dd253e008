//! What a batch of records does to the stored documents. Pure.

use std::collections::HashMap;

use indexmap::IndexMap;
use maas_model::document::{Document, DocumentId, IndexName, Source, changes};
use maas_model::model::Model;
use maas_model::planted;
use maas_model::store::{WriteAction, WriteOp};

use super::prepare::Prepared;

/// The records of a batch by document, each against what is stored.
pub(super) struct Plan {
    pub(super) entries: IndexMap<DocumentId, Entry>,
}

/// One document and its records, in order: the second is compared with the first.
pub(super) struct Entry {
    pub(super) stored: Option<Document>,
    first: Prepared,
    /// Those after the first.
    more: Vec<Prepared>,
}

/// What becomes of one document.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) source: Source,
    pub(super) effect: Effect,
}

/// What a batch does to one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    New,
    Updated,
    Unchanged,
}

impl Plan {
    /// Groups records by document. `stored` are the documents found, absent ones left out.
    pub(super) fn new(records: Vec<Prepared>, stored: Vec<Document>) -> Self {
        let mut stored: HashMap<DocumentId, Document> = stored
            .into_iter()
            .map(|document| (document.id.clone(), document))
            .collect();
        let mut entries: IndexMap<DocumentId, Entry> = IndexMap::with_capacity(records.len());
        for record in records {
            if let Some(entry) = entries.get_mut(&record.id) {
                entry.more.push(record);
                continue;
            }
            let entry = Entry {
                stored: stored.remove(&record.id),
                first: record,
                more: Vec::new(),
            };
            entries.insert(entry.first.id.clone(), entry);
        }
        Self { entries }
    }
}

impl Entry {
    /// The index that holds it or will hold it: a document never moves.
    pub(super) fn index(&self) -> &IndexName {
        match &self.stored {
            Some(document) => &document.index,
            None => &self.first.index,
        }
    }

    /// All of them, in order.
    pub(super) fn records(&self) -> impl ExactSizeIterator<Item = &Prepared> {
        // `Chain` does not know its length.
        let count = 1 + self.more.len();
        (0..count).map(|at| {
            if at == 0 {
                &self.first
            } else {
                &self.more[at - 1]
            }
        })
    }

    /// The one that has the last word.
    pub(super) fn last(&self) -> &Prepared {
        self.more.last().unwrap_or(&self.first)
    }

    /// Whether an earlier run may have written it without announcing it.
    pub(super) fn is_recovered(&self) -> bool {
        planted!(IgnoreTheStartMark, return false);
        self.records().any(|record| record.item.recovered)
    }

    /// All its records, applied one after the other.
    pub(super) fn merged(&self, model: &Model, now: &str) -> Merged {
        let mut source = match &self.stored {
            Some(document) => {
                let mut source = document.source.clone();
                apply(&mut source, &self.first);
                source
            }
            None => self.first.source.clone(),
        };
        for record in &self.more {
            apply(&mut source, record);
        }
        let effect = match &self.stored {
            None => Effect::New,
            Some(document) if differs(&document.source, &mut source, model) => Effect::Updated,
            Some(_) => Effect::Unchanged,
        };
        if effect != Effect::Unchanged {
            source.insert("ingestionTime".into(), now.into());
        }
        Merged { source, effect }
    }

    /// The write that makes it so.
    pub(super) fn action(&self, merged: Merged) -> WriteAction {
        let mut source = merged.source;
        // The side file has the last word, after comparison and coercion.
        for (field, value) in self.last().item.meta.iter().flatten() {
            source.insert(field.clone(), value.clone());
        }
        WriteAction {
            index: self.index().clone(),
            id: self.first.id.clone(),
            op: match &self.stored {
                None => WriteOp::Create(source),
                Some(document) => WriteOp::Index(source, document.version),
            },
        }
    }
}

/// Sets the fields of a record, takes away those that are empty in it.
fn apply(source: &mut Source, record: &Prepared) {
    for field in &record.cleared {
        source.shift_remove(field);
    }
    for (field, value) in &record.source {
        if field != "ingestionTime" {
            source.insert(field.clone(), value.clone());
        }
    }
}

/// Whether `new` says something new. Another `reportName` alone does not, and neither does a field that
/// is merely written differently (a date of another system without milliseconds).
fn differs(old: &Source, new: &mut Source, model: &Model) -> bool {
    let name = new.shift_remove("reportName");
    let mut changed = changes(old, new);
    if changed {
        let mut normal = old.clone();
        // What does not fit its field is different for certain.
        changed = model.coerce(&mut normal).is_err() || changes(&normal, new);
    }
    if let Some(name) = name {
        new.insert("reportName".into(), name);
    }
    changed
}
