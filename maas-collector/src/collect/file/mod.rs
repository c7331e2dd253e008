//! Files of local folders: settings and collector.

mod aside;
mod legacy;
mod listing;
#[cfg(test)]
mod tests;

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use maas_model::plugin::{SettingError, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use tracing::warn;

use super::{
    CollectError, Collector, CollectorConfig, CollectorContext, CollectorPlugin, ItemOutcome,
    RawItem, Taken,
};
use listing::{Found, Listing};
pub(crate) use listing::{glob, item};

/// Keys asked of the journal together.
const ASKED_TOGETHER: usize = 500;

/// Takes the files of local folders, oldest first, and watches for new ones.
///
/// Hidden files (`.x`), unfinished ones (`*.part`, `*.tmp`, `*.filepart`), error reports (`*.err.log`) and
/// side files (`*-maas-meta.json`) are never taken.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileConfig {
    /// Folders, files, or globs of them (`in/*/reports`). Relative ones: to the folder of the pipeline.
    #[schemars(length(min = 1))]
    paths: Vec<String>,
    /// Which files, by their base name, case sensitive: `*` any text, `?` any character, `[abc]`,
    /// `[!abc]`.
    #[serde(default = "any")]
    pattern: String,
    /// Whether folders within the folders are searched too.
    #[serde(default)]
    recursive: bool,
    /// What becomes of a file that is stored and announced: `keep` (the journal remembers it),
    /// `delete`, or `move`.
    #[serde(default)]
    done: Done,
    /// What becomes of a file that cannot be read: `keep` or `move`. A report with the reason is
    /// written beside it.
    #[serde(default)]
    broken: Broken,
    /// A file is taken only when it has not changed for this time; a writer that needs longer pauses
    /// should write under another name and rename.
    #[serde(default = "default_settle_seconds")]
    #[schemars(range(max = 3600))]
    settle_seconds: u64,
    /// How often the folders are looked at.
    #[serde(default = "default_poll_seconds")]
    #[schemars(range(min = 1, max = 86400))]
    poll_seconds: u64,
}

/// What becomes of a file that is done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Done {
    /// It stays where it is and is not taken again unless it changes.
    #[default]
    Keep,
    /// It is deleted.
    Delete,
    /// It is moved to this folder, relative to its own. Empty: it stays, as with `keep`.
    Move(PathBuf),
}

/// What becomes of a file that cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Broken {
    /// It stays where it is and is not taken again unless it changes.
    #[default]
    Keep,
    /// It is moved to this folder, relative to its own. Empty: it stays, as with `keep`.
    Move(PathBuf),
}

fn any() -> String {
    "*".into()
}

fn default_settle_seconds() -> u64 {
    1
}

fn default_poll_seconds() -> u64 {
    5
}

impl Settings for FileConfig {
    const NAME: &'static str = "file";
    const EXAMPLE: &'static str = "{ paths: [inbox], pattern: 'PRIP_*.json', done: { move: done }, broken: { move: broken } }";

    fn check(&self) -> Vec<SettingError> {
        Listing::new(self, Path::new("")).err().unwrap_or_default()
    }
}

inventory::submit! { CollectorPlugin::of::<FileConfig>(module_path!()) }

impl CollectorConfig for FileConfig {
    fn build(mut self, cx: CollectorContext) -> Result<Box<dyn Collector>, Vec<SettingError>> {
        // `${INBOX:+taken}` is empty where the files shall stay.
        if self.done == Done::Move(PathBuf::new()) {
            self.done = Done::Keep;
        }
        if self.broken == Broken::Move(PathBuf::new()) {
            self.broken = Broken::Keep;
        }
        let listing = Listing::new(&self, &cx.base)?;
        Ok(Box::new(FileCollector {
            interface: cx.interface,
            listing: Arc::new(listing),
            taken: cx.taken,
            poll_interval: Duration::from_secs(self.poll_seconds),
            done: self.done,
            broken: self.broken,
            waiting: VecDeque::new(),
            given: HashSet::new(),
        }))
    }
}

