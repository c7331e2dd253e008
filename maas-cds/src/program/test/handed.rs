//! The file of a step, as an interface takes it.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use maas_collector::collect::{CollectError, Collector, ItemOutcome, RawItem};

/// A file that could not be read to its end.
pub(super) struct BrokenFile {
    pub(super) interface: String,
    pub(super) file: String,
    pub(super) reason: String,
}

/// All of one test.
pub(super) type Broken = Arc<Mutex<Vec<BrokenFile>>>;

/// Hands one file to an interface.
pub(super) struct Handed {
    pub(super) item: Option<RawItem>,
    pub(super) interface: String,
    pub(super) broken: Broken,
}

#[async_trait]
impl Collector for Handed {
    async fn next(&mut self) -> Result<Option<RawItem>, CollectError> {
        Ok(self.item.take())
    }

    async fn settle(&mut self, item: RawItem, outcome: ItemOutcome) -> Result<(), CollectError> {
        if let ItemOutcome::Broken(reason) = outcome {
            let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
            broken.push(BrokenFile {
                interface: self.interface.clone(),
                file: item.name,
                reason,
            });
        }
        Ok(())
    }

    fn repeats(&self) -> bool {
        true
    }
}
