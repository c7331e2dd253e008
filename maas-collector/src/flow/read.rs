//! First stage: asks the collector, keeps the journal's start marks, extracts file after file.

use std::sync::Arc;

use maas_model::planted;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::journal::Mark;
use super::patience::Patience;
use super::prepare::{Blocking, Outlet, Portion, extract};
use super::{Ending, Flow, FlowError, FlowMode, Item, Shared, meta};
use crate::collect::{CollectError, ItemOutcome, RawItem};

/// Items taken from the collector together: one look into the journal for all.
const TAKEN_TOGETHER: usize = 16;
/// Items that may wait for their settlement, whatever the size of messages.
const MOST_UNSETTLED: usize = 512;

impl Flow {
    /// Runs until the mode or the cancellation ends it.
    pub(super) async fn read(
        &self,
        patience: &Patience,
        mode: FlowMode,
        portions: mpsc::Sender<Portion>,
    ) -> Result<(), FlowError> {
        let stats = &self.shared.stats;
        while !patience.cancel().is_cancelled() {
            let items = match self.take(patience).await {
                Ok(items) => items,
                Err(error) if mode == FlowMode::Once => return Err(error.into()),
                Err(error) => {
                    warn!(interface = %self.shared.recipe.interface, %error, "cannot collect, trying again later");
                    Vec::new()
                }
            };
            if items.is_empty() {
                if mode == FlowMode::Once {
                    stats.set_waiting(true);
                    return Ok(());
                }
                if portions.send(Portion::TurnEnd).await.is_err() {
                    return Ok(());
                }
                stats.set_waiting(true);
                let interval = self.collector.lock().await.poll_interval();
                if patience.wait(interval).await.is_err() {
                    return Ok(());
                }
                continue;
            }
            self.begin(patience, items, &portions).await?;
        }
        Ok(())
    }

