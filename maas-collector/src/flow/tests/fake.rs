//! A store and a bus that keep everything in memory and fail as a test tells them.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use maas_model::document::{Document, DocumentId, IndexName, Source, Version};
use maas_model::message::{
    BusError, BusStatus, MessageBus, Outgoing, Peeked, Published, QueueInfo, QueueName,
    Subscription, Topology,
};
use maas_model::model::Model;
use maas_model::store::{
    Aggregation, Bucket, DocumentStore, IndexInfo, Pages, Query, Search, StoreError, StoreStatus,
    WriteAction, WriteOp, WriteOutcome,
};
use tokio::sync::watch;

use super::JOURNAL_INDEX;

/// Keeps documents by index and id.
#[derive(Debug, Default)]
pub(super) struct FakeStore {
    script: Mutex<StoreScript>,
    /// Writes of documents do not begin while this says so.
    pub(super) stopped: watch::Sender<bool>,
}

/// What the next calls do. The journal is not concerned but by `away`.
#[derive(Debug, Default)]
pub(super) struct StoreScript {
    kept: BTreeMap<DocumentId, BTreeMap<IndexName, (Source, u64)>>,
    versions: u64,
    /// No call succeeds.
    pub(super) away: bool,
    /// Each of the next writes does so many of its actions and answers with an error.
    pub(super) lost: VecDeque<usize>,
    /// The next writes answer `Busy` for all but their first action.
    pub(super) busy: usize,
    /// Before so many of the next writes somebody else changes all their documents.
    pub(super) others: usize,
    /// Actions that were sent, call by call.
    pub(super) sent: Vec<usize>,
}

