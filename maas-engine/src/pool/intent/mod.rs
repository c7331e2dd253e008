//! Remembers in the store what is about to be written and announced, so that a worker that takes over
//! from one that died announces it also when it finds it written already.
//!
//! One small document per message and step, written before the first write that will be announced,
//! removed when everything is announced and confirmed. A message may be there twice (published again after
//! a lost confirm), and both may be in hand: they share the document, so it is only ever written, and
//! removed, at the version that was seen last.

mod model;
mod orphan;
mod run;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use maas_model::clock::Clock;
use maas_model::document::{
    Document, DocumentId, IdError, IndexName, IndexNameError, Source, Version, zulu,
};
use maas_model::failpoint::{Failpoint, pass};
use maas_model::planted;
use maas_model::store::{DocumentStore, StoreError, WriteAction, WriteOp, WriteOutcome};
use serde_json::{Value, json};
use uuid::Uuid;

pub use self::model::intents_model;
pub(crate) use self::orphan::Orphan;
use super::plan::Debt;

const INDEX: &str = "maas-intents";

/// The intents of one pool.
#[derive(Debug)]
pub(crate) struct Intents {
    store: Arc<dyn DocumentStore>,
    clock: Clock,
    pool: String,
    index: IndexName,
}

/// Whose plan it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Whose<'a> {
    pub(crate) queue: &'a str,
    pub(crate) message_id: &'a str,
    pub(crate) step: usize,
    pub(crate) engine: &'a str,
}

/// What an intent says, and at which version; no version: there is none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Left {
    pub(crate) debt: Debt,
    pub(crate) version: Option<Version>,
    /// This round of the run wrote it. What another copy of the message wrote, that one may remove, and what this
    /// run wrote earlier, another copy that is done.
    pub(crate) own: bool,
}

/// Another version may have written what this one cannot read: it must not be forgotten.
fn debt_of(source: &Source) -> Result<Debt, StoreError> {
    let plan = source.get("plan").cloned().unwrap_or_default();
    serde_json::from_value(plan).map_err(|error| StoreError::Refused {
        endpoint: INDEX.to_owned(),
        reason: format!(
            "an intent was written by another version of this program, which must finish its message: {error}"
        ),
    })
}

impl Intents {
    pub(crate) fn new(
        store: Arc<dyn DocumentStore>,
        clock: Clock,
        pool: &str,
    ) -> Result<Self, IndexNameError> {
        Ok(Self {
            store,
            clock,
            pool: pool.to_owned(),
            index: IndexName::new(INDEX)?,
        })
    }

    /// The same for the same message in the same queue: two queues may have copies of one message.
    fn id(&self, whose: Whose<'_>) -> Result<DocumentId, IdError> {
        let Whose {
            queue,
            message_id,
            step,
            ..
        } = whose;
        let name = [&self.pool, queue, message_id, &step.to_string()].join("\0");
        let digest = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
        DocumentId::new(digest.to_string())
    }

    /// What earlier runs of the message owe, one entry per step given.
    pub(crate) async fn read(&self, steps: &[Whose<'_>]) -> Result<Vec<Left>, StoreError> {
        let ids: Result<Vec<_>, _> = steps.iter().map(|&whose| self.id(whose)).collect();
        let Ok(ids) = ids else {
            return Ok(vec![Left::default(); steps.len()]);
        };
        let found = self.store.get_many(&self.index, &ids).await?;
        let left = |intent: Document| {
            Ok(Left {
                debt: debt_of(&intent.source)?,
                version: intent.version,
                own: false,
            })
        };
        let all = found.into_iter();
        all.map(|intent| intent.map_or_else(|| Ok(Left::default()), left))
            .collect()
    }

    /// Leaves this debt where there is what was `left`; `None` when there is something else meanwhile.
    pub(crate) async fn write(
        &self,
        whose: Whose<'_>,
        debt: &Debt,
        left: Option<Version>,
    ) -> Result<Option<Version>, StoreError> {
        let source = json!({
            "pool": self.pool,
            "message_id": whose.message_id,
            "engine": whose.engine,
            "date": zulu(self.clock.now()),
            "plan": debt,
        });
        let Value::Object(source) = source else {
            return Ok(None);
        };
        let op = write_over(left, source);
        pass(Failpoint::Intending);
        let outcomes = self.send(vec![self.action(whose, op)]).await?;
        pass(Failpoint::Intended);
        Ok(match outcomes.first() {
            Some(WriteOutcome::Created(version) | WriteOutcome::Updated(version)) => Some(*version),
            _ => None,
        })
    }

    /// Removes them where they are as they were left: another copy of the message needs what it wrote.
    pub(crate) async fn forget(&self, steps: &[(Whose<'_>, Version)]) -> Result<(), StoreError> {
        if steps.is_empty() {
            return Ok(());
        }
        let actions = steps
            .iter()
            .map(|&(whose, left)| self.action(whose, WriteOp::Delete(Some(left))));
        pass(Failpoint::Forgetting);
        self.send(actions.collect()).await?;
        pass(Failpoint::Forgotten);
        Ok(())
    }

    fn action(&self, whose: Whose<'_>, op: WriteOp) -> Option<WriteAction> {
        // A digest is always an id.
        let id = self.id(whose).ok()?;
        let index = self.index.clone();
        Some(WriteAction { index, id, op })
    }

    async fn send(
        &self,
        actions: Vec<Option<WriteAction>>,
    ) -> Result<Vec<WriteOutcome>, StoreError> {
        let actions: Vec<_> = actions.into_iter().flatten().collect();
        if actions.is_empty() {
            return Ok(Vec::new());
        }
        let outcomes = self.store.write(actions).await?;
        for outcome in &outcomes {
            let endpoint = self.index.to_string();
            match outcome {
                WriteOutcome::Busy { reason } | WriteOutcome::Unknown { reason } => {
                    let reason = reason.clone();
                    return Err(StoreError::Busy { endpoint, reason });
                }
                WriteOutcome::Refused { reason, .. } => {
                    let reason = reason.clone();
                    return Err(StoreError::Refused { endpoint, reason });
                }
                WriteOutcome::Created(_)
                | WriteOutcome::Updated(_)
                | WriteOutcome::Deleted
                | WriteOutcome::NotFound
                | WriteOutcome::Conflict => {}
            }
        }
        Ok(outcomes)
    }
}

/// Only where nobody else wrote meanwhile.
fn write_over(left: Option<Version>, source: Source) -> WriteOp {
    match left {
        None => {
            planted!(TakeTheIntentOfACopy, return WriteOp::Index(source, None));
            WriteOp::Create(source)
        }
        Some(version) => WriteOp::Index(source, Some(version)),
    }
}
