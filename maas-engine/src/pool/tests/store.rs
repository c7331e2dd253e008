//! A store in memory that counts, loses answers and refuses.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use maas_model::document::{Document, DocumentId, IndexName, Source, Version};
use maas_model::model::Model;
use maas_model::store::{
    Aggregation, Bucket, DocumentStore, IndexInfo, Pages, Query, Search, StoreError, StoreStatus,
    WriteAction, WriteOp, WriteOutcome,
};

/// What goes wrong with one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mishap {
    /// Nothing is done.
    Away,
    /// The write is done, its answer is lost.
    AnswerLost,
    /// Every document of the write gets `Busy`.
    Busy,
}

#[derive(Debug, Default)]
pub(super) struct FakeStore(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    documents: BTreeMap<(IndexName, DocumentId), (u64, Source)>,
    seq_no: u64,
    writes: Vec<(String, String)>,
    mishaps: VecDeque<Mishap>,
}

pub(super) const INTENTS: &str = "maas-intents";

impl FakeStore {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// These happen to the next writes of documents (not of intents), one each.
    pub(super) fn will(&self, mishaps: &[Mishap]) {
        self.inner().mishaps.extend(mishaps);
    }

    pub(super) fn put(&self, index: &str, id: &str, source: serde_json::Value) {
        let key = (IndexName::new(index).unwrap(), DocumentId::new(id).unwrap());
        let mut inner = self.inner();
        inner.seq_no += 1;
        let seq_no = inner.seq_no;
        inner
            .documents
            .insert(key, (seq_no, source.as_object().unwrap().clone()));
    }

    pub(super) fn get(&self, index: &str, id: &str) -> Option<Source> {
        let key = (IndexName::new(index).unwrap(), DocumentId::new(id).unwrap());
        self.inner()
            .documents
            .get(&key)
            .map(|(_, source)| source.clone())
    }

    /// `index/id` of every document written or deleted so far but for intents, in order.
    pub(super) fn writes(&self) -> Vec<String> {
        let inner = self.inner();
        let own = inner.writes.iter().filter(|(index, _)| index != INTENTS);
        own.map(|(index, id)| format!("{index}/{id}")).collect()
    }

    pub(super) fn count(&self, index: &str) -> usize {
        let inner = self.inner();
        inner
            .documents
            .keys()
            .filter(|(name, _)| name.as_str() == index)
            .count()
    }
}

impl Inner {
    fn apply(&mut self, action: WriteAction) -> WriteOutcome {
        let key = (action.index, action.id);
        let found = self.documents.get(&key).map(|(seq_no, _)| *seq_no);
        let expected = match &action.op {
            WriteOp::Create(_) if found.is_some() => return WriteOutcome::Conflict,
            WriteOp::Create(_) => None,
            WriteOp::Index(_, version) | WriteOp::Delete(version) => *version,
        };
        if expected.is_some_and(|version| Some(version.seq_no) != found) {
            return WriteOutcome::Conflict;
        }
        let source = match action.op {
            WriteOp::Create(source) | WriteOp::Index(source, _) => source,
            WriteOp::Delete(_) => {
                self.writes.push((key.0.to_string(), key.1.to_string()));
                return match self.documents.remove(&key) {
                    Some(_) => WriteOutcome::Deleted,
                    None => WriteOutcome::NotFound,
                };
            }
        };
        if source.contains_key("unstorable") {
            return WriteOutcome::Refused {
                field: Some("unstorable".to_owned()),
                reason: "no such type".to_owned(),
            };
        }
        self.seq_no += 1;
        self.writes.push((key.0.to_string(), key.1.to_string()));
        self.documents.insert(key, (self.seq_no, source));
        let version = Version {
            seq_no: self.seq_no,
            primary_term: 1,
        };
        match found {
            Some(_) => WriteOutcome::Updated(version),
            None => WriteOutcome::Created(version),
        }
    }
}

fn away() -> StoreError {
    StoreError::Unreachable {
        endpoint: "fake".to_owned(),
        source: "cable pulled".into(),
    }
}

#[async_trait]
impl DocumentStore for FakeStore {
    async fn get_many(
        &self,
        index: &IndexName,
        ids: &[DocumentId],
    ) -> Result<Vec<Option<Document>>, StoreError> {
        // Others have a turn between a read and the write that follows.
        tokio::task::yield_now().await;
        let inner = self.inner();
        let found = ids.iter().map(|id| {
            let (seq_no, source) = inner.documents.get(&(index.clone(), id.clone()))?;
            let mut document = Document::new(index.clone(), id.clone(), source.clone());
            document.version = Some(Version {
                seq_no: *seq_no,
                primary_term: 1,
            });
            Some(document)
        });
        Ok(found.collect())
    }

    async fn write(&self, actions: Vec<WriteAction>) -> Result<Vec<WriteOutcome>, StoreError> {
        tokio::task::yield_now().await;
        let mut inner = self.inner();
        let intents = actions
            .iter()
            .all(|action| action.index.as_str() == INTENTS);
        let mishap = if intents {
            None
        } else {
            inner.mishaps.pop_front()
        };
        let count = actions.len();
        match mishap {
            Some(Mishap::Away) => return Err(away()),
            Some(Mishap::Busy) => {
                let reason = "queue full".to_owned();
                return Ok(vec![WriteOutcome::Busy { reason }; count]);
            }
            Some(Mishap::AnswerLost) | None => {}
        }
        let outcomes = actions
            .into_iter()
            .map(|action| inner.apply(action))
            .collect();
        if mishap == Some(Mishap::AnswerLost) {
            Err(away())
        } else {
            Ok(outcomes)
        }
    }

    async fn search(&self, _: &IndexName, _: &Search) -> Result<Vec<Document>, StoreError> {
        unreachable!("no engine here asks")
    }

    async fn scan(&self, _: &IndexName, _: &Search) -> Result<Box<dyn Pages>, StoreError> {
        unreachable!("no engine here asks")
    }

    async fn count(&self, _: &IndexName, _: &Query) -> Result<u64, StoreError> {
        unreachable!("no engine here asks")
    }

    async fn aggregate(&self, _: &IndexName, _: &Aggregation) -> Result<Vec<Bucket>, StoreError> {
        unreachable!("no engine here asks")
    }

    async fn refresh(&self, _: &IndexName) -> Result<(), StoreError> {
        Ok(())
    }

    async fn install(&self, _: &Model) -> Result<(), StoreError> {
        Ok(())
    }

    async fn indices(&self, _: &str) -> Result<Vec<IndexInfo>, StoreError> {
        unreachable!("no engine here asks")
    }

    async fn drop_index(&self, _: &IndexName) -> Result<(), StoreError> {
        unreachable!("no engine here asks")
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        Ok(StoreStatus {
            name: "fake".to_owned(),
            version: String::new(),
            healthy: true,
            free_bytes: None,
            installed: Vec::new(),
            detail: String::new(),
        })
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
