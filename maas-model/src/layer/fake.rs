//! A store for the tests of layers: keeps nothing, fails when told to, remembers what it was asked.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;

use crate::document::{Document, DocumentId, IndexName, Version};
use crate::model::Model;
use crate::store::{
    Aggregation, Bucket, DocumentStore, IndexInfo, Pages, Query, Search, StoreError, StoreStatus,
    WriteAction, WriteOutcome,
};

#[derive(Debug, Default)]
pub(super) struct FakeStore {
    refresh: Duration,
    script: Mutex<Script>,
}

#[derive(Debug, Default)]
struct Script {
    refreshes: usize,
    failing: usize,
    refusing: usize,
    failing_call: Option<usize>,
    busy: HashMap<String, usize>,
    sent: Vec<usize>,
}

impl FakeStore {
    pub(super) fn with_refresh_of(refresh: Duration) -> Self {
        Self {
            refresh,
            script: Mutex::default(),
        }
    }

    /// The next `calls` fail with a temporary error.
    pub(super) fn fail_next(&self, calls: usize) {
        self.script.lock().unwrap().failing = calls;
    }

    /// The next `calls` fail for good.
    pub(super) fn refuse_next(&self, calls: usize) {
        self.script.lock().unwrap().refusing = calls;
    }

    /// The write with this number (from 0) fails with a temporary error.
    pub(super) fn fail_call(&self, number: usize) {
        self.script.lock().unwrap().failing_call = Some(number);
    }

    /// The first `times` that the document is sent it is answered `Busy`.
    pub(super) fn busy_for(&self, id: &str, times: usize) {
        self.script
            .lock()
            .unwrap()
            .busy
            .insert(id.to_owned(), times);
    }

    pub(super) fn refreshes(&self) -> usize {
        self.script.lock().unwrap().refreshes
    }

    /// The number of actions of each write.
    pub(super) fn sent(&self) -> Vec<usize> {
        self.script.lock().unwrap().sent.clone()
    }
}

impl Script {
    fn answer(&mut self) -> Result<(), StoreError> {
        if self.failing > 0 {
            self.failing -= 1;
            return Err(away());
        }
        if self.refusing > 0 {
            self.refusing -= 1;
            return Err(StoreError::Refused {
                endpoint: "fake".to_owned(),
                reason: "told to".to_owned(),
            });
        }
        Ok(())
    }

    fn write(&mut self, action: &WriteAction) -> WriteOutcome {
        if let Some(times) = self.busy.get_mut(action.id.as_str())
            && *times > 0
        {
            *times -= 1;
            return WriteOutcome::Busy {
                reason: "told to".to_owned(),
            };
        }
        let number = action.id.as_str().rsplit('-').next().unwrap_or_default();
        WriteOutcome::Created(Version {
            seq_no: number.parse().unwrap_or_default(),
            primary_term: 1,
        })
    }
}

fn away() -> StoreError {
    StoreError::Unreachable {
        endpoint: "fake".to_owned(),
        source: "told to".into(),
    }
}

#[async_trait]
impl DocumentStore for FakeStore {
    async fn get_many(
        &self,
        _index: &IndexName,
        ids: &[DocumentId],
    ) -> Result<Vec<Option<Document>>, StoreError> {
        Ok(vec![None; ids.len()])
    }

    async fn write(&self, actions: Vec<WriteAction>) -> Result<Vec<WriteOutcome>, StoreError> {
        let mut script = self.script.lock().unwrap();
        script.sent.push(actions.len());
        if script.failing_call == Some(script.sent.len() - 1) {
            return Err(away());
        }
        script.answer()?;
        Ok(actions.iter().map(|action| script.write(action)).collect())
    }

    async fn search(&self, _: &IndexName, _: &Search) -> Result<Vec<Document>, StoreError> {
        Ok(Vec::new())
    }

    async fn scan(&self, _: &IndexName, _: &Search) -> Result<Box<dyn Pages>, StoreError> {
        Err(away())
    }

    async fn count(&self, _: &IndexName, _: &Query) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn aggregate(&self, _: &IndexName, _: &Aggregation) -> Result<Vec<Bucket>, StoreError> {
        Ok(Vec::new())
    }

    async fn refresh(&self, _: &IndexName) -> Result<(), StoreError> {
        tokio::time::sleep(self.refresh).await;
        let mut script = self.script.lock().unwrap();
        script.refreshes += 1;
        script.answer()
    }

    async fn install(&self, _: &Model) -> Result<(), StoreError> {
        Ok(())
    }

    async fn indices(&self, _: &str) -> Result<Vec<IndexInfo>, StoreError> {
        Ok(Vec::new())
    }

    async fn drop_index(&self, _: &IndexName) -> Result<(), StoreError> {
        Ok(())
    }

    async fn status(&self) -> Result<StoreStatus, StoreError> {
        Err(away())
    }

    async fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}
