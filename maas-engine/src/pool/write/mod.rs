//! Writes what an engine returned, and notes what came of each document.
//!
//! ```text
//! changes -> select -> overtaken -> (intent) -> store -> settle -> bury -> overtaken
//!    ^----------------------- to be run again -------------------------------'
//! ```

mod overtaken;
mod select;
mod settle;

use maas_model::failpoint::{Failpoint, pass};
use maas_model::planted;
use maas_model::store::{StoreError, WriteOutcome};

use self::select::Pending;
pub(super) use self::select::Target;
use self::settle::Counts;
use super::reason::failed;
use super::run::{Rest, Run, Stage};
use super::verdict::{Cause, Stop};
use super::wait::causes;
use crate::engine::Output;
use crate::report::Action;

impl Run<'_> {
    /// Remembers, writes, and tells what is to be run again.
    pub(super) async fn write(
        &mut self,
        stage: &mut Stage<'_>,
        output: Output,
    ) -> Result<Rest, Stop> {
        self.bury_failures(stage.step, output.failures);
        let pending = self.select(stage, output.changes)?;
        let mut rest = Rest::default();
        let seen = self.seen_by(&pending);
        let pending = self
            .leave_overtaken(stage, &mut rest, pending, &seen)
            .await?;
        stage.plan.notices(output.notices, output.order);
        if pending.is_empty() {
            return Ok(rest);
        }
        if stage.step.send_reports {
            self.remember(stage).await?;
        }
        self.send(stage, &mut rest, pending).await?;
        self.repeat_overtaken(stage, &mut rest, &seen).await?;
        Ok(rest)
    }

    async fn send(
        &mut self,
        stage: &mut Stage<'_>,
        rest: &mut Rest,
        pending: Vec<Pending>,
    ) -> Result<(), Stop> {
        let (targets, actions): (Vec<_>, Vec<_>) =
            pending.into_iter().map(Pending::into_action).unzip();
        planted!(AnnounceWhatIsPlanned, announce_all(stage, &targets));
        pass(Failpoint::Writing);
        let outcomes = match self.shared.reads.store.write(actions).await {
            Ok(outcomes) => outcomes,
            Err(error @ StoreError::Refused { .. }) => {
                return Err(failed(stage.step, Cause::Passing, causes(&error)));
            }
            Err(error) => {
                self.shared.store_outage.began(&error);
                planted!(TakeALostAnswerForDone, return Ok(()));
                lost(stage, rest, targets, causes(&error));
                return Ok(());
            }
        };
        pass(Failpoint::Written);
        self.shared.store_outage.over();
        self.settle(stage, rest, targets, outcomes).await
    }

    async fn settle(
        &mut self,
        stage: &mut Stage<'_>,
        rest: &mut Rest,
        targets: Vec<Target>,
        outcomes: Vec<WriteOutcome>,
    ) -> Result<(), Stop> {
        let (mut refused, mut counts) = (Vec::new(), Counts::new());
        for (target, outcome) in targets.into_iter().zip(outcomes) {
            refused.extend(self.settle_one(&mut counts, stage, rest, target, outcome));
        }
        for (outcome, documents) in counts {
            self.shared.count(stage.step, outcome, documents);
        }
        self.bury_refused(stage.step, refused).await
    }
}

/// The answer is lost, not necessarily the write: what is found done is ours.
fn lost(stage: &mut Stage<'_>, rest: &mut Rest, targets: Vec<Target>, reason: String) {
    for Target { key, inputs } in targets {
        stage.plan.uncertain(&key);
        rest.again(inputs);
    }
    rest.away = Some(reason);
}

/// Wrong on purpose.
fn announce_all(stage: &mut Stage<'_>, targets: &[Target]) {
    for target in targets {
        stage.plan.done(&target.key, Action::New);
    }
}
