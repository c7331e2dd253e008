//! What was begun and what is done, by item: one small document each.
//!
//! An item that was begun and is not done may have documents that were stored and never announced:
//! the next run announces them, changed or not.

use std::sync::Arc;

use async_trait::async_trait;
use maas_model::BoxError;
use maas_model::clock::Clock;
use maas_model::document::{DocumentId, IndexName, zulu};
use maas_model::failpoint::{Failpoint, pass};
use maas_model::store::{DocumentStore, StoreError, WriteAction, WriteOp, WriteOutcome};
use md5::{Digest, Md5};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::patience::{Outages, Patience};
use super::{FlowContext, FlowError};
use crate::collect::{RawItem, Taken};

/// The index of the journal.
pub const JOURNAL_INDEX: &str = "maas-file-journal";

/// The journal of one interface.
#[derive(Clone)]
pub(super) struct Journal {
    interface: String,
    index: IndexName,
    store: Arc<dyn DocumentStore>,
    clock: Clock,
    outages: Arc<Outages>,
}

/// What the journal knows of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Unknown,
    Started,
    Done,
}

impl Journal {
    pub(super) fn new(interface: &str, context: &FlowContext) -> Result<Self, FlowError> {
        let index = IndexName::new(JOURNAL_INDEX).map_err(|error| FlowError::Name {
            interface: interface.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            interface: interface.to_owned(),
            index,
            store: Arc::clone(&context.store),
            clock: context.clock.clone(),
            outages: Arc::new(Outages::new(interface)),
        })
    }

    /// Whether store and bus answer: shared by all that work for this interface.
    pub(super) fn outages(&self) -> Arc<Outages> {
        Arc::clone(&self.outages)
    }

    /// What is known of each item, in order.
    pub(super) async fn marks(&self, keys: &[&str]) -> Result<Vec<Mark>, StoreError> {
        let ids: Vec<DocumentId> = keys.iter().filter_map(|key| self.id(key)).collect();
        let found = self.store.get_many(&self.index, &ids).await?;
        let mark = |state: Option<&str>| match state {
            Some("done") => Mark::Done,
            Some(_) => Mark::Started,
            None => Mark::Unknown,
        };
        let marks = found
            .iter()
            .map(|entry| mark(entry.as_ref().and_then(|entry| entry.text("state"))));
        Ok(marks.collect())
    }

    /// Marks items as begun. To be called before anything of them is written.
    pub(super) async fn begin(&self, items: &[&RawItem]) -> Result<(), StoreError> {
        let entries = items.iter().map(|item| (*item, "started", None));
        pass(Failpoint::Beginning);
        self.put(entries.collect()).await?;
        pass(Failpoint::Begun);
        Ok(())
    }

    /// Marks items as done, with what was wrong with them. To be called after everything else.
    pub(super) async fn finish(
        &self,
        items: &[(RawItem, Option<String>)],
    ) -> Result<(), StoreError> {
        let entries = items
            .iter()
            .map(|(item, trouble)| (item, "done", trouble.as_deref()));
        pass(Failpoint::Finishing);
        self.put(entries.collect()).await?;
        pass(Failpoint::Finished);
        Ok(())
    }

    async fn put(&self, entries: Vec<(&RawItem, &str, Option<&str>)>) -> Result<(), StoreError> {
        let now = zulu(self.clock.now());
        let actions = entries.into_iter().filter_map(|(item, state, trouble)| {
            let Value::Object(mut source) = json!({
                "interface": self.interface,
                "key": item.key,
                "name": item.name,
                "state": state,
                "date": now,
            }) else {
                return None;
            };
            if let Some(trouble) = trouble {
                source.insert("trouble".into(), trouble.into());
            }
            Some(WriteAction {
                index: self.index.clone(),
                id: self.id(&item.key)?,
                op: WriteOp::Index(source, None),
            })
        });
        let outcomes = self.store.write(actions.collect()).await?;
        for outcome in outcomes {
            match outcome {
                WriteOutcome::Busy { reason } | WriteOutcome::Unknown { reason } => {
                    let endpoint = self.index.to_string();
                    return Err(StoreError::Busy { endpoint, reason });
                }
                WriteOutcome::Refused { reason, .. } => {
                    let endpoint = self.index.to_string();
                    return Err(StoreError::Refused { endpoint, reason });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A digest: keys are paths and may be longer than an id.
    fn id(&self, key: &str) -> Option<DocumentId> {
        let digest = Md5::digest(format!("{}\n{key}", self.interface));
        DocumentId::new(hex::encode(digest)).ok()
    }
}

#[async_trait]
impl Taken for Journal {
    async fn taken(&self, keys: &[String]) -> Result<Vec<bool>, BoxError> {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        // Whoever stops the run drops the call.
        let patience = Patience::new(self.outages(), CancellationToken::new());
        let marks = patience
            .until_done("reading the journal", || self.marks(&keys))
            .await?;
        Ok(marks.into_iter().map(|mark| mark == Mark::Done).collect())
    }
}
