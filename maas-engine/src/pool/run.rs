//! One message in hand: its engines one after the other, each written before the next one runs.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use maas_model::document::{DocumentId, IndexName, Version};
use maas_model::message::{DeadReason, Message};
use maas_model::pipeline::MissingInput;
use maas_model::planted::{Bug, planted};
use maas_model::store::StoreError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::blame::Blame;
use super::chain::{Chain, Step};
use super::contain::{Running, key_of};
use super::context::EngineContext;
use super::dead::Grave;
use super::guard::{Fault, guarded};
use super::intent::{Left, Whose};
use super::plan::Plan;
use super::session::Session;
use super::shared::Shared;
use super::verdict::{Cause, Stop};
use super::wait::{Enough, Patience, causes, jittered};
use super::work::Work;
use crate::engine::{Batch, EngineError, Failure, Output};
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
    pub(super) engines: Vec<String>,
    pub(super) written: Vec<(IndexName, DocumentId, Action)>,
    /// Documents that engines failed of, and that are left out of what follows.
    pub(super) blamed: Vec<Blame>,
    /// The steps that have an intent in the store, with their engines and its version.
    pub(super) intents: Vec<(usize, String, Version)>,
}

/// What is left to do of a step after its writes.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// The inputs to run again.
    pub(super) inputs: BTreeSet<DocumentId>,
    /// All inputs are to be run again.
    pub(super) all: bool,
    /// Why the store could not take something, when it was not for a conflict.
    pub(super) away: Option<String>,
}

impl Rest {
    /// A change with these inputs is to be done again.
    pub(super) fn again(&mut self, inputs: Vec<DocumentId>) {
        self.all |= inputs.is_empty();
        self.inputs.extend(inputs);
    }

