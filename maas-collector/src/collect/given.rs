//! Files that an operator names, taken once in the order given and left in place.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use async_trait::async_trait;

use super::file::item;
use super::{CollectError, Collector, ItemOutcome, RawItem};

/// The files of one call of `maas collect`.
#[derive(Debug)]
pub struct GivenFiles {
    waiting: VecDeque<PathBuf>,
}

impl GivenFiles {
    /// Takes these files, whatever the journal says of them.
    pub fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            waiting: paths.into_iter().collect(),
        }
    }
}

#[async_trait]
impl Collector for GivenFiles {
    async fn next(&mut self) -> Result<Option<RawItem>, CollectError> {
        let Some(path) = self.waiting.pop_front() else {
            return Ok(None);
        };
        // One look at one file that the operator has just named.
        RawItem::of_file(&path).map(Some)
    }

    async fn settle(&mut self, _item: RawItem, _outcome: ItemOutcome) -> Result<(), CollectError> {
        Ok(())
    }

    fn repeats(&self) -> bool {
        true
    }
}

impl RawItem {
    /// The item of a file that somebody names. Looks at the file, without reading it.
    pub fn of_file(path: &Path) -> Result<Self, CollectError> {
        let refused = |reason: String| CollectError::Refused {
            place: path.display().to_string(),
            reason,
        };
        let metadata = path
            .metadata()
            .map_err(|error| refused(error.to_string()))?;
        if !metadata.is_file() {
            return Err(refused("it is no file; name the files themselves".into()));
        }
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let changed = metadata.modified().unwrap_or(UNIX_EPOCH);
        Ok(item(path, name, &metadata, changed))
    }
}