impl FakeStore {
    pub(super) fn set(&self, change: impl FnOnce(&mut StoreScript)) {
        change(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn with<T>(&self, look: impl FnOnce(&mut StoreScript) -> T) -> T {
        look(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn sent(&self) -> Vec<usize> {
        self.with(|script| script.sent.clone())
    }
}

impl StoreScript {
    fn reachable(&self) -> Result<(), StoreError> {
        if self.away { Err(away()) } else { Ok(()) }
    }

    fn find(&self, alias: &IndexName, id: &DocumentId) -> Option<Document> {
        let mut copies = self.kept.get(id)?.iter();
        let (index, (source, version)) =
            copies.find(|(index, _)| index.as_str().starts_with(alias.as_str()))?;
        Some(Document {
            index: index.clone(),
            id: id.clone(),
            version: Some(version_of(*version)),
            source: source.clone(),
        })
    }

    fn put(&mut self, index: IndexName, id: DocumentId, source: Source) -> Version {
        self.versions += 1;
        let kept = (source, self.versions);
        self.kept.entry(id).or_default().insert(index, kept);
        version_of(self.versions)
    }

    fn act(&mut self, action: WriteAction) -> WriteOutcome {
        let WriteAction { index, id, op } = action;
        let stored = self.kept.get(&id).and_then(|copies| copies.get(&index));
        let stored = stored.map(|(_, version)| version_of(*version));
        match op {
            WriteOp::Create(_) if stored.is_some() => WriteOutcome::Conflict,
            WriteOp::Index(_, Some(wanted)) if stored != Some(wanted) => WriteOutcome::Conflict,
            WriteOp::Create(source) | WriteOp::Index(source, _) => {
                WriteOutcome::Created(self.put(index, id, source))
            }
            WriteOp::Delete(_) => WriteOutcome::NotFound,
        }
    }

    /// Somebody else writes a field of these documents.
    fn meddle(&mut self, actions: &[WriteAction]) {
        for action in actions {
            let found = self.find(&action.index, &action.id);
            let mut source = found.map(|found| found.source).unwrap_or_default();
            source.insert("other".into(), self.versions.into());
            self.put(action.index.clone(), action.id.clone(), source);
        }
    }

    fn write(&mut self, mut actions: Vec<WriteAction>) -> Result<Vec<WriteOutcome>, StoreError> {
        self.reachable()?;
        if actions.iter().any(|a| a.index.as_str() == JOURNAL_INDEX) {
            return Ok(actions.into_iter().map(|a| self.act(a)).collect());
        }
        self.sent.push(actions.len());
        if self.others > 0 {
            self.others -= 1;
            self.meddle(&actions);
        }
        if let Some(done) = self.lost.pop_front() {
            for action in actions.into_iter().take(done) {
                self.act(action);
            }
            return Err(away());
        }
        let mut later = Vec::new();
        if self.busy > 0 && !actions.is_empty() {
            self.busy -= 1;
            later = actions.split_off(1);
        }
        let done: Vec<WriteOutcome> = actions.into_iter().map(|a| self.act(a)).collect();
        let later = later.iter().map(|_| WriteOutcome::Busy {
            reason: "told to".into(),
        });
        Ok(done.into_iter().chain(later).collect())
    }
}

fn version_of(number: u64) -> Version {
    Version {
        seq_no: number,
        primary_term: 1,
    }
}

fn away() -> StoreError {
    StoreError::Unreachable {
        endpoint: "fake store".into(),
        source: "told to".into(),
    }
}

#[async_trait]
impl DocumentStore for FakeStore {
    async fn get_many(
        &self,
        index: &IndexName,
        ids: &[DocumentId],
    ) -> Result<Vec<Option<Document>>, StoreError> {
        self.with(|script| {
            script.reachable()?;
            Ok(ids.iter().map(|id| script.find(index, id)).collect())
        })
    }

    async fn write(&self, actions: Vec<WriteAction>) -> Result<Vec<WriteOutcome>, StoreError> {
        if actions.iter().all(|a| a.index.as_str() != JOURNAL_INDEX) {
            let mut stopped = self.stopped.subscribe();
            stopped
                .wait_for(|stopped| !stopped)
                .await
                .map_err(|_| away())?;
        }
        self.with(|script| script.write(actions))
    }

    async fn search(&self, _: &IndexName, _: &Search) -> Result<Vec<Document>, StoreError> {
        Err(away())
    }

    async fn scan(&self, _: &IndexName, _: &Search) -> Result<Box<dyn Pages>, StoreError> {
        Err(away())
    }

    async fn count(&self, _: &IndexName, _: &Query) -> Result<u64, StoreError> {
        Err(away())
    }

    async fn aggregate(&self, _: &IndexName, _: &Aggregation) -> Result<Vec<Bucket>, StoreError> {
        Err(away())
    }

    async fn refresh(&self, _: &IndexName) -> Result<(), StoreError> {
        Ok(())
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

/// Keeps what it takes. Dead letters are in their parking queue, all else in every other queue.
#[derive(Debug, Default)]
pub(super) struct FakeBus {
    script: Mutex<BusScript>,
}

/// What the next calls do.
#[derive(Debug, Default)]
pub(super) struct BusScript {
    taken: Vec<Outgoing>,
    /// No call succeeds.
    pub(super) away: bool,
    /// Messages are taken and never confirmed.
    pub(super) deaf: bool,
    /// Larger bodies are refused.
    pub(super) largest: Option<usize>,
    /// But not those of dead letters.
    pub(super) spares_letters: bool,
    /// There is no queue of a name or with a binding for a key that begins so.
    pub(super) gone: Option<&'static str>,
}

impl FakeBus {
    pub(super) fn set(&self, change: impl FnOnce(&mut BusScript)) {
        change(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn with<T>(&self, look: impl FnOnce(&mut BusScript) -> T) -> T {
        look(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl BusScript {
    fn publish(&mut self, message: Outgoing) -> Published {
        let spared = self.spares_letters && message.exchange.as_str().is_empty();
        if !spared && self.largest.is_some_and(|most| message.body.len() > most) {
            return Published::Refused("too large".into());
        }
        if self
            .gone
            .is_some_and(|name| message.routing_key.as_str().starts_with(name))
        {
            return Published::Unroutable;
        }
        self.taken.push(message);
        Published::Routed
    }

    fn reachable(&self) -> Result<(), BusError> {
        if !self.away {
            return Ok(());
        }
        Err(BusError::Unreachable {
            endpoint: "fake bus".into(),
            source: "told to".into(),
        })
    }
}

/// Whether a message is in a queue.
fn is_in(queue: &QueueName, message: &Outgoing) -> bool {
    if message.exchange.as_str().is_empty() {
        message.routing_key.as_str() == queue.as_str()
    } else {
        !queue.as_str().starts_with(Topology::PARKING)
    }
}

#[async_trait]
impl MessageBus for FakeBus {
    async fn publish(&self, messages: Vec<Outgoing>) -> Result<Vec<Published>, BusError> {
        if self.with(|script| script.deaf) {
            std::future::pending::<()>().await;
        }
        self.with(|script| {
            script.reachable()?;
            Ok(messages.into_iter().map(|m| script.publish(m)).collect())
        })
    }

    async fn declare(&self, _: &Topology) -> Result<(), BusError> {
        Ok(())
    }

    async fn subscribe(&self, _: &QueueName, _: u16) -> Result<Box<dyn Subscription>, BusError> {
        Err(BusError::Closed)
    }

    async fn queues(&self, _: &str) -> Result<Vec<QueueInfo>, BusError> {
        Ok(Vec::new())
    }

    async fn peek(&self, queue: &QueueName, limit: usize) -> Result<Vec<Peeked>, BusError> {
        self.with(|script| {
            let found = script.taken.iter().filter(|message| is_in(queue, message));
            let peeked = found.take(limit).map(|message| Peeked {
                routing_key: message.routing_key.clone(),
                exchange: message.exchange.clone(),
                body: message.body.clone(),
                headers: message.headers.clone(),
            });
            Ok(peeked.collect())
        })
    }

    async fn purge(&self, queue: &QueueName) -> Result<u64, BusError> {
        self.with(|script| {
            let before = script.taken.len();
            script.taken.retain(|message| !is_in(queue, message));
            Ok((before - script.taken.len()) as u64)
        })
    }

    async fn status(&self) -> Result<BusStatus, BusError> {
        Err(BusError::Closed)
    }

    async fn close(&self) -> Result<(), BusError> {
        Ok(())
    }
}
