//! What came of one write.

use maas_model::planted;
use maas_model::store::WriteOutcome;

use super::select::Target;
use crate::pool::bury::Refusal;
use crate::pool::run::{Rest, Run, Stage};
use crate::report::Action;

impl Run<'_> {
    /// Notes it, and gives back what the store will never take.
    pub(super) fn settle_one(
        &mut self,
        stage: &mut Stage<'_>,
        rest: &mut Rest,
        target: Target,
        outcome: WriteOutcome,
    ) -> Option<Refusal> {
        match outcome {
            WriteOutcome::Created(_) => self.done(stage, target, Action::New),
            WriteOutcome::Updated(_) => self.done(stage, target, Action::Update),
            WriteOutcome::Deleted => self.done(stage, target, Action::Delete),
            WriteOutcome::NotFound => stage.plan.undone(&target.key),
            WriteOutcome::Conflict => {
                self.shared.stats.conflicts.add(1);
                self.shared.count(stage.step, "conflict", 1);
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
                self.shared.count(stage.step, "refused", 1);
                let field = field.map(|field| format!("field `{field}`: "));
                let reason = format!("{}{reason}", field.unwrap_or_default());
                return refuse(stage, target, reason);
            }
        }
        None
    }

    fn done(&mut self, stage: &mut Stage<'_>, target: Target, action: Action) {
        let stats = &self.shared.stats;
        let counter = match action {
            Action::New => &stats.created,
            Action::Update => &stats.updated,
            Action::Delete => &stats.deleted,
        };
        counter.add(1);
        self.shared.count(stage.step, action.word(), 1);
        let key = target.key;
        stage.plan.done(&key, action);
        self.session.wrote(&key.0);
        self.session.forget_inputs([&key.1]);
        self.written.push((key.0, key.1, action));
    }
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