    fn is_empty(&self) -> bool {
        !self.all && self.inputs.is_empty()
    }
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
            if let Some(version) = left.version {
                self.has_intent(place, step, version);
            }
            self.engines.push(step.id.clone());
            self.step(place, step, left).await?;
        }
        self.bury_missing(chain);
        self.bury_blamed();
        Ok(())
    }

    /// What earlier runs of this message owe, per step; nothing for a message that comes for the first time.
    async fn left_behind(&self, chain: &Chain) -> Result<Vec<Left>, Stop> {
        if !self.work.is_suspect() || planted(Bug::IgnoreOldIntents) {
            return Ok(vec![Left::default(); chain.steps.len()]);
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

    /// The intent of this step is at this version.
    pub(super) fn has_intent(&mut self, place: usize, step: &Step, version: Version) {
        self.intents.retain(|(known, ..)| *known != place);
        self.intents.push((place, step.id.clone(), version));
    }

    pub(super) fn whose<'b>(&'b self, step: usize, engine: &'b str) -> Whose<'b> {
        Whose {
            queue: self.work.queue.as_str(),
            message_id: &self.key,
            step,
            engine,
        }
    }

    async fn step(&mut self, place: usize, step: &Step, left: Left) -> Result<(), Stop> {
        let mut plan = Plan::after(left.debt.clone());
        let result = self.halved(place, step, &mut plan, left).await;
        if step.send_reports {
            if !step.engine.merge_reports() {
                self.reports.seal();
            }
            // Whether the rest of the debt was done the next run will see; its intent stays.
            if matches!(result, Err(Stop::Away(_) | Stop::HandBack)) {
                plan.only_done();
            }
            plan.report(step.chunk_size, &mut self.reports);
            if !step.engine.merge_reports() {
                self.reports.seal();
            }
        }
        result
    }

    /// Runs the engine and writes, again for what was overtaken or not taken, until nothing is left.
    pub(super) async fn rounds(
        &mut self,
        place: usize,
        step: &Step,
        plan: &mut Plan,
        left: &mut Left,
        batch: &mut Batch,
    ) -> Result<(), Stop> {
        let mut patience = Patience::of_a_message();
        let (mut since, mut overtaken) = (self.began, 0);
        loop {
            let output = self.compute(step, batch, since).await?;
            let rest = self.write(place, step, plan, left, output).await?;
            if rest.is_empty() {
                return Ok(());
            }
            match &rest.away {
                Some(reason) => self.pause(&mut patience, reason).await?,
                None => {
                    overtaken += 1;
                    if overtaken > MOST_REPETITIONS {
                        let reason = "other workers were always faster".to_owned();
                        return Err(failed(step, Cause::Passing, reason));
                    }
                    tokio::time::sleep(jittered((PAUSE * overtaken).min(LONGEST_PAUSE))).await;
                }
            }
            if !rest.all {
                batch.ids.retain(|id| rest.inputs.contains(id));
            }
            batch.repetition += 1;
            self.session.forget_inputs(&batch.ids);
            since = Instant::now();
        }
    }

    pub(super) fn batch(&self) -> Batch {
        Batch {
            message: Arc::clone(&self.message),
            routing_key: self.work.routing_key.clone(),
            ids: self.innocent(),
            repetition: 0,
        }
    }

    /// Runs the engine once, and again as long as the store is away.
    pub(super) async fn compute(
        &mut self,
        step: &Step,
        batch: &Batch,
        since: Instant,
    ) -> Result<Output, Stop> {
        let mut patience = Patience::of_a_message();
        loop {
            let started = Instant::now();
            let mut cx =
                EngineContext::new(&self.shared.reads, &mut self.session, step.missing, since);
            let limit = self.shared.chains.engine_timeout;
            let shift = self.shared.watch.begin(Running {
                pool: self.shared.chains.pool.clone(),
                engine: step.id.clone(),
                message: self.key.clone(),
                documents: batch.ids.len(),
                limit,
            });
            let worked = guarded(&*step.engine, batch, &mut cx, limit).await;
            drop(shift);
            let fault = match worked {
                Ok(output) => {
                    self.shared.ran(step, started);
                    return Ok(output);
                }
                Err(fault) => fault,
            };
            match fault {
                Fault::Said(EngineError::Store(error)) => {
                    self.wait(&mut patience, error, &step.id).await?;
                }
                Fault::Said(EngineError::NotYet(reason)) => {
                    return Err(failed(step, Cause::Passing, reason));
                }
                Fault::Said(EngineError::Refused(reason)) => {
                    return Err(Stop::Dead(engine_failed(step, reason)));
                }
                Fault::Panicked(text, stack) => {
                    self.session.forget();
                    tracing::error!(engine = step.id, text, "engine panicked");
                    let text = format!("the engine panicked: {text}");
                    return Err(with_stack(failed(step, Cause::Panic, text), stack));
                }
                Fault::TimedOut(limit) => {
                    self.session.forget();
                    let reason = format!("the engine took longer than {limit:?}");
                    return Err(failed(step, Cause::Slow, reason));
                }
            }
        }
    }

    /// Waits when the store may answer later; a request that it will never take is the engine's fault.
    pub(super) async fn wait(
        &self,
        patience: &mut Patience,
        error: StoreError,
        who: &str,
    ) -> Result<(), Stop> {
        match error {
            StoreError::Refused { .. } => Err(Stop::Failed {
                cause: Cause::Passing,
                reason: too_many_tries(who, causes(&error)),
            }),
            // An operator may mend the others without a new try of ours being wrong.
            _ => {
                self.shared.store_outage.began(&error);
                self.pause(patience, &causes(&error)).await
            }
        }
    }

    async fn pause(&self, patience: &mut Patience, reason: &str) -> Result<(), Stop> {
        patience
            .pause(self.stop)
            .await
            .map_err(|enough| match enough {
                Enough::Waited => Stop::Away(reason.to_owned()),
                Enough::Stopping => Stop::HandBack,
            })
    }

    /// Inputs that the engine could not use, each once.
    pub(super) fn bury_failures(&mut self, step: &Step, failures: Vec<Failure>) {
        let known: HashSet<DocumentId> = self
            .graves
            .iter()
            .filter_map(|grave| grave.input_of(&step.id).cloned())
            .collect();
        for failure in failures
            .into_iter()
            .filter(|failure| !known.contains(&failure.id))
        {
            let reason = engine_failed(step, failure.reason);
            self.graves.push(Grave::input(reason, vec![failure.id]));
        }
    }

    fn bury_missing(&mut self, chain: &Chain) {
        let missing: Vec<DocumentId> = self.session.missing().cloned().collect();
        self.shared.stats.missing.add(missing.len());
        let bury = |step: &Step| step.missing == MissingInput::DeadLetter;
        if !missing.is_empty() && chain.steps.iter().any(bury) {
            let reason = DeadReason {
                kind: "missing documents".to_owned(),
                detail: format!(
                    "{} documents named in the message do not exist",
                    missing.len()
                ),
                component: None,
                ..DeadReason::default()
            };
            self.graves.push(Grave::input(reason, missing));
        }
    }
}

/// What is said of a failure once the tries run out.
pub(super) fn too_many_tries(component: &str, detail: String) -> DeadReason {
    DeadReason {
        kind: "too many tries".to_owned(),
        detail,
        component: Some(component.to_owned()),
        ..DeadReason::default()
    }
}

pub(super) fn failed(step: &Step, cause: Cause, detail: String) -> Stop {
    let reason = DeadReason {
        version: Some(step.maker.clone()),
        ..too_many_tries(&step.id, detail)
    };
    Stop::Failed { cause, reason }
}

fn with_stack(stop: Stop, stack: String) -> Stop {
    match stop {
        Stop::Failed { cause, mut reason } => {
            reason.stack = (!stack.is_empty()).then_some(stack);
            Stop::Failed { cause, reason }
        }
        other => other,
    }
}

fn engine_failed(step: &Step, detail: String) -> DeadReason {
    DeadReason {
        kind: "engine failed".to_owned(),
        detail,
        component: Some(step.id.clone()),
        version: Some(step.maker.clone()),
        ..DeadReason::default()
    }
}
