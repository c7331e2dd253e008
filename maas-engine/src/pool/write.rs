//! Writes what an engine returned, and notes what came of each document.

use std::collections::{BTreeSet, HashSet};

use maas_model::document::{DocumentId, IndexName, changes, drop_empty, zulu};
use maas_model::failpoint::{Failpoint, pass};
use maas_model::message::DeadReason;
use maas_model::store::{StoreError, WriteAction, WriteOp, WriteOutcome};
use serde_json::Value;
use tokio::time::Instant;

use super::chain::{Step, UPDATE_TIME, has_update_time};
use super::dead::Grave;
use super::plan::{Debt, Plan};
use super::run::{Rest, Run, failed};
use super::verdict::{Cause, Stop};
use super::wait::{Patience, causes};
use crate::engine::{Batch, Change, ChangeKind, Output};
use crate::report::Action;

type Key = (IndexName, DocumentId);

/// A document that must be written.
struct Pending {
    key: Key,
    inputs: Vec<DocumentId>,
}

/// A document that the store will never take.
struct Refusal {
    key: Key,
    reason: String,
    inputs: Vec<DocumentId>,
}

impl Run<'_> {
    /// Remembers, writes, and tells what is to be run again.
    pub(super) async fn write(
        &mut self,
        place: usize,
        step: &Step,
        plan: &mut Plan,
        debt: &mut Debt,
        output: Output,
    ) -> Result<Rest, Stop> {
        self.bury_failures(step, output.failures);
        let (pending, actions) = self.select(step, plan, output.changes)?;
        plan.notices(output.notices, output.order);
        if pending.is_empty() {
            return Ok(Rest::default());
        }
        if step.send_reports {
            self.remember(place, step, plan, debt).await?;
        }
        self.send(step, plan, pending, actions).await
    }

    /// The changes that change something.
    fn select(
        &self,
        step: &Step,
        plan: &mut Plan,
        changes: Vec<Change>,
    ) -> Result<(Vec<Pending>, Vec<WriteAction>), Stop> {
        let now = zulu(self.shared.reads.clock.now());
        let mut seen = HashSet::with_capacity(changes.len());
        let (mut pending, mut actions) = (Vec::new(), Vec::new());
        let mut unchanged = 0;
        for mut change in changes {
            drop_empty(&mut change.document.source);
            let action = action(step, &change);
            let key = (change.document.index.clone(), change.document.id.clone());
            if !seen.insert(key.clone()) {
                return Err(twice(step, &key));
            }
            plan.see(&key, change.report.take(), action);
            let Some(action) = action else {
                unchanged += 1;
                continue;
            };
            let source = &mut change.document.source;
            let timed = source.contains_key(UPDATE_TIME)
                || has_update_time(&self.shared.reads.models, &key.0);
            if action != Action::Delete && timed {
                source.insert(UPDATE_TIME.to_owned(), Value::String(now.clone()));
            }
            actions.push(WriteAction {
                index: key.0.clone(),
                id: key.1.clone(),
                op: op(change.kind, change.document),
            });
            let inputs = change.inputs;
            pending.push(Pending { key, inputs });
        }
        self.shared.count(step, "unchanged", unchanged);
        self.shared.stats.unchanged.add(unchanged);
        Ok((pending, actions))
    }

    /// Leaves an intent, unless the one that is there says the same.
    async fn remember(
        &mut self,
        place: usize,
        step: &Step,
        plan: &Plan,
        debt: &mut Debt,
    ) -> Result<(), Stop> {
        let planned = plan.debt();
        if planned.is_empty() || planned == *debt {
            return Ok(());
        }
        let mut patience = Patience::of_a_message();
        let whose = self.whose(place, &step.id);
        while let Err(error) = self.shared.intents.write(whose, &planned).await {
            self.wait(&mut patience, error, &step.id).await?;
        }
        *debt = planned;
        if !self.intents.iter().any(|(step, _)| *step == place) {
            self.intents.push((place, step.id.clone()));
        }
        Ok(())
    }

    async fn send(
        &mut self,
        step: &Step,
        plan: &mut Plan,
        pending: Vec<Pending>,
        actions: Vec<WriteAction>,
    ) -> Result<Rest, Stop> {
        let mut rest = Rest::default();
        pass(Failpoint::Writing);
        let outcomes = match self.shared.reads.store.write(actions).await {
            Ok(outcomes) => outcomes,
            Err(error) if !matches!(error, StoreError::Refused { .. }) => {
                // The answer is lost, not necessarily the write: what is found done is ours.
                self.shared.store_outage.began(&error);
                rest.away = Some(causes(&error));
                for Pending { key, inputs, .. } in pending {
                    plan.uncertain(&key);
                    rest.again(inputs);
                }
                return Ok(rest);
            }
            Err(error) => {
                return Err(failed(step, Cause::Passing, causes(&error)));
            }
        };
        pass(Failpoint::Written);
        self.shared.store_outage.over();
        let mut refused = Vec::new();
        for (document, outcome) in pending.into_iter().zip(outcomes) {
            refused.extend(self.settle(step, plan, &mut rest, document, outcome));
        }
        self.bury_refused(step, refused).await?;
        Ok(rest)
    }

    fn settle(
        &mut self,
        step: &Step,
        plan: &mut Plan,
        rest: &mut Rest,
        document: Pending,
        outcome: WriteOutcome,
    ) -> Option<Refusal> {
        let stats = &self.shared.stats;
        let Pending { key, inputs, .. } = document;
        let (action, counter) = match outcome {
            WriteOutcome::Created(_) => (Action::New, &stats.created),
            WriteOutcome::Updated(_) => (Action::Update, &stats.updated),
            WriteOutcome::Deleted => (Action::Delete, &stats.deleted),
            WriteOutcome::NotFound => {
                plan.undone(&key);
                return None;
            }
            WriteOutcome::Conflict => {
                stats.conflicts.add(1);
                self.shared.count(step, "conflict", 1);
                plan.undone(&key);
                rest.again(inputs);
                return None;
            }
            WriteOutcome::Busy { reason } => {
                plan.undone(&key);
                rest.again(inputs);
                rest.away = Some(reason);
                return None;
            }
            WriteOutcome::Unknown { reason } => {
                plan.uncertain(&key);
                rest.again(inputs);
                rest.away = Some(reason);
                return None;
            }
            WriteOutcome::Refused { field, reason } => {
                stats.refused.add(1);
                self.shared.count(step, "refused", 1);
                plan.refused(&key);
                let field = field
                    .map(|field| format!("field `{field}`: "))
                    .unwrap_or_default();
                let reason = format!("{field}{reason}");
                return Some(Refusal {
                    key,
                    reason,
                    inputs,
                });
            }
        };
        counter.add(1);
        self.shared.count(step, action.word(), 1);
        plan.done(&key, action);
        self.session.wrote(&key.0);
        self.session.forget_inputs([&key.1]);
        self.written.push((key.0, key.1, action));
        None
    }

    /// Documents that the store refused become dead letters. Their content went with the write, so it
    /// is computed again: refusals are rare, and a copy of every document would cost every message.
    async fn bury_refused(&mut self, step: &Step, refused: Vec<Refusal>) -> Result<(), Stop> {
        if refused.is_empty() {
            return Ok(());
        }
        let all = refused.iter().any(|refusal| refusal.inputs.is_empty());
        let inputs: BTreeSet<&DocumentId> = refused.iter().flat_map(|r| &r.inputs).collect();
        let named = |id: &&DocumentId| all || inputs.contains(id);
        let batch = Batch {
            message: std::sync::Arc::clone(&self.message),
            routing_key: self.work.routing_key.clone(),
            ids: self
                .message
                .document_ids
                .iter()
                .filter(named)
                .cloned()
                .collect(),
            repetition: 1,
        };
        let mut changes = self.compute(step, &batch, Instant::now()).await?.changes;
        for Refusal {
            key,
            reason,
            inputs,
        } in refused
        {
            let same =
                |change: &Change| change.document.index == key.0 && change.document.id == key.1;
            let reason = DeadReason {
                kind: "document refused".to_owned(),
                detail: format!("`{}` in `{}`: {reason}", key.1, key.0),
                component: Some(step.id.clone()),
                version: Some(step.maker.clone()),
                ..DeadReason::default()
            };
            self.graves.push(match changes.iter().position(same) {
                Some(place) => Grave::document(reason, changes.swap_remove(place).document, inputs),
                None => Grave::input(reason, inputs),
            });
        }
        Ok(())
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
    let changed = match &change.before {
        Some(before) => changes(before, &change.document.source),
        None => true,
    };
    (changed || step.force).then_some(Action::Update)
}

fn op(kind: ChangeKind, document: maas_model::document::Document) -> WriteOp {
    match (kind, document.version) {
        (ChangeKind::Delete, version) => WriteOp::Delete(version),
        (ChangeKind::Write, Some(version)) => WriteOp::Index(document.source, Some(version)),
        (ChangeKind::Write, None) => WriteOp::Create(document.source),
    }
}

fn twice(step: &Step, (index, id): &Key) -> Stop {
    Stop::Dead(DeadReason {
        kind: "engine failed".to_owned(),
        detail: format!("it returned document `{id}` of `{index}` twice"),
        component: Some(step.id.clone()),
        version: Some(step.maker.clone()),
        ..DeadReason::default()
    })
}
