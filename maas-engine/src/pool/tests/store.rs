//! A store in memory that counts, waits, loses answers and refuses.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;
use maas_model::document::{Document, DocumentId, IndexName, Source};
use maas_model::model::Model;
use maas_model::store::memory::Documents;
use maas_model::store::{
    Aggregation, Bucket, DocumentStore, IndexInfo, Pages, Query, Search, StoreError, StoreStatus,
    WriteAction, WriteOp, WriteOutcome,
};
use tokio::sync::watch;

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

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    Read,
    Write,
}

#[derive(Debug, Default)]
pub(super) struct FakeStore {
    inner: Mutex<Inner>,
    /// Whether a call is held.
    held: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Inner {
    documents: Documents,
    writes: Vec<(String, String)>,
    mishaps: VecDeque<Mishap>,
    /// The call that is to be held.
    next_held: Option<(Does, IndexName)>,
}

pub(super) const INTENTS: &str = "maas-intents";

fn index(name: &str) -> IndexName {
    IndexName::new(name).unwrap()
}

impl FakeStore {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// These happen to the next writes of documents (not of intents), one each.
    pub(super) fn will(&self, mishaps: &[Mishap]) {
        self.inner().mishaps.extend(mishaps);
    }

    /// The next call that does this with documents of this index waits until it is let go.
    pub(super) fn hold(&self, does: Does, name: &str) {
        self.inner().next_held = Some((does, index(name)));
    }

    /// Until there is such a call.
    pub(super) async fn until_held(&self) {
        let mut held = self.held.subscribe();
        held.wait_for(|held| *held).await.unwrap();
    }

    pub(super) fn let_go(&self) {
        self.held.send_replace(false);
    }

    async fn pass(&self, does: Does, index: &IndexName) {
        // Others have a turn between a read and the write that follows.
        tokio::task::yield_now().await;
        let is_this = |(what, which): &mut (Does, IndexName)| *what == does && which == index;
        if self.inner().next_held.take_if(is_this).is_some() {
            let mut held = self.held.subscribe();
            self.held.send_replace(true);
            held.wait_for(|held| !held).await.unwrap();
        }
    }

    pub(super) fn put(&self, name: &str, id: &str, source: serde_json::Value) {
        let action = WriteAction {
            index: index(name),
            id: DocumentId::new(id).unwrap(),
            op: WriteOp::Index(source.as_object().unwrap().clone(), None),
        };
        self.inner().documents.write(0, action);
    }

    pub(super) fn get(&self, name: &str, id: &str) -> Option<Source> {
        let ids = [DocumentId::new(id).unwrap()];
        let mut found = self.inner().documents.get_many(&index(name), &ids);
        Some(found.pop()??.source)
    }

    /// `index/id` of every document written or deleted so far but for intents, in order.
    pub(super) fn writes(&self) -> Vec<String> {
        let inner = self.inner();
        let own = inner.writes.iter().filter(|(index, _)| index != INTENTS);
        own.map(|(index, id)| format!("{index}/{id}")).collect()
    }

    pub(super) fn count(&self, name: &str) -> usize {
        let inner = self.inner();
        let all = inner.documents.all();
        all.filter(|(index, ..)| index.as_str() == name).count()
    }
}

impl Inner {
    fn apply(&mut self, action: WriteAction) -> WriteOutcome {
        if let WriteOp::Create(source) | WriteOp::Index(source, _) = &action.op
            && source.contains_key("unstorable")
        {
            return WriteOutcome::Refused {
                field: Some("unstorable".to_owned()),
                reason: "no such type".to_owned(),
            };
        }
        let written = (action.index.to_string(), action.id.to_string());
        let outcome = self.documents.write(0, action);
        if outcome.is_done() {
            self.writes.push(written);
        }
        outcome
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
        self.pass(Does::Read, index).await;
        Ok(self.inner().documents.get_many(index, ids))
    }

    async fn write(&self, actions: Vec<WriteAction>) -> Result<Vec<WriteOutcome>, StoreError> {
        if let Some(first) = actions.first() {
            self.pass(Does::Write, &first.index).await;
        }
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
