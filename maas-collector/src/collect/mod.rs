//! Where data come from: the collector contract and the registry of collectors.

pub mod file;
mod given;
mod plugin;

pub use given::GivenFiles;
pub use plugin::{CollectorConfig, CollectorContext, CollectorPlugin, NothingTaken, Taken};

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;

/// Brings the raw items of one interface, oldest first. Built by its plugin without I/O.
#[async_trait]
pub trait Collector: Send {
    /// The next item, or `None` when there is no more for now. An item that was given and not settled is
    /// not given again by the same collector, but by the next one (after a restart). Cancel safe: a
    /// call that is dropped takes nothing.
    async fn next(&mut self) -> Result<Option<RawItem>, CollectError>;

    /// Called once per item, in any order, only after everything of it is stored and announced, or
    /// refused for good. Only now the source may forget it.
    async fn settle(&mut self, item: RawItem, outcome: ItemOutcome) -> Result<(), CollectError>;

    /// How long to wait after `None` before asking again.
    fn poll_interval(&self) -> Duration {
        Duration::from_secs(10)
    }

    /// Where a file that it once gave may be by now, likelier places first. Blocks.
    fn places(&self, file: &Path) -> Vec<PathBuf> {
        vec![file.to_owned()]
    }

    /// Whether an item is ingested although the journal says that it was done before: an operator asked.
    fn repeats(&self) -> bool {
        false
    }
}

/// One file to ingest.
#[derive(Debug, Clone, PartialEq)]
pub struct RawItem {
    /// Unique among the items of the interface: what the journal remembers. A file that changed has
    /// another key (path, size and time of change for local files).
    pub key: String,
    /// Base name: `reportName` of its records.
    pub name: String,
    /// `reportFolder` of its records.
    pub folder: Option<String>,
    /// The local file that holds the bytes; it stays until the item is settled.
    pub path: PathBuf,
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq)]
pub enum ItemOutcome {
    /// Everything of it is stored and announced.
    Done,
    /// Some records were refused (they are dead letters); the rest is stored and announced.
    Partly(String),
    /// The file cannot be read; records before the damage are stored and announced.
    Broken(String),
    /// Not now (shutdown): the source keeps it as it is.
    Released,
}

/// Why a source could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectError {
    /// Try again later.
    #[error("cannot read {place}")]
    Unreachable {
        /// Folder, host or address, without credentials.
        place: String,
        /// What happened.
        #[source]
        source: maas_model::BoxError,
    },
    /// An operator must act.
    #[error("{place}: {reason}")]
    Refused {
        /// Folder, host or address, without credentials.
        place: String,
        /// What is wrong and what to do.
        reason: String,
    },
}
