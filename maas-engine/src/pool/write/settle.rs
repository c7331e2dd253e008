//! What came of one write.

use std::collections::BTreeMap;

use maas_model::ledger::Outcome;
use maas_model::planted;
use maas_model::store::WriteOutcome;

use super::select::Target;
use crate::pool::bury::Refusal;
use crate::pool::run::{Rest, Run, Stage};
use crate::report::Action;

/// Documents by what came of them, for a metric that is told once for all.
pub(super) type Counts = BTreeMap<&'static str, usize>;

impl Run<'_> {
    /// Notes it, and gives back what the store will never take.
    pub(super) fn settle_one(
        &mut self,
        counts: &mut Counts,
        stage: &mut Stage<'_>,
        rest: &mut Rest,
        target: Target,
        outcome: WriteOutcome,
    ) -> Option<Refusal> {
        match outcome {
            WriteOutcome::Created(_) => self.done(counts, stage, target, Action::New),
            WriteOutcome::Updated(_) => {
                rest.replaced.push(target.clone());
                self.done(counts, stage, target, Action::Update);
            }
            WriteOutcome::Deleted => {
                rest.replaced.push(target.clone());
                self.done(counts, stage, target, Action::Delete);
            }
            WriteOutcome::NotFound => {
                stage.plan.undone(&target.key);
                self.fates.note(target.inputs, Outcome::Unchanged);
            }
            WriteOutcome::Conflict => {
                self.shared.stats.conflicts.add(1);
                count(counts, "conflict");
                stage.plan.undone(&target.key);
                planted!(SkipAConflict, return None);
                rest.again(target.inputs);
            }
            WriteOutcome::Busy { reason } => {
                planted!(TakeBusyForRefused, return refuse(stage, target, reason));
                stage.plan.undone(&target.key);
                planted!(SkipABusyDocument, return None);
                rest.again(target.inputs);
                rest.away = Some(reason);
            }
            WriteOutcome::Unknown { reason } => {
                stage.plan.uncertain(&target.key);
                rest.again(target.inputs);
                rest.away = Some(reason);
            }
            WriteOutcome::Refused { field, reason } => {
                self.shared.stats.refused.add(1);
                count(counts, "refused");
                let field = field.map(|field| format!("field `{field}`: "));
                let reason = format!("{}{reason}", field.unwrap_or_default());
                return refuse(stage, target, reason);
            }
        }
        None
    }

    fn done(&mut self, counts: &mut Counts, stage: &mut Stage<'_>, target: Target, action: Action) {
        let stats = &self.shared.stats;
        let counter = match action {
            Action::New => &stats.created,
            Action::Update => &stats.updated,
            Action::Delete => &stats.deleted,
        };
        counter.add(1);
        count(counts, action.word());
        let Target { key, inputs } = target;
        stage.plan.done(&key, action);
        self.session.wrote(&key.0);
        self.session.forget_inputs([&key.1]);
        self.fates.note(inputs, Outcome::Written);
        self.written.push((key.0, key.1, action));
    }
}

fn count(counts: &mut Counts, outcome: &'static str) {
    *counts.entry(outcome).or_default() += 1;
}

fn refuse(stage: &mut Stage<'_>, target: Target, reason: String) -> Option<Refusal> {
    let Target { key, inputs } = target;
    stage.plan.refused(&key);
    Some(Refusal {
        key,
        reason,
        inputs,
    })
}
