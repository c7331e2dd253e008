//! Runs one interface: collect, extract, store, announce, journal.
//!
//! ```text
//! read (collector, extractor thread) -> write (lookup, merge, store) -> announce (group, publish, settle)
//! ```
//!
//! The three stages run side by side with bounded queues between them. An item is settled, and marked as
//! done in the journal, only after everything of it is stored and its messages are confirmed.

mod announce;
mod batch;
mod compose;
mod dead;
mod error;
mod journal;
mod merge;
mod meta;
mod patience;
mod prepare;
mod preview;
mod publish;
mod read;
mod recipe;
mod replay;
mod room;
mod round;
mod stats;
#[cfg(test)]
mod tests;
mod write;

pub use error::FlowError;
pub use journal::JOURNAL_INDEX;
pub(crate) use meta::{SUFFIX as SIDE_FILE, path_of as side_file};
pub use preview::{FilePreview, Preview};
pub use replay::RecordReplay;
pub use room::Room;
pub use stats::{FlowCounts, FlowStats};

use std::sync::Arc;

use maas_model::clock::Clock;
use maas_model::document::Source;
use maas_model::message::{Binding, MessageBus};
use maas_model::pipeline::Interface;
use maas_model::plugin::unknown_name;
use maas_model::store::DocumentStore;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::collect::{Collector, CollectorContext, CollectorPlugin, RawItem};
use journal::Journal;
use patience::Patience;
use recipe::Recipe;
use replay::Trial;
use room::FlowRoom;

/// Portions that wait between the extractor and the writer, and batches between writer and announcer.
const QUEUED: usize = 4;

/// What a flow works with.
#[derive(Debug, Clone)]
pub struct FlowContext {
    /// Where documents go.
    pub store: Arc<dyn DocumentStore>,
    /// Where messages go.
    pub bus: Arc<dyn MessageBus>,
    /// `ingestionTime` and the dates of messages.
    pub clock: Clock,
    /// What is done with documents that did not change.
    pub force: Force,
    /// What the queues of this pipeline take: a message that should have come to one of them is published
    /// again until it does.
    pub bindings: Vec<Binding>,
    /// What all flows of the process share.
    pub room: Room,
}

/// What is done with documents that did not change. By default nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Force {
    /// They are announced.
    pub announce: bool,
    /// They are written again, with their old `ingestionTime`, and announced.
    pub write: bool,
}

/// When a flow ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowMode {
    /// When the collector has nothing more for now.
    Once,
    /// Never: it asks the collector again and again.
    Forever,
}

/// One interface, ready to run.
pub struct Flow {
    shared: Arc<Shared>,
    collector: Mutex<Box<dyn Collector>>,
    journal: Journal,
}

/// What the stages and the extractor thread share.
struct Shared {
    recipe: Recipe,
    store_meta: Vec<String>,
    room: FlowRoom,
    context: FlowContext,
    stats: Arc<FlowStats>,
    /// Set for the replay of a dead letter.
    trial: Option<Arc<Trial>>,
}

/// One item on its way.
struct Item {
    raw: RawItem,
    /// It may have been stored before without being announced.
    recovered: bool,
    /// What stands beside the file for all its documents.
    meta: Option<Source>,
}

impl Item {
    /// Where the file came from at first: its side file knows when this is a replay from elsewhere.
    fn folder(&self) -> Option<&str> {
        let kept = self.meta.as_ref().and_then(|meta| meta.get("reportFolder"));
        let kept = kept.and_then(serde_json::Value::as_str);
        kept.or(self.raw.folder.as_deref())
    }
}

/// How an item ended, as far as extraction goes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Ending {
    Complete,
    Broken(String),
    Released,
}

impl Flow {
    /// Makes the flow of an interface. No I/O.
    pub fn build(interface: &Interface, context: FlowContext) -> Result<Self, FlowError> {
        let journal = Journal::new(&interface.name, &context)?;
        let collector = Self::collector(interface, &journal)?;
        Self::assemble(interface, collector, journal, context)
    }

    fn collector(
        interface: &Interface,
        journal: &Journal,
    ) -> Result<Box<dyn Collector>, FlowError> {
        let plugin_use = &interface.collect;
        let plugin = CollectorPlugin::find(&plugin_use.name)
            .ok_or_else(|| FlowError::unknown("collector", plugin_use))?;
        let context = CollectorContext {
            interface: interface.name.clone(),
            base: plugin_use.base.clone(),
            taken: Arc::new(journal.clone()),
        };
        plugin
            .build(&plugin_use.settings, context)
            .map_err(|errors| FlowError::settings(plugin_use, &errors))
    }

    /// The same with another collector: `maas collect --interface NAME PATH...`.
    pub fn with_collector(
        interface: &Interface,
        collector: Box<dyn Collector>,
        context: FlowContext,
    ) -> Result<Self, FlowError> {
        let journal = Journal::new(&interface.name, &context)?;
        Self::assemble(interface, collector, journal, context)
    }

    fn assemble(
        interface: &Interface,
        collector: Box<dyn Collector>,
        journal: Journal,
        context: FlowContext,
    ) -> Result<Self, FlowError> {
        Ok(Self {
            journal,
            collector: Mutex::new(collector),
            shared: Arc::new(Shared {
                recipe: Recipe::of(interface, context.clock.clone())?,
                store_meta: interface.store_meta.clone(),
                room: context.room.of_a_flow(),
                context,
                stats: Arc::new(FlowStats::new(&interface.name)),
                trial: None,
            }),
        })
    }

    /// Live figures, for a progress bar and for knowing when there is nothing to do.
    pub fn stats(&self) -> Arc<FlowStats> {
        Arc::clone(&self.shared.stats)
    }

    /// Runs until there is nothing more (`Once`) or until `cancel`: then nothing new is taken, what was
    /// extracted is stored and announced, the rest stays with the source.
    ///
    /// While the store or the bus is away it waits. `Err` is for an operator; all that was settled is safe.
    pub async fn run(
        &self,
        cancel: CancellationToken,
        mode: FlowMode,
    ) -> Result<FlowCounts, FlowError> {
        let patience = Patience::new(self.journal.outages(), cancel);
        let (portions, portions_out) = mpsc::channel(QUEUED);
        let (batches, batches_out) = mpsc::channel(QUEUED);
        let ran = tokio::try_join!(
            Box::pin(self.read(&patience, mode, portions)),
            Box::pin(self.write(&patience, portions_out, batches)),
            Box::pin(self.announce(&patience, batches_out)),
        );
        match ran {
            Ok(_) | Err(FlowError::Cancelled) => Ok(self.shared.stats.counts()),
            Err(error) => Err(error),
        }
    }
}

impl FlowError {
    fn unknown(kind: &'static str, plugin: &maas_model::pipeline::PluginUse) -> Self {
        let hint = unknown_name(kind, &plugin.name).unwrap_or_default();
        Self::Plugin {
            place: plugin.place.to_string(),
            reason: format!("unknown {kind} `{}`; {hint}", plugin.name),
        }
    }
}
