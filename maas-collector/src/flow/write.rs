//! Second stage: joins portions to batches, looks up what is stored, merges, writes.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use maas_model::document::{Document, DocumentId, IndexName, Source, zulu};
use maas_model::message::DeadLetter;
use maas_model::store::{WriteAction, WriteOp, WriteOutcome};
use tokio::sync::mpsc;
use tracing::warn;

use super::merge::{Effect, Entry, Plan};
use super::patience::Patience;
use super::prepare::{Portion, Prepared};
use super::stats::Count;
use super::{Ending, Flow, FlowError, Item, Target, dead};

/// Most records and (about) bytes in one batch.
const BATCH_RECORDS: usize = 1_000;
const BATCH_BYTES: usize = 4 << 20;
/// Batches looked up and written at a time.
const IN_FLIGHT: usize = 3;
/// How often a document that others change at the same time is read again.
const MOST_ROUNDS: usize = 10;
/// How long the store is given before it is asked again for what it had no room for.
const BUSY_DELAY: Duration = Duration::from_millis(200);

/// A batch that is stored, on its way to the announcer.
#[derive(Default)]
pub(super) struct Written {
    /// To be announced, each with its index.
    pub(super) ids: Vec<(DocumentId, IndexName)>,
    pub(super) dead: Vec<DeadLetter>,
    /// Items whose last record is in this batch.
    pub(super) ended: Vec<(Arc<Item>, Ending)>,
    /// Items of which something was refused, as often as something was.
    pub(super) refused: Vec<Arc<Item>>,
    /// What is to be kept beside the file, for items whose documents changed.
    pub(super) metas: Vec<(Arc<Item>, Source)>,
    /// The source has nothing more for now.
    pub(super) turn_end: bool,
}

/// Portions that are written together.
#[derive(Default)]
struct Batch {
    records: Vec<Prepared>,
    bytes: usize,
    written: Written,
}

impl Batch {
    fn add(&mut self, portion: Portion, owner: &str) {
        match portion {
            Portion::TurnEnd => self.written.turn_end = true,
            Portion::Records {
                item,
                records,
                bad,
                bytes,
                ending,
            } => {
                self.bytes += bytes;
                self.records.extend(records);
                for record in bad {
                    self.written.dead.push(dead::record(owner, &item, record));
                    self.written.refused.push(Arc::clone(&item));
                }
                if let Some(ending) = ending {
                    self.written.ended.push((item, ending));
                }
            }
        }
    }

    fn is_full(&self) -> bool {
        self.records.len() >= BATCH_RECORDS || self.bytes >= BATCH_BYTES || self.written.turn_end
    }
}

impl Flow {
    /// Runs until the reader is gone and all is written. Batches leave in the order they came.
    pub(super) async fn write(
        &self,
        patience: &Patience,
        mut portions: mpsc::Receiver<Portion>,
        batches: mpsc::Sender<Written>,
    ) -> Result<(), FlowError> {
        let mut running = FuturesOrdered::new();
        let mut ids_running: VecDeque<HashSet<DocumentId>> = VecDeque::new();
        let mut open = true;
        while open || !running.is_empty() {
            tokio::select! {
                Some(written) = running.next(), if !running.is_empty() => {
                    ids_running.pop_front();
                    if batches.send(written?).await.is_err() {
                        return Ok(());
                    }
                }
                portion = portions.recv(), if open && running.len() < IN_FLIGHT => {
                    let Some(portion) = portion else {
                        open = false;
                        continue;
                    };
                    let batch = self.batch(portion, &mut portions);
                    let ids: HashSet<_> = batch.records.iter().map(|r| r.id.clone()).collect();
                    // A document of a batch on its way: the later record has to win.
                    while ids_running.iter().any(|running| !running.is_disjoint(&ids)) {
                        let Some(written) = running.next().await else { break };
                        ids_running.pop_front();
                        if batches.send(written?).await.is_err() {
                            return Ok(());
                        }
                    }
                    ids_running.push_back(ids);
                    running.push_back(Box::pin(self.write_batch(patience, batch)));
                }
            }
        }
        Ok(())
    }

    /// Takes what is there already, up to the size of a batch; waits for nothing.
    fn batch(&self, first: Portion, portions: &mut mpsc::Receiver<Portion>) -> Batch {
        let mut batch = Batch::default();
        batch.add(first, &self.shared.interface);
        while !batch.is_full() {
            match portions.try_recv() {
                Ok(portion) => batch.add(portion, &self.shared.interface),
                Err(_) => break,
            }
        }
        batch
    }

    async fn write_batch(&self, patience: &Patience, batch: Batch) -> Result<Written, FlowError> {
        let Batch {
            mut records,
            mut written,
            ..
        } = batch;
        let Some(target) = &self.shared.target else {
            return Ok(written);
        };
        let mut rounds = 0;
        while !records.is_empty() {
            let stored = self.lookup(patience, target, &records).await?;
            let plan = Plan::new(records, stored);
            records = self.carry_out(patience, target, plan, &mut written).await?;
            rounds += 1;
            if rounds == MOST_ROUNDS {
                for record in records.drain(..) {
                    let action = WriteAction {
                        index: record.index.clone(),
                        id: record.id.clone(),
                        op: WriteOp::Create(record.source.clone()),
                    };
                    let reason = "others changed it again and again meanwhile";
                    self.refuse(&mut written, &record, action, reason);
                }
            }
        }
        Ok(written)
    }

