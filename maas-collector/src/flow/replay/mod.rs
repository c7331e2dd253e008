//! Ingests records of dead letters again, through what their interfaces are now.
//!
//! A replay is a run of the flow with one item, of which one record is taken: same id, same document, same
//! announcement, same marks in the journal as if it had been collected. The item is the letter, so a replay
//! that died between writing and announcing is made up for by the next one, and one that was done is not done
//! again. What fails again is told to the caller and leaves no mark.

mod only;
mod trial;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use async_trait::async_trait;
use maas_model::message::{DeadLetter, DeadOriginal, ReplayRecord, Replayed};
use maas_model::pipeline::Interface;
use tokio_util::sync::CancellationToken;

use self::only::{Only, Wanted};
pub(super) use self::trial::Trial;
use super::journal::Journal;
use super::recipe::Target;
use super::{Flow, FlowContext, FlowError, FlowMode, meta};
use crate::collect::{CollectError, Collector, ItemOutcome, RawItem};
use crate::extract::Extractor;

/// The records of the dead letters of some interfaces.
pub struct RecordReplay {
    interfaces: Vec<Interface>,
    context: FlowContext,
}

impl RecordReplay {
    /// With the interfaces as they are now.
    pub fn new(interfaces: Vec<Interface>, context: FlowContext) -> Self {
        Self {
            interfaces,
            context,
        }
    }

    async fn ingest(
        &self,
        interface: &Interface,
        letter: &DeadLetter,
        wanted: Wanted,
    ) -> Result<Replayed, FlowError> {
        let context = self.context.clone();
        let places = wanted.places(interface, &context).await?;
        let item = item(letter, &wanted.file, &places);
        let settled = Arc::<AtomicBool>::default();
        let collector = Letter {
            item: Some(item),
            settled: Arc::clone(&settled),
        };
        let trial = Arc::<Trial>::default();
        let mut flow = Flow::with_collector(interface, Box::new(collector), context)?;
        if !flow.attempt(Arc::clone(&trial), |extractor| {
            Box::new(Only::new(extractor, wanted, places))
        }) {
            return Ok(Replayed::Kept(format!(
                "interface `{}` makes no documents any more",
                interface.name
            )));
        }
        flow.run(CancellationToken::new(), FlowMode::Once).await?;
        Ok(match trial.verdict() {
            Some(came) => came,
            None if settled.load(Relaxed) => Replayed::Done,
            None => Replayed::Kept("it came to no end".into()),
        })
    }
}

impl Flow {
    /// Makes it a run of what `choose` takes of the extractor's records, whose failure `trial` is told.
    /// The file was announced, and facts kept beside it, when it was collected. `false`: it has no extractor.
    fn attempt(
        &mut self,
        trial: Arc<Trial>,
        choose: impl FnOnce(Box<dyn Extractor>) -> Box<dyn Extractor>,
    ) -> bool {
        let Some(shared) = Arc::get_mut(&mut self.shared) else {
            return false;
        };
        shared.trial = Some(trial);
        shared.store_meta.clear();
        shared.recipe.announce.files = None;
        let Some(target) = shared.recipe.target.take() else {
            return false;
        };
        shared.recipe.target = Some(Target {
            extractor: choose(target.extractor),
            ..target
        });
        true
    }
}

#[async_trait]
impl ReplayRecord for RecordReplay {
    async fn replay(&self, letter: &DeadLetter) -> Replayed {
        let Some(wanted) = Wanted::of(letter) else {
            return Replayed::Kept("it is no record".into());
        };
        let mut interfaces = self.interfaces.iter();
        let Some(interface) = interfaces.find(|interface| interface.name == letter.owner) else {
            return Replayed::Kept(format!("the pipeline has no interface `{}`", letter.owner));
        };
        match self.ingest(interface, letter, wanted).await {
            Ok(came) => came,
            Err(error) => Replayed::Kept(error.to_string()),
        }
    }
}

impl Wanted {
    fn of(letter: &DeadLetter) -> Option<Self> {
        let DeadOriginal::Record {
            file,
            place,
            raw,
            head,
        } = &letter.original
        else {
            return None;
        };
        Some(Self {
            file: file.into(),
            place: place.clone(),
            raw: raw.clone(),
            head: head.clone(),
        })
    }

    /// Where the file may be by now.
    async fn places(
        &self,
        interface: &Interface,
        context: &FlowContext,
    ) -> Result<Vec<PathBuf>, FlowError> {
        let journal = Journal::new(&interface.name, context)?;
        let collector = Flow::collector(interface, &journal)?;
        let file = self.file.clone();
        let places = tokio::task::spawn_blocking(move || collector.places(&file)).await;
        Ok(places.unwrap_or_default())
    }
}

/// The item that stands for a letter: named after the file of its record, with the facts beside that.
fn item(letter: &DeadLetter, file: &Path, places: &[PathBuf]) -> RawItem {
    let beside = |place: &&PathBuf| meta::path_of(place).exists();
    let path = places.iter().find(beside).map_or(file, PathBuf::as_path);
    let name = file.file_name().unwrap_or_default();
    RawItem {
        key: format!("dead letter {}", letter.id),
        name: name.to_string_lossy().into_owned(),
        folder: file.parent().map(|folder| folder.display().to_string()),
        path: path.to_owned(),
    }
}

/// Brings one letter.
struct Letter {
    item: Option<RawItem>,
    settled: Arc<AtomicBool>,
}

#[async_trait]
impl Collector for Letter {
    async fn next(&mut self) -> Result<Option<RawItem>, CollectError> {
        Ok(self.item.take())
    }

    async fn settle(&mut self, _item: RawItem, outcome: ItemOutcome) -> Result<(), CollectError> {
        self.settled.store(outcome == ItemOutcome::Done, Relaxed);
        Ok(())
    }
}
