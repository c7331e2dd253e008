//! Third stage: groups ids into messages, publishes, settles what is announced.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use maas_model::document::{DocumentId, IndexName, Source};
use maas_model::planted;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::batch::Written;
use super::patience::Patience;
use super::stats::Count;
use super::{Ending, Flow, FlowError, Item, meta};
use crate::collect::{ItemOutcome, RawItem};

/// Ids wait this long for others to share their message, when the source gives little by little.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// Items that wait together for a message to fill; then it is sent as it is.
const MOST_WAITING: usize = 128;

/// Ids that wait for their message, and items that wait for their ids.
#[derive(Default)]
struct Group {
    ids: VecDeque<(DocumentId, IndexName)>,
    /// Ids that ever came in, and that are announced or given up.
    received: u64,
    passed: u64,
    waiting: VecDeque<Waiting>,
    /// Refusals of items that have not ended.
    refused: BTreeMap<String, u64>,
    metas: BTreeMap<String, Source>,
}

/// An item that is stored and not yet announced.
struct Waiting {
    item: Arc<Item>,
    ending: Ending,
    /// It is announced when so many ids have passed.
    after: u64,
}

impl Flow {
    /// Runs until the writer is gone and all is announced and settled.
    pub(super) async fn announce(
        &self,
        patience: &Patience,
        mut batches: mpsc::Receiver<Written>,
    ) -> Result<(), FlowError> {
        let mut group = Group::default();
        loop {
            match tokio::time::timeout(LONGEST_WAIT, batches.recv()).await {
                Ok(Some(batch)) => self.take_over(patience, batch, &mut group).await?,
                Ok(None) => return self.flush(patience, &mut group, true).await,
                Err(_) => self.flush(patience, &mut group, true).await?,
            }
        }
    }

    async fn take_over(
        &self,
        patience: &Patience,
        batch: Written,
        group: &mut Group,
    ) -> Result<(), FlowError> {
        match &self.shared.trial {
            Some(trial) => trial.refuse(batch.dead),
            None => self.publish_dead(patience, batch.dead).await?,
        }
        if let Some(mut taken) = batch.taken {
            taken.settle(batch.outcomes);
        }
        for item in batch.refused {
            *group.refused.entry(item.raw.key.clone()).or_default() += 1;
        }
        for (item, meta) in batch.metas {
            group.metas.insert(item.raw.key.clone(), meta);
        }
        if self.shared.recipe.announce.documents.is_some() {
            group.received += batch.ids.len() as u64;
            group.ids.extend(batch.ids);
        }
        for (item, ending) in batch.ended {
            if ending == Ending::Complete {
                self.publish_file(patience, &item.raw).await?;
            }
            let after = group.received;
            group.waiting.push_back(Waiting {
                item,
                ending,
                after,
            });
        }
        let all = batch.turn_end || group.waiting.len() >= MOST_WAITING;
        self.flush(patience, group, all).await
    }

    /// Publishes full messages, or all that waits, and settles the items that have nothing left.
    async fn flush(
        &self,
        patience: &Patience,
        group: &mut Group,
        all: bool,
    ) -> Result<(), FlowError> {
        let before = group.ids.len();
        let outgoing = self.shared.recipe.messages(&mut group.ids, all);
        let ids = (before - group.ids.len()) as u64;
        if !outgoing.is_empty() {
            let refused = self.publish(patience, outgoing).await?;
            self.shared
                .stats
                .add(Count::Announced, ids.saturating_sub(refused));
            group.passed += ids;
        }
        self.settle_announced(patience, group).await
    }

    async fn settle_announced(
        &self,
        patience: &Patience,
        group: &mut Group,
    ) -> Result<(), FlowError> {
        let passed = group.passed;
        let announced = |waiting: &&Waiting| {
            planted!(SettleBeforeTheAnnouncement, return true);
            waiting.after <= passed
        };
        let count = group.waiting.iter().take_while(announced).count();
        let announced: Vec<Waiting> = group.waiting.drain(..count).collect();
        let mut finished = Vec::new();
        for Waiting { item, ending, .. } in announced {
            let refused = group.refused.remove(&item.raw.key).unwrap_or(0);
            if let Some(meta) = group.metas.remove(&item.raw.key) {
                keep_meta(&item.raw, meta).await;
            }
            let outcome = match &self.shared.trial {
                Some(trial) => trial.outcome(ending),
                None => outcome(ending, refused),
            };
            let stats = &self.shared.stats;
            stats.add(Count::Refused, refused);
            if outcome != ItemOutcome::Released {
                stats.add(Count::Files, 1);
                stats.add(
                    Count::Broken,
                    u64::from(matches!(outcome, ItemOutcome::Broken(_))),
                );
                finished.push((item.raw.clone(), trouble(&outcome)));
            }
            self.say(&item.raw, &outcome);
            self.settle(item.raw.clone(), outcome).await;
        }
        if finished.is_empty() {
            return Ok(());
        }
        patience
            .until_done("writing the journal", || self.journal.finish(&finished))
            .await
    }

    fn say(&self, item: &RawItem, outcome: &ItemOutcome) {
        let (interface, item) = (&self.shared.recipe.interface, &item.name);
        match outcome {
            ItemOutcome::Done => debug!(%interface, %item, "done"),
            ItemOutcome::Released => debug!(%interface, %item, "left for the next run"),
            ItemOutcome::Partly(reason) => warn!(%interface, %item, reason, "done in part"),
            ItemOutcome::Broken(reason) => warn!(%interface, %item, reason, "broken"),
        }
    }

    /// One message per file, by itself.
    async fn publish_file(&self, patience: &Patience, item: &RawItem) -> Result<(), FlowError> {
        let Some(outgoing) = self.shared.recipe.file_message(&item.name) else {
            return Ok(());
        };
        self.publish(patience, vec![outgoing]).await?;
        Ok(())
    }
}

fn outcome(ending: Ending, refused: u64) -> ItemOutcome {
    match ending {
        Ending::Released => ItemOutcome::Released,
        Ending::Broken(reason) => ItemOutcome::Broken(reason),
        Ending::Complete if refused == 0 => ItemOutcome::Done,
        Ending::Complete => ItemOutcome::Partly(format!("{refused} records were refused")),
    }
}

fn trouble(outcome: &ItemOutcome) -> Option<String> {
    match outcome {
        ItemOutcome::Done | ItemOutcome::Released => None,
        ItemOutcome::Partly(reason) | ItemOutcome::Broken(reason) => Some(reason.clone()),
    }
}

/// Writes the side file. That it cannot be written costs a later replay its facts, not this run.
async fn keep_meta(item: &RawItem, fields: Source) {
    let path = item.path.clone();
    let work = tokio::task::spawn_blocking(move || meta::write(&path, &fields));
    if let Ok(Err(error)) = work.await {
        warn!(item = %item.path.display(), %error, "cannot write the side file");
    }
}