    async fn lookup(
        &self,
        patience: &Patience,
        target: &Target,
        records: &[Prepared],
    ) -> Result<Vec<Document>, FlowError> {
        let mut seen = HashSet::with_capacity(records.len());
        let ids: Vec<DocumentId> = records
            .iter()
            .map(|record| &record.id)
            .filter(|id| seen.insert(*id))
            .cloned()
            .collect();
        let store = &self.shared.context.store;
        let found = patience
            .until_done("reading documents", || {
                store.get_many(&target.model.alias, &ids)
            })
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Writes what the plan changes; gives back the records of documents that others changed meanwhile.
    async fn carry_out(
        &self,
        patience: &Patience,
        target: &Target,
        plan: Plan,
        written: &mut Written,
    ) -> Result<Vec<Prepared>, FlowError> {
        let now = zulu(self.shared.context.clock.now());
        let force = self.shared.context.force;
        let remake = |id: &DocumentId| {
            let entry = plan.entries.get(id)?;
            Some(entry.action(entry.merged(&target.model, &now)))
        };
        let mut effects = Vec::with_capacity(plan.entries.len());
        let mut actions = Vec::new();
        for entry in plan.entries.values() {
            let merged = entry.merged(&target.model, &now);
            effects.push(merged.effect);
            if merged.effect != Effect::Unchanged || force.write {
                actions.push(entry.action(merged));
            }
        }
        let mut outcomes = self.write_all(patience, actions, &remake).await?;
        let mut again = Vec::new();
        for ((id, entry), effect) in plan.entries.iter().zip(effects) {
            match outcomes.remove(id) {
                Some(WriteOutcome::Conflict) => again.extend(entry.records().cloned()),
                Some(WriteOutcome::Refused { field, reason }) => {
                    let reason = match field {
                        Some(field) => format!("field `{field}`: {reason}"),
                        None => reason,
                    };
                    if let Some(action) = remake(id) {
                        self.refuse(written, entry.last(), action, &reason);
                    }
                }
                _ => self.stored(written, id, entry, effect),
            }
        }
        Ok(again)
    }

    /// Notes what came of a document that is as it should be.
    fn stored(&self, written: &mut Written, id: &DocumentId, entry: &Entry, effect: Effect) {
        let (stats, force) = (&self.shared.stats, self.shared.context.force);
        let count = match effect {
            Effect::New => Count::New,
            Effect::Updated => Count::Updated,
            Effect::Unchanged => Count::Unchanged,
        };
        stats.add(count, 1);
        // Further records of the same document in the batch.
        stats.add(Count::Unchanged, entry.records().len() as u64 - 1);
        let changed = effect != Effect::Unchanged;
        if changed || force.announce || force.write || entry.is_recovered() {
            written.ids.push((id.clone(), entry.index().clone()));
        }
        let record = entry.last();
        if changed && !self.shared.store_meta.is_empty() && record.item.meta.is_none() {
            let kept = self.shared.store_meta.iter().filter_map(|field| {
                let value = record.source.get(field)?;
                Some((field.clone(), value.clone()))
            });
            written
                .metas
                .push((Arc::clone(&record.item), kept.collect()));
        }
    }

    /// The store will not have a document: it becomes a dead letter.
    fn refuse(&self, written: &mut Written, record: &Prepared, action: WriteAction, reason: &str) {
        let item = &record.item;
        let letter = dead::document(&self.shared.interface, item, action, reason);
        written.dead.push(letter);
        written.refused.push(Arc::clone(item));
    }

    /// One outcome per document; none of them is `Busy`.
    async fn write_all(
        &self,
        patience: &Patience,
        actions: Vec<WriteAction>,
        remake: &(dyn Fn(&DocumentId) -> Option<WriteAction> + Sync),
    ) -> Result<HashMap<DocumentId, WriteOutcome>, FlowError> {
        let store = &self.shared.context.store;
        let mut outcomes = HashMap::with_capacity(actions.len());
        let mut todo = actions;
        let mut waiting = false;
        while !todo.is_empty() {
            let ids: Vec<DocumentId> = todo.iter().map(|action| action.id.clone()).collect();
            // Made again only when they have to be sent again: most never have.
            let mut first = Some(todo);
            let found = patience
                .until_done("writing documents", || {
                    let actions = first.take();
                    store.write(actions.unwrap_or_else(|| ids.iter().filter_map(remake).collect()))
                })
                .await?;
            todo = Vec::new();
            for (id, outcome) in ids.into_iter().zip(found) {
                match outcome {
                    WriteOutcome::Busy { reason } => {
                        if !waiting {
                            warn!(interface = %self.shared.interface, reason, "the store has no room, waiting");
                            waiting = true;
                        }
                        todo.extend(remake(&id));
                    }
                    outcome => {
                        outcomes.insert(id, outcome);
                    }
                }
            }
            if !todo.is_empty() {
                patience.pause(BUSY_DELAY).await?;
            }
        }
        Ok(outcomes)
    }
}
