//! The intents of a message in hand.

use maas_model::document::Version;
use maas_model::planted;

use super::{Left, Whose};
use crate::pool::chain::Chain;
use crate::pool::run::{Run, Stage};
use crate::pool::verdict::Stop;
use crate::pool::wait::Patience;

impl Run<'_> {
    /// What earlier runs of this message owe, per step; nothing for a message that comes for the first time.
    pub(in crate::pool) async fn left_behind(&self, chain: &Chain) -> Result<Vec<Left>, Stop> {
        let nothing = || Ok(vec![Left::default(); chain.steps.len()]);
        planted!(IgnoreOldIntents, return nothing());
        if !self.work.is_suspect() {
            return nothing();
        }
        let steps = chain.steps.iter().enumerate();
        let whose: Vec<_> = steps
            .map(|(place, step)| self.whose(place, &step.id))
            .collect();
        let mut patience = Patience::of_a_message();
        loop {
            match self.shared.intents.read(&whose).await {
                Ok(left) => return Ok(left),
                Err(error) => self.wait(&mut patience, error, "intents").await?,
            }
        }
    }

    /// Leaves an intent, unless this round left one that says the same. What another copy of this message put
    /// there is owed by this one, too, and is written again although it says the same: at another version, so
    /// that the other one cannot remove what this one relies on. Whoever is done last removes it.
    pub(in crate::pool) async fn remember(&mut self, stage: &mut Stage<'_>) -> Result<(), Stop> {
        planted!(WriteWithoutIntent, return Ok(()));
        let mut patience = Patience::of_a_message();
        loop {
            let planned = stage.plan.debt();
            if planned.is_empty() || (stage.left.own && planned == stage.left.debt) {
                return Ok(());
            }
            let whose = self.whose(stage.place, &stage.step.id);
            let intents = &self.shared.intents;
            let found = match intents.write(whose, &planned, stage.left.version).await {
                Ok(Some(version)) => {
                    stage.left = Left {
                        debt: planned,
                        version: Some(version),
                        own: true,
                    };
                    self.has_intent(stage);
                    return Ok(());
                }
                Ok(None) => intents.read(&[whose]).await,
                Err(error) => Err(error),
            };
            match found {
                Ok(mut found) => {
                    stage.left = found.pop().unwrap_or_default();
                    stage.plan.owe(stage.left.debt.clone());
                    self.has_intent(stage);
                }
                Err(error) => self.wait(&mut patience, error, &stage.step.id).await?,
            }
        }
    }

    /// A worker that lost this message may have left its intent after this run looked for one, and written before
    /// this run looked what there is to do. Then there was nothing to do here, the message is about to be gone,
    /// and if the other one dies nobody else learns of its intent: so it is looked for once more.
    pub(in crate::pool) async fn look_again(&mut self, stage: &mut Stage<'_>) -> Result<(), Stop> {
        planted!(IgnoreOldIntents, return Ok(()));
        if !self.work.is_suspect() || !stage.step.send_reports || stage.left.own {
            return Ok(());
        }
        let whose = self.whose(stage.place, &stage.step.id);
        let mut patience = Patience::of_a_message();
        let found = loop {
            match self.shared.intents.read(&[whose]).await {
                Ok(mut found) => break found.pop().unwrap_or_default(),
                Err(error) => self.wait(&mut patience, error, &stage.step.id).await?,
            }
        };
        if found.version != stage.left.version {
            stage.plan.owe(found.debt.clone());
            stage.left = found;
            self.has_intent(stage);
        }
        Ok(())
    }

    /// Notes the version of the intent of this stage, if there is one.
    pub(in crate::pool) fn has_intent(&mut self, stage: &Stage<'_>) {
        if let Some(version) = stage.left.version {
            self.intents.retain(|(known, ..)| *known != stage.place);
            let engine = stage.step.id.clone();
            self.intents.push((stage.place, engine, version));
        }
    }

    /// Removes the intents of what is announced. After an outage nobody knows whether the step that it stopped
    /// was written: its intent stays for the next run.
    pub(in crate::pool) async fn forget(&mut self, stop: Option<&Stop>) {
        if matches!(stop, Some(Stop::Away(_) | Stop::HandBack)) {
            let begun = self.engines.len();
            self.intents.retain(|(place, ..)| place + 1 < begun);
        }
        let whose: Vec<(Whose<'_>, Version)> = self
            .intents
            .iter()
            .map(|(place, engine, left)| (self.whose(*place, engine), *left))
            .collect();
        let mut patience = Patience::of_a_message();
        while let Err(error) = self.shared.intents.forget(&whose).await {
            // Left behind it does no harm: only this message, delivered again, would read it.
            if self.wait(&mut patience, error, "intents").await.is_err() {
                break;
            }
        }
    }

    fn whose<'b>(&'b self, step: usize, engine: &'b str) -> Whose<'b> {
        Whose {
            queue: self.work.queue.as_str(),
            message_id: &self.key,
            step,
            engine,
        }
    }
}
