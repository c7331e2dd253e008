//! One call of an engine.

use tokio::time::Instant;

use super::Run;
use crate::engine::{Batch, EngineContext, EngineError, Output};
use crate::pool::chain::Step;
use crate::pool::contain::Running;
use crate::pool::guard::{Fault, guarded};
use crate::pool::reason::{engine_failed, failed, panicked};
use crate::pool::verdict::{Cause, Stop};
use crate::pool::wait::Patience;

impl Run<'_> {
    /// Runs the engine once, and again as long as the store is away.
    pub(in crate::pool) async fn compute(
        &mut self,
        step: &Step,
        batch: &Batch,
        since: Instant,
    ) -> Result<Output, Stop> {
        let mut patience = Patience::of_a_message();
        loop {
            match self.call(step, batch, since).await {
                Ok(output) => return Ok(output),
                Err(Fault::Said(error)) => self.said(step, &mut patience, error).await?,
                Err(Fault::Panicked(text, stack)) => {
                    self.session.forget();
                    tracing::error!(engine = step.id, text, "engine panicked");
                    return Err(panicked(step, &text, stack));
                }
                Err(Fault::TimedOut(limit)) => {
                    self.session.forget();
                    let reason = format!("the engine took longer than {limit:?}");
                    return Err(failed(step, Cause::Slow, reason));
                }
            }
        }
    }

    async fn call(&mut self, step: &Step, batch: &Batch, since: Instant) -> Result<Output, Fault> {
        let started = Instant::now();
        let limit = self.shared.chains.engine_timeout;
        let mut cx = EngineContext::new(&self.shared.reads, &mut self.session, step.missing, since);
        let _shift = self.shared.watch.begin(Running {
            pool: self.shared.chains.pool.clone(),
            engine: step.id.clone(),
            message: self.key.clone(),
            documents: batch.ids.len(),
            limit,
        });
        let output = guarded(&*step.engine, batch, &mut cx, limit).await?;
        self.shared.ran(step, started);
        Ok(output)
    }

    /// Waits when the store is away; whatever else an engine says ends the work.
    async fn said(
        &self,
        step: &Step,
        patience: &mut Patience,
        error: EngineError,
    ) -> Result<(), Stop> {
        match error {
            EngineError::Store(error) => self.wait(patience, error, &step.id).await,
            EngineError::NotYet(reason) => Err(failed(step, Cause::Passing, reason)),
            EngineError::Refused(reason) => Err(Stop::Dead(engine_failed(step, reason))),
        }
    }
}
