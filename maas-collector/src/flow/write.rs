//! Second stage: joins portions to batches and writes some of them at a time.

use std::collections::{HashSet, VecDeque};

use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use maas_model::document::DocumentId;
use tokio::sync::mpsc;

use super::batch::{Batch, Written};
use super::patience::Patience;
use super::prepare::Portion;
use super::{Flow, FlowError};

/// Batches looked up and written at a time.
pub(super) const IN_FLIGHT: usize = 3;

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
                biased;
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
        batch.add(first, &self.shared.recipe.interface);
        while !batch.is_full() {
            match portions.try_recv() {
                Ok(portion) => batch.add(portion, &self.shared.recipe.interface),
                Err(_) => break,
            }
        }
        batch
    }
}