    /// Some items, oldest first; none when there are none for now or the run is cancelled.
    async fn take(&self, patience: &Patience) -> Result<Vec<RawItem>, CollectError> {
        let mut items = Vec::new();
        let mut collector = self.collector.lock().await;
        while items.len() < TAKEN_TOGETHER {
            let next = tokio::select! {
                biased;
                () = patience.cancel().cancelled() => break,
                next = collector.next() => next,
            };
            match next {
                Ok(Some(item)) => items.push(item),
                Ok(None) => break,
                // What was taken before the error is worked on; the error will come again.
                Err(error) if items.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(items)
    }

    async fn begin(
        &self,
        patience: &Patience,
        items: Vec<RawItem>,
        portions: &mpsc::Sender<Portion>,
    ) -> Result<(), FlowError> {
        let stats = &self.shared.stats;
        stats.set_waiting(false);
        stats.taken(items.len() as u64);
        let keys: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
        let marks = patience
            .until_done("reading the journal", || self.journal.marks(&keys))
            .await?;
        let repeats = self.collector.lock().await.repeats();
        let marks: Vec<Mark> = marks
            .into_iter()
            .map(|mark| {
                if repeats && mark == Mark::Done {
                    Mark::Unknown
                } else {
                    mark
                }
            })
            .collect();
        let fresh: Vec<&RawItem> = items
            .iter()
            .zip(&marks)
            .filter(|(_, mark)| **mark == Mark::Unknown)
            .map(|(item, _)| item)
            .collect();
        self.mark_started(patience, &fresh).await?;
        planted!(BookmarkAhead, self.mark_done(patience, &items).await?);
        for (item, mark) in items.into_iter().zip(marks) {
            if patience.cancel().is_cancelled() {
                self.settle(item, ItemOutcome::Released).await;
            } else if mark == Mark::Done {
                debug!(interface = %self.shared.recipe.interface, item = %item.key, "done before");
                self.settle(item, ItemOutcome::Done).await;
            } else {
                self.unsettled_items_are_few(patience).await?;
                let recovered = mark == Mark::Started;
                self.extract(patience, item, recovered, portions).await;
            }
        }
        Ok(())
    }

    async fn mark_started(&self, patience: &Patience, fresh: &[&RawItem]) -> Result<(), FlowError> {
        planted!(ForgetTheStartMark, return Ok(()));
        if fresh.is_empty() {
            return Ok(());
        }
        patience
            .until_done("writing the journal", || self.journal.begin(fresh))
            .await
    }

    /// Wrong on purpose: they are not.
    async fn mark_done(&self, patience: &Patience, items: &[RawItem]) -> Result<(), FlowError> {
        let all: Vec<_> = items.iter().map(|item| (item.clone(), None)).collect();
        patience
            .until_done("writing the journal", || self.journal.finish(&all))
            .await
    }

    /// Waits while too many items wait for their messages.
    async fn unsettled_items_are_few(&self, patience: &Patience) -> Result<(), FlowError> {
        while self.shared.stats.unsettled() > MOST_UNSETTLED as u64 {
            patience.wait(std::time::Duration::from_millis(20)).await?;
        }
        Ok(())
    }

    /// Extracts one item on a blocking thread.
    async fn extract(
        &self,
        patience: &Patience,
        raw: RawItem,
        recovered: bool,
        portions: &mpsc::Sender<Portion>,
    ) {
        let bare = Arc::new(Item {
            raw: raw.clone(),
            recovered,
            meta: None,
        });
        let cancel = patience.cancel().clone();
        let Err(ending) = run(
            Arc::clone(&self.shared),
            raw,
            recovered,
            portions.clone(),
            cancel,
        )
        .await
        else {
            return;
        };
        // A closed channel means that another stage failed, and says so itself.
        let _ = portions
            .send(Portion::Records {
                item: bare,
                records: Vec::new(),
                bad: Vec::new(),
                taken: self.shared.stats.take(0),
                place: None,
                bytes: 0,
                ending: Some(ending),
            })
            .await;
    }

    /// Tells the collector; what it cannot do (a file that cannot be moved) is told and not fatal: the
    /// journal knows the item.
    pub(super) async fn settle(&self, item: RawItem, outcome: ItemOutcome) {
        let key = item.key.clone();
        if let Err(error) = self.collector.lock().await.settle(item, outcome).await {
            warn!(interface = %self.shared.recipe.interface, item = %key, %error, "cannot settle");
        }
        self.shared.stats.settled();
    }
}

/// Extracts on a blocking thread; how the item ends when it came to no end by itself.
async fn run(
    shared: Arc<Shared>,
    raw: RawItem,
    recovered: bool,
    portions: mpsc::Sender<Portion>,
    cancel: CancellationToken,
) -> Result<(), Ending> {
    #[cfg(feature = "simulation")]
    if maas_model::chance::is_seeded() {
        return inline(&shared, raw, recovered, &portions, &cancel).await;
    }
    let work = tokio::task::spawn_blocking(move || {
        let mut outlet = Blocking {
            shared: &shared,
            portions: &portions,
        };
        extract_item(&shared, raw, recovered, &mut outlet, &cancel)
    });
    work.await
        .unwrap_or_else(|error| Err(Ending::Broken(format!("the extractor failed: {error}"))))
}

fn extract_item(
    shared: &Shared,
    raw: RawItem,
    recovered: bool,
    outlet: &mut dyn Outlet,
    cancel: &CancellationToken,
) -> Result<(), Ending> {
    let Some(target) = &shared.recipe.target else {
        return Err(Ending::Complete);
    };
    let meta = meta::read(&raw.path).map_err(Ending::Broken)?;
    let item = Arc::new(Item {
        raw,
        recovered,
        meta,
    });
    extract(shared, target, item, outlet, cancel);
    Ok(())
}

/// Without a thread, whose pace nobody can repeat. What is extracted is kept until there is room: for the
/// small files of a simulation.
#[cfg(feature = "simulation")]
async fn inline(
    shared: &Shared,
    raw: RawItem,
    recovered: bool,
    portions: &mpsc::Sender<Portion>,
    cancel: &CancellationToken,
) -> Result<(), Ending> {
    struct Kept(Vec<Portion>);
    impl Outlet for Kept {
        fn put(&mut self, portion: Portion) -> bool {
            self.0.push(portion);
            true
        }
    }
    let mut kept = Kept(Vec::new());
    extract_item(shared, raw, recovered, &mut kept, cancel)?;
    for mut portion in kept.0 {
        if let Portion::Records { place, bytes, .. } = &mut portion {
            *place = Some(shared.room.take(*bytes).await);
        }
        if portions.send(portion).await.is_err() {
            break;
        }
    }
    Ok(())
}
