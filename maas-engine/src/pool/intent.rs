//! Remembers in the store what is about to be written and announced, so that a worker that takes over
//! from one that died announces it also when it finds it written already.
//!
//! One small document per message and step, written before the first write that will be announced,
//! removed when everything is announced and confirmed.

use std::sync::Arc;

use indexmap::IndexMap;
use maas_model::clock::Clock;
use maas_model::document::{DocumentId, IdError, IndexName, IndexNameError, Source, zulu};
use maas_model::failpoint::{Failpoint, pass};
use maas_model::model::{Field, FieldType, Model};
use maas_model::store::{DocumentStore, StoreError, WriteAction, WriteOp, WriteOutcome};
use serde_json::{Value, json};
use uuid::Uuid;

use super::plan::Debt;

const INDEX: &str = "maas-intents";

/// The model of the intents: only read by id, so nothing of their plan is indexed.
pub fn intents_model() -> Result<Model, IndexNameError> {
    let field = |kind, parameters: Value| Field {
        kind,
        parameters: parameters.as_object().cloned().unwrap_or_default(),
        fields: IndexMap::new(),
    };
    let keyword = || field(FieldType::Keyword, json!({}));
    Ok(Model {
        name: "MaasIntent".to_owned(),
        alias: IndexName::new(INDEX)?,
        fields: IndexMap::from([
            ("pool".to_owned(), keyword()),
            ("message_id".to_owned(), keyword()),
            ("engine".to_owned(), keyword()),
            ("date".to_owned(), field(FieldType::Date, json!({}))),
            (
                "plan".to_owned(),
                field(FieldType::Object, json!({"enabled": false})),
            ),
        ]),
        partition: None,
        settings: [("number_of_shards".to_owned(), json!(1))].into(),
    })
}

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
    pub(crate) async fn read(&self, steps: &[Whose<'_>]) -> Result<Vec<Debt>, StoreError> {
        let ids: Result<Vec<_>, _> = steps.iter().map(|&whose| self.id(whose)).collect();
        let Ok(ids) = ids else {
            return Ok(vec![Debt::default(); steps.len()]);
        };
        let found = self.store.get_many(&self.index, &ids).await?;
        let debt = |source: &Source| serde_json::from_value(source.get("plan")?.clone()).ok();
        Ok(found
            .into_iter()
            .map(|intent| {
                intent
                    .and_then(|intent| debt(&intent.source))
                    .unwrap_or_default()
            })
            .collect())
    }

    pub(crate) async fn write(&self, whose: Whose<'_>, debt: &Debt) -> Result<(), StoreError> {
        let source = json!({
            "pool": self.pool,
            "message_id": whose.message_id,
            "engine": whose.engine,
            "date": zulu(self.clock.now()),
            "plan": debt,
        });
        let Value::Object(source) = source else {
            return Ok(());
        };
        pass(Failpoint::Intending);
        self.send(vec![self.action(whose, WriteOp::Index(source, None))])
            .await?;
        pass(Failpoint::Intended);
        Ok(())
    }

    pub(crate) async fn forget(&self, steps: &[Whose<'_>]) -> Result<(), StoreError> {
        if steps.is_empty() {
            return Ok(());
        }
        let actions = steps
            .iter()
            .map(|&whose| self.action(whose, WriteOp::Delete(None)));
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

    async fn send(&self, actions: Vec<Option<WriteAction>>) -> Result<(), StoreError> {
        let actions: Vec<_> = actions.into_iter().flatten().collect();
        if actions.is_empty() {
            return Ok(());
        }
        for outcome in self.store.write(actions).await? {
            let endpoint = self.index.to_string();
            match outcome {
                WriteOutcome::Busy { reason } | WriteOutcome::Unknown { reason } => {
                    return Err(StoreError::Busy { endpoint, reason });
                }
                WriteOutcome::Refused { reason, .. } => {
                    return Err(StoreError::Refused { endpoint, reason });
                }
                WriteOutcome::Created(_)
                | WriteOutcome::Updated(_)
                | WriteOutcome::Deleted
                | WriteOutcome::NotFound
                | WriteOutcome::Conflict => {}
            }
        }
        Ok(())
    }
}
