//! Which changes of an engine are to be written, and how.

use std::collections::HashSet;

use maas_model::document::{Document, DocumentId, changes, drop_empty, zulu};
use maas_model::ledger::Outcome;
use maas_model::planted;
use maas_model::store::{WriteAction, WriteOp};
use serde_json::Value;

use crate::engine::{Change, ChangeKind};
use crate::pool::chain::{Step, UPDATE_TIME, has_update_time};
use crate::pool::plan::Key;
use crate::pool::reason::engine_failed;
use crate::pool::run::{Run, Stage};
use crate::pool::verdict::Stop;
use crate::report::Action;

/// A document that must be written.
pub(super) struct Pending {
    pub(super) target: Target,
    op: WriteOp,
}

/// A document, and the inputs it was made from; none: all of the message.
#[derive(Debug, Clone)]
pub(in crate::pool) struct Target {
    pub(super) key: Key,
    pub(super) inputs: Vec<DocumentId>,
}

impl Target {
    /// Whether it was made from one of these.
    pub(super) fn follows(&self, inputs: &HashSet<DocumentId>) -> bool {
        self.inputs.is_empty() || self.inputs.iter().any(|id| inputs.contains(id))
    }
}

impl Pending {
    /// Whether it takes the place of a stored document. What is created is in conflict when there is one.
    pub(super) fn replaces(&self) -> bool {
        !matches!(self.op, WriteOp::Create(_))
    }

    pub(super) fn into_action(self) -> (Target, WriteAction) {
        let (index, id) = self.target.key.clone();
        let op = self.op;
        (self.target, WriteAction { index, id, op })
    }
}

impl Run<'_> {
    /// The changes that change something.
    pub(super) fn select(
        &mut self,
        stage: &mut Stage<'_>,
        changes: Vec<Change>,
    ) -> Result<Vec<Pending>, Stop> {
        let now = zulu(self.shared.reads.clock.now());
        let mut seen = HashSet::with_capacity(changes.len());
        let mut pending = Vec::new();
        let mut unchanged = 0;
        for mut change in changes {
            drop_empty(&mut change.document.source);
            let action = action(stage.step, &change);
            let key = (change.document.index.clone(), change.document.id.clone());
            if !seen.insert(key.clone()) {
                return Err(twice(stage.step, &key));
            }
            stage.plan.see(&key, change.report.take(), action);
            let Some(action) = action else {
                unchanged += 1;
                self.fates.note(change.inputs, Outcome::Unchanged);
                continue;
            };
            if action != Action::Delete {
                self.set_update_time(&mut change.document, &now);
            }
            let op = op(change.kind, change.document);
            let inputs = change.inputs;
            let target = Target { key, inputs };
            pending.push(Pending { target, op });
        }
        self.shared.count(stage.step, "unchanged", unchanged);
        self.shared.stats.unchanged.add(unchanged);
        Ok(pending)
    }

    fn set_update_time(&self, document: &mut Document, now: &str) {
        let Document { index, source, .. } = document;
        if source.contains_key(UPDATE_TIME) || has_update_time(&self.shared.reads.models, index) {
            source.insert(UPDATE_TIME.to_owned(), Value::String(now.to_owned()));
        }
    }
}

/// What is to be done with the document of a change; `None` when it is as it was read.
fn action(step: &Step, change: &Change) -> Option<Action> {
    if change.kind == ChangeKind::Delete {
        return Some(Action::Delete);
    }
    if !change.document.is_stored() {
        return Some(Action::New);
    }
    planted!(WriteWhatDidNotChange, return Some(Action::Update));
    let changed = match &change.before {
        Some(before) => changes(before, &change.document.source),
        None => true,
    };
    (changed || step.force).then_some(Action::Update)
}

fn op(kind: ChangeKind, document: Document) -> WriteOp {
    planted!(
        OverwriteOnConflict,
        return WriteOp::Index(document.source, None)
    );
    match (kind, document.version) {
        (ChangeKind::Delete, version) => WriteOp::Delete(version),
        (ChangeKind::Write, Some(version)) => WriteOp::Index(document.source, Some(version)),
        (ChangeKind::Write, None) => WriteOp::Create(document.source),
    }
}

fn twice(step: &Step, (index, id): &Key) -> Stop {
    let detail = format!("it returned document `{id}` of `{index}` twice");
    Stop::Dead(engine_failed(step, detail))
}
