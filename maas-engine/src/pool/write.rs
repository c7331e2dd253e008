//! Writes what an engine returned, and notes what came of each document.

use std::collections::{BTreeSet, HashSet};

use maas_model::document::{DocumentId, IndexName, changes, drop_empty, zulu};
use maas_model::failpoint::{Failpoint, pass};
use maas_model::message::DeadReason;
use maas_model::planted::{Bug, planted};
use maas_model::store::{StoreError, WriteAction, WriteOp, WriteOutcome};
use serde_json::Value;
use tokio::time::Instant;

use super::chain::{Step, UPDATE_TIME, has_update_time};
use super::dead::Grave;
use super::intent::Left;
use super::plan::Plan;
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
        left: &mut Left,
        output: Output,
    ) -> Result<Rest, Stop> {
        self.bury_failures(step, output.failures);
        let (pending, actions) = self.select(step, plan, output.changes)?;
        let mut rest = Rest::default();
        let (pending, actions) = self
            .still_true(step, plan, &mut rest, pending, actions)
            .await?;
        plan.notices(output.notices, output.order);
        if pending.is_empty() {
            return Ok(rest);
        }
        if step.send_reports && !planted(Bug::WriteWithoutIntent) {
            self.remember(place, step, plan, left).await?;
        }
        self.send(step, plan, rest, pending, actions).await
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

    /// Leaves out changes of stored documents that were made from inputs which somebody has changed since they
    /// were read: who read the new input may have written the document already, before this worker read it, and
    /// its version would not tell. What is created needs no such look: it is in conflict then.
    async fn still_true(
        &self,
        step: &Step,
        plan: &mut Plan,
        rest: &mut Rest,
        pending: Vec<Pending>,
        actions: Vec<WriteAction>,
    ) -> Result<(Vec<Pending>, Vec<WriteAction>), Stop> {
        let replaces: Vec<bool> = actions
            .iter()
            .map(|action| !matches!(action.op, WriteOp::Create(_)))
            .collect();
        let replaced = || pending.iter().zip(&replaces).filter(|(_, it)| **it);
        if replaced().next().is_none() {
            return Ok((pending, actions));
        }
        let all = replaced().any(|(change, _)| change.inputs.is_empty());
        let inputs = replaced().flat_map(|(change, _)| &change.inputs);
        let inputs: HashSet<&DocumentId> = if all {
            HashSet::new()
        } else {
            inputs.collect()
        };
        let overtaken = self.overtaken(step, &inputs).await?;
        if overtaken.is_empty() {
            return Ok((pending, actions));
        }
        let (mut still, mut left) = (Vec::new(), Vec::new());
        for ((change, action), replaces) in pending.into_iter().zip(actions).zip(replaces) {
            let old =
                change.inputs.is_empty() || change.inputs.iter().any(|id| overtaken.contains(id));
            if replaces && old {
                plan.undone(&change.key);
                rest.again(change.inputs);
            } else {
                still.push(change);
                left.push(action);
            }
        }
        Ok((still, left))
    }

    /// The inputs that are no longer as they were read.
    async fn overtaken(
        &self,
        step: &Step,
        inputs: &HashSet<&DocumentId>,
    ) -> Result<HashSet<DocumentId>, Stop> {
        let mut overtaken = HashSet::new();
        if planted(Bug::TrustOldInputs) {
            return Ok(overtaken);
        }
        for (alias, seen) in self.session.seen(inputs) {
            let ids: Vec<DocumentId> = seen.iter().map(|document| document.id.clone()).collect();
            let mut patience = Patience::of_a_message();
            let found = loop {
                match self.shared.reads.store.get_many(&alias, &ids).await {
                    Ok(found) => break found,
                    Err(error) => self.wait(&mut patience, error, &step.id).await?,
                }
            };
            for (seen, found) in seen.iter().zip(found) {
                if found.is_none_or(|found| found.version != seen.version) {
                    overtaken.insert(seen.id.clone());
                }
            }
        }
        Ok(overtaken)
    }

    /// Leaves an intent, unless this run left one that says the same. What another copy of this message put
    /// there is owed by this one, too, and is written again although it says the same: at another version, so
    /// that the other one cannot remove what this one relies on. Whoever is done last removes it.
    async fn remember(
        &mut self,
        place: usize,
        step: &Step,
        plan: &mut Plan,
        left: &mut Left,
    ) -> Result<(), Stop> {
        let mut patience = Patience::of_a_message();
        loop {
            let planned = plan.debt();
            if planned.is_empty() || (left.own && planned == left.debt) {
                return Ok(());
            }
            let whose = self.whose(place, &step.id);
            let intents = &self.shared.intents;
            let found = match intents.write(whose, &planned, left.version).await {
                Ok(Some(version)) => {
                    *left = Left {
                        debt: planned,
                        version: Some(version),
                        own: true,
                    };
                    self.has_intent(place, step, version);
                    return Ok(());
                }
                Ok(None) => intents.read(&[whose]).await,
                Err(error) => Err(error),
            };
            match found {
                Ok(mut found) => *left = found.pop().unwrap_or_default(),
                Err(error) => {
                    self.wait(&mut patience, error, &step.id).await?;
                    continue;
                }
            }
            plan.owe(left.debt.clone());
            if let Some(version) = left.version {
                self.has_intent(place, step, version);
            }
        }
    }

    async fn send(
        &mut self,
        step: &Step,
        plan: &mut Plan,
        mut rest: Rest,
        pending: Vec<Pending>,
        actions: Vec<WriteAction>,
    ) -> Result<Rest, Stop> {
        if planted(Bug::AnnounceWhatIsPlanned) {
            pending
                .iter()
                .for_each(|pending| plan.done(&pending.key, Action::New));
        }
        pass(Failpoint::Writing);
        let outcomes = match self.shared.reads.store.write(actions).await {
            Ok(outcomes) => outcomes,
            Err(error) if !matches!(error, StoreError::Refused { .. }) => {
                // The answer is lost, not necessarily the write: what is found done is ours.
                self.shared.store_outage.began(&error);
                if planted(Bug::TakeALostAnswerForDone) {
                    return Ok(rest);
                }
                rest.away = Some(causes(&error));
                for Pending { key, inputs, .. } in pending {
                    if !planted(Bug::ForgetAnUncertainWrite) {
                        plan.uncertain(&key);
                    }
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
                if !planted(Bug::SkipAConflict) {
                    rest.again(inputs);
                }
                return None;
            }
            WriteOutcome::Busy { .. } if planted(Bug::SkipABusyDocument) => {
                plan.undone(&key);
                return None;
            }
            WriteOutcome::Busy { reason } if planted(Bug::TakeBusyForRefused) => {
                plan.refused(&key);
                return Some(Refusal {
                    key,
                    reason,
                    inputs,
                });
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
        if refused.is_empty() || planted(Bug::IgnoreARefusal) {
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
    let changed = changed || planted(Bug::WriteWhatDidNotChange);
    (changed || step.force).then_some(Action::Update)
}

fn op(kind: ChangeKind, document: maas_model::document::Document) -> WriteOp {
    match (kind, document.version) {
        _ if planted(Bug::OverwriteOnConflict) => WriteOp::Index(document.source, None),
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
