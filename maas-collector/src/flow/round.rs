//! What one batch does to the store: looks up, merges, writes, and once more where others were faster.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use maas_model::document::{Document, DocumentId, zulu};
use maas_model::failpoint::{Failpoint, pass};
use maas_model::ledger::Outcome;
use maas_model::planted;
use maas_model::store::{WriteAction, WriteOp, WriteOutcome};
use tracing::warn;

use super::batch::{Batch, Written};
use super::merge::{Effect, Entry, Plan};
use super::patience::{Delays, Patience};
use super::prepare::Prepared;
use super::recipe::Target;
use super::stats::Count;
use super::{Flow, FlowError, dead};

/// How often a document that others change at the same time is read again.
pub(super) const MOST_ROUNDS: usize = 10;

/// Documents of which a write failed as a whole, with what it should have done: nobody knows whether it
/// did. One that turns out to be as it should be was written by us, and nobody has announced it.
type Doubts = HashMap<DocumentId, Effect>;

/// What the store said of each document of a round.
#[derive(Default)]
struct Outcomes {
    by_id: HashMap<DocumentId, WriteOutcome>,
    /// Those that were part of a call that failed, whatever a later call said of them.
    unanswered: HashSet<DocumentId>,
}

impl Flow {
    /// Writes a batch, whatever it takes.
    pub(super) async fn write_batch(
        &self,
        patience: &Patience,
        batch: Batch,
    ) -> Result<Written, FlowError> {
        let Batch {
            mut records,
            mut written,
            places: _places,
            ..
        } = batch;
        let Some(target) = &self.shared.recipe.target else {
            return Ok(written);
        };
        let mut rounds = 0;
        let mut doubts = Doubts::new();
        while !records.is_empty() {
            let stored = self.lookup(patience, target, &records).await?;
            let plan = Plan::new(records, stored);
            records = self
                .carry_out(patience, target, plan, &mut doubts, &mut written)
                .await?;
            rounds += 1;
            if rounds == MOST_ROUNDS {
                for record in records.drain(..) {
                    let action = WriteAction {
                        index: record.index.clone(),
                        id: record.id.clone(),
                        op: WriteOp::Create(record.source.clone()),
                    };
                    let reason = "others changed it again and again meanwhile";
                    written.outcomes.add(Outcome::DeadLettered, 1);
                    self.refuse(&mut written, &record, action, reason);
                }
            }
        }
        Ok(written)
    }

