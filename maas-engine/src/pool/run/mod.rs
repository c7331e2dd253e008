//! One message in hand: its engines one after the other, each written before the next one runs.

mod compute;
mod rest;

use std::sync::Arc;
use std::time::Duration;

use maas_model::document::{DocumentId, IndexName, Version};
use maas_model::message::Message;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(super) use self::rest::Rest;
use super::blame::Blame;
use super::chain::{Chain, Step};
use super::contain::key_of;
use super::dead::Grave;
use super::fate::Fates;
use super::intent::Left;
use super::plan::Plan;
use super::reason::failed;
use super::session::Session;
use super::shared::Shared;
use super::verdict::{Cause, Stop};
use super::wait::{Patience, jittered};
use super::work::Work;
use crate::engine::Batch;
use crate::report::{Action, Reports};

/// How often the inputs of overtaken documents are run again before the message is handed back.
const MOST_REPETITIONS: u32 = 50;

/// The pause before a repetition grows by this much each time, at random.
const PAUSE: Duration = Duration::from_millis(10);

/// Someone is always first: nobody needs to wait longer for all others.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// The work on one message, and what it brought so far.
pub(crate) struct Run<'a> {
    pub(super) shared: &'a Shared,
    pub(super) work: Work<'a>,
    pub(super) message: Arc<Message>,
    /// Names the message in intents: its own id, or a digest when it has none.
    pub(super) key: String,
    pub(super) stop: &'a CancellationToken,
    pub(super) session: Session,
    began: Instant,
    pub(super) reports: Reports,
    pub(super) graves: Vec<Grave>,
    pub(super) fates: Fates,
    pub(super) engines: Vec<String>,
    pub(super) written: Vec<(IndexName, DocumentId, Action)>,
    /// Documents that engines failed of, and that are left out of what follows.
    pub(super) blamed: Vec<Blame>,
    /// The steps that have an intent in the store, with their engines and its version.
    pub(super) intents: Vec<(usize, String, Version)>,
}

/// One engine of the chain at work on this message.
pub(super) struct Stage<'a> {
    /// Which of the chain it is.
    pub(super) place: usize,
    pub(super) step: &'a Step,
    pub(super) plan: Plan,
    /// What is in the store of this plan, or of that of an earlier run.
    pub(super) left: Left,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        shared: &'a Shared,
        work: Work<'a>,
        message: Message,
        stop: &'a CancellationToken,
    ) -> Self {
        let key = key_of(&message, work.body);
        Self {
            shared,
            work,
            message: Arc::new(message),
            key,
            stop,
            session: Session::default(),
            began: Instant::now(),
            reports: Reports::default(),
            graves: Vec::new(),
            fates: Fates::default(),
            engines: Vec::new(),
            written: Vec::new(),
            blamed: Vec::new(),
            intents: Vec::new(),
        }
    }

    /// Runs all engines of the message. What was done before it stopped is in the run.
    pub(crate) async fn steps(&mut self, chain: &Chain) -> Result<(), Stop> {
        let left = self.left_behind(chain).await?;
        for (place, (step, left)) in chain.steps.iter().zip(left).enumerate() {
            if !self.blamed.is_empty() && self.innocent().is_empty() {
                break;
            }
            self.engines.push(step.id.clone());
            let plan = Plan::after(left.debt.clone());
            let mut stage = Stage {
                place,
                step,
                plan,
                left,
            };
            self.has_intent(&stage);
            let result = match self.halved(&mut stage).await {
                Ok(()) => self.look_again(&mut stage).await,
                stopped => stopped,
            };
            self.report(stage, &result);
            result?;
        }
        self.bury_missing(chain);
        self.bury_blamed();
        Ok(())
    }

    /// Runs the engine and writes, again for what was overtaken or not taken, until nothing is left.
    pub(super) async fn rounds(
        &mut self,
        stage: &mut Stage<'_>,
        batch: &mut Batch,
    ) -> Result<(), Stop> {
        let mut patience = Patience::of_a_message();
        let (mut since, mut overtaken) = (self.began, 0);
        loop {
            let output = self.compute(stage.step, batch, since).await?;
            let rest = self.write(stage, output).await?;
            if rest.is_empty() {
                return Ok(());
            }
            match &rest.away {
                Some(reason) => self.pause(&mut patience, reason).await?,
                None => {
                    overtaken += 1;
                    let_others_pass(stage.step, overtaken).await?;
                }
            }
            if !rest.all {
                batch.ids.retain(|id| rest.inputs.contains(id));
            }
            batch.repetition += 1;
            // Another copy of the message may be done meanwhile, and have removed the intent.
            stage.left.own = false;
            self.session.forget_inputs(&batch.ids);
            since = Instant::now();
        }
    }

    /// Keeps what is to be announced of a stage that came to its end.
    fn report(&mut self, mut stage: Stage<'_>, result: &Result<(), Stop>) {
        let step = stage.step;
        if !step.send_reports {
            return;
        }
        if !step.engine.merge_reports() {
            self.reports.seal();
        }
        // Whether the rest of the debt was done the next run will see; its intent stays.
        if matches!(result, Err(Stop::Away(_) | Stop::HandBack)) {
            stage.plan.only_done();
        }
        stage.plan.report(step.chunk_size, &mut self.reports);
        if !step.engine.merge_reports() {
            self.reports.seal();
        }
    }

    /// A first run of an engine for these documents.
    pub(super) fn batch_of(&self, ids: Vec<DocumentId>) -> Batch {
        Batch {
            message: Arc::clone(&self.message),
            routing_key: self.work.routing_key.clone(),
            ids,
            repetition: 0,
        }
    }
}

/// The pause before a step runs again for what others were faster with.
async fn let_others_pass(step: &Step, repetition: u32) -> Result<(), Stop> {
    if repetition > MOST_REPETITIONS {
        let reason = "other workers were always faster".to_owned();
        return Err(failed(step, Cause::Passing, reason));
    }
    tokio::time::sleep(jittered((PAUSE * repetition).min(LONGEST_PAUSE))).await;
    Ok(())
}