struct FileCollector {
    interface: String,
    listing: Arc<Listing>,
    taken: Arc<dyn Taken>,
    poll_interval: Duration,
    done: Done,
    broken: Broken,
    /// What the last look at the folders found and is not given yet.
    waiting: VecDeque<RawItem>,
    /// Keys that were given and are still in the folders: all kept files, in memory.
    given: HashSet<String>,
}

impl FileCollector {
    /// Looks at the folders. Waits, if need be, until the newest file has settled.
    async fn look(&mut self) -> Result<(), CollectError> {
        loop {
            let listing = Arc::clone(&self.listing);
            let found = tokio::task::spawn_blocking(move || listing.look()).await;
            let Found {
                items,
                unsettled,
                troubles,
            } = found.map_err(|error| CollectError::Unreachable {
                place: self.interface.clone(),
                source: error.into(),
            })?;
            for trouble in troubles {
                warn!(interface = %self.interface, trouble, "cannot look everywhere");
            }
            let still_there: HashSet<String> = items
                .iter()
                .map(|item| item.key.clone())
                .filter(|key| self.given.contains(key))
                .collect();
            let fresh: Vec<RawItem> = items
                .into_iter()
                .filter(|item| !still_there.contains(&item.key))
                .collect();
            self.given = still_there;
            self.keep_untaken(fresh).await?;
            match unsettled {
                Some(delay) if self.waiting.is_empty() => tokio::time::sleep(delay).await,
                _ => return Ok(()),
            }
        }
    }

    /// Puts aside what another run has done. Files that are to be deleted or moved are given all the same:
    /// that run died before it could.
    async fn keep_untaken(&mut self, items: Vec<RawItem>) -> Result<(), CollectError> {
        if self.done != Done::Keep {
            self.waiting.extend(items);
            return Ok(());
        }
        let mut waiting = VecDeque::new();
        for chunk in items.chunks(ASKED_TOGETHER) {
            let keys: Vec<String> = chunk.iter().map(|item| item.key.clone()).collect();
            let taken = self.taken.taken(&keys).await;
            let taken = taken.map_err(|source| CollectError::Unreachable {
                place: format!("the journal of `{}`", self.interface),
                source,
            })?;
            for (item, taken) in chunk.iter().zip(taken) {
                if taken {
                    self.given.insert(item.key.clone());
                } else {
                    waiting.push_back(item.clone());
                }
            }
        }
        self.waiting = waiting;
        Ok(())
    }
}

#[async_trait]
impl Collector for FileCollector {
    async fn next(&mut self) -> Result<Option<RawItem>, CollectError> {
        if self.waiting.is_empty() {
            self.look().await?;
        }
        let next = self.waiting.pop_front();
        if let Some(item) = &next {
            self.given.insert(item.key.clone());
        }
        Ok(next)
    }

    async fn settle(&mut self, item: RawItem, outcome: ItemOutcome) -> Result<(), CollectError> {
        let (done, broken) = (self.done.clone(), self.broken.clone());
        let place = item.path.display().to_string();
        let settled = tokio::task::spawn_blocking(move || match outcome {
            ItemOutcome::Released => Ok(()),
            ItemOutcome::Done | ItemOutcome::Partly(_) => aside::done(&item.path, &done),
            ItemOutcome::Broken(reason) => aside::broken(&item.path, &broken, &reason),
        })
        .await;
        let settled = settled.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        settled.map_err(|error| CollectError::Refused {
            place,
            reason: format!("cannot be put aside: {error}; check the rights of its folder"),
        })
    }

    fn poll_interval(&self) -> Duration {
        self.poll_interval
    }

    fn places(&self, file: &Path) -> Vec<PathBuf> {
        let mut places = vec![file.to_owned()];
        if let Done::Move(folder) = &self.done {
            places.extend(aside::moved(file, folder));
        }
        if let Broken::Move(folder) = &self.broken {
            places.extend(aside::moved(file, folder));
        }
        places.retain(|place| place.is_file());
        places
    }
}