    async fn lookup(
        &self,
        patience: &Patience,
        target: &Target,
        records: &[Prepared],
    ) -> Result<Vec<Document>, FlowError> {
        let mut seen = HashSet::with_capacity(records.len());
        let ids: Vec<DocumentId> = records
            .iter()
            .map(|record| &record.id)
            .filter(|id| seen.insert(*id))
            .cloned()
            .collect();
        let store = &self.shared.context.store;
        let found = patience
            .until_done("reading documents", || {
                store.get_many(&target.model.alias, &ids)
            })
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Writes what the plan changes; gives back the records of documents that others changed meanwhile.
    async fn carry_out(
        &self,
        patience: &Patience,
        target: &Target,
        plan: Plan,
        doubts: &mut Doubts,
        written: &mut Written,
    ) -> Result<Vec<Prepared>, FlowError> {
        let now = zulu(self.shared.context.clock.now());
        let force = self.shared.context.force;
        let remake = |id: &DocumentId| {
            let entry = plan.entries.get(id)?;
            Some(entry.action(entry.merged(&target.model, &now)))
        };
        let mut effects = Vec::with_capacity(plan.entries.len());
        let mut actions = Vec::new();
        for entry in plan.entries.values() {
            let merged = entry.merged(&target.model, &now);
            effects.push(merged.effect);
            if merged.effect != Effect::Unchanged || force.write {
                actions.push(entry.action(merged));
            }
        }
        pass(Failpoint::Ingesting);
        let Outcomes {
            mut by_id,
            unanswered,
        } = self.write_all(patience, actions, &remake).await?;
        pass(Failpoint::Ingested);
        let mut again = Vec::new();
        for ((id, entry), effect) in plan.entries.iter().zip(effects) {
            if effect != Effect::Unchanged && unanswered.contains(id) {
                doubts.entry(id.clone()).or_insert(effect);
            }
            match by_id.remove(id) {
                Some(WriteOutcome::Conflict) => {
                    planted!(SkipAConflictOfAFlow, continue);
                    again.extend(entry.records().cloned());
                }
                Some(WriteOutcome::Refused { field, reason }) => {
                    let reason = match field {
                        Some(field) => format!("field `{field}`: {reason}"),
                        None => reason,
                    };
                    let records = entry.records().len() as u64;
                    written.outcomes.add(Outcome::DeadLettered, records);
                    if let Some(action) = remake(id) {
                        self.refuse(written, entry.last(), action, &reason);
                    }
                }
                _ => {
                    let doubted = doubts.get(id).filter(|_| effect == Effect::Unchanged);
                    self.stored(written, id, entry, doubted.copied().unwrap_or(effect));
                }
            }
        }
        Ok(again)
    }

    /// Notes what came of a document that is as it should be.
    fn stored(&self, written: &mut Written, id: &DocumentId, entry: &Entry, effect: Effect) {
        let (stats, force) = (&self.shared.stats, self.shared.context.force);
        let (count, outcome) = match effect {
            Effect::New => (Count::New, Outcome::Written),
            Effect::Updated => (Count::Updated, Outcome::Written),
            Effect::Unchanged => (Count::Unchanged, Outcome::Unchanged),
        };
        stats.add(count, 1);
        written.outcomes.add(outcome, 1);
        // Further records of the same document in the batch.
        let further = entry.records().len() as u64 - 1;
        stats.add(Count::Unchanged, further);
        written.outcomes.add(Outcome::Unchanged, further);
        let changed = effect != Effect::Unchanged;
        if changed || force.announce || force.write || entry.is_recovered() {
            written.ids.push((id.clone(), entry.index().clone()));
        }
        let record = entry.last();
        if changed && !self.shared.store_meta.is_empty() && record.item.meta.is_none() {
            let kept = self.shared.store_meta.iter().filter_map(|field| {
                let value = record.source.get(field)?;
                Some((field.clone(), value.clone()))
            });
            written
                .metas
                .push((Arc::clone(&record.item), kept.collect()));
        }
    }

    /// The store will not have a document: it becomes a dead letter.
    fn refuse(&self, written: &mut Written, record: &Prepared, action: WriteAction, reason: &str) {
        let item = &record.item;
        let letter = dead::document(&self.shared.recipe.interface, item, action, reason);
        written.dead.push(letter);
        written.refused.push(Arc::clone(item));
    }

    /// One outcome per document; none of them is `Busy`.
    async fn write_all(
        &self,
        patience: &Patience,
        actions: Vec<WriteAction>,
        remake: &(dyn Fn(&DocumentId) -> Option<WriteAction> + Sync),
    ) -> Result<Outcomes, FlowError> {
        let store = &self.shared.context.store;
        let mut outcomes = Outcomes::default();
        let mut todo = actions;
        let mut delays = Delays::new();
        let mut waiting = false;
        while !todo.is_empty() {
            let ids: Vec<DocumentId> = todo.iter().map(|action| action.id.clone()).collect();
            // Made again only when they have to be sent again: most never have.
            let mut first = Some(todo);
            let mut calls = 0;
            let found = patience
                .until_done("writing documents", || {
                    calls += 1;
                    let actions = first.take();
                    store.write(actions.unwrap_or_else(|| ids.iter().filter_map(remake).collect()))
                })
                .await?;
            if calls > 1 {
                outcomes.unanswered.extend(ids.iter().cloned());
            }
            todo = Vec::new();
            for (id, outcome) in ids.into_iter().zip(found) {
                let lost = matches!(outcome, WriteOutcome::Unknown { .. });
                match outcome {
                    WriteOutcome::Busy { reason } | WriteOutcome::Unknown { reason } => {
                        if !waiting {
                            warn!(interface = %self.shared.recipe.interface, reason, "the store did not take everything, trying again");
                            waiting = true;
                        }
                        todo.extend(remake(&id));
                        if lost {
                            outcomes.unanswered.insert(id);
                        }
                    }
                    outcome => {
                        outcomes.by_id.insert(id, outcome);
                    }
                }
            }
            if !todo.is_empty() {
                patience.pause(&mut delays).await?;
            }
        }
        planted!(ForgetDoubtfulWrites, outcomes.unanswered.clear());
        Ok(outcomes)
    }
}
