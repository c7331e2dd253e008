//! `amqp` objects of collector files: how many documents one message names.

use std::collections::HashMap;

use super::files::OldFile;
use super::told::Told;
use crate::pipeline::tree::Place;
use crate::plugin;

/// How many documents are named in one message, by routing key: the `amqp` objects of all files.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    by_key: HashMap<String, Chunk>,
}

#[derive(Debug)]
struct Chunk {
    size: u64,
    file: usize,
    place: Place,
    used: bool,
}

impl Chunks {
    /// Later files count. Entries without a size say nothing.
    pub(super) fn read(&mut self, number: usize, file: &OldFile, told: &mut Told) {
        let Some(amqp) = file.root.get("amqp") else {
            return;
        };
        for entry in amqp.entries() {
            let Some(size) = entry.value.get("chunk_size") else {
                continue;
            };
            let Some(size) = size.to_value().as_u64().filter(|size| *size > 0) else {
                let hint = Some("a whole number above 0".to_owned());
                told.error(
                    number,
                    size.place,
                    "`chunk_size` is no number of documents",
                    hint,
                );
                continue;
            };
            let chunk = Chunk {
                size,
                file: number,
                place: entry.place,
                used: false,
            };
            let earlier = self.by_key.insert(entry.key.clone(), chunk);
            if let Some(earlier) = earlier.filter(|earlier| earlier.size != size) {
                let message = format!(
                    "`chunk_size` of `{}` is {} here and {size} later",
                    entry.key, earlier.size
                );
                told.warning(
                    earlier.file,
                    earlier.place,
                    message,
                    "the last one counts; remove the others",
                );
            }
        }
    }

    /// Documents of a key that no file speaks of are announced one by one.
    pub(super) fn of(&mut self, key: &str) -> u64 {
        self.by_key.get_mut(key).map_or(1, |chunk| {
            chunk.used = true;
            chunk.size
        })
    }

    /// Tells which ones no interface uses.
    pub(super) fn unused(&self, told: &mut Told) {
        let keys = || self.by_key.iter().filter(|(_, chunk)| chunk.used);
        for (key, chunk) in self.by_key.iter().filter(|(_, chunk)| !chunk.used) {
            let message = format!("no interface announces documents under `{key}`");
            let hint = match plugin::nearest(key, keys().map(|(key, _)| key.as_str())) {
                _ if key.starts_with("file.") => {
                    "a message names one file, whatever is said here: remove it".to_owned()
                }
                Some(near) => format!("did you mean `{near}`?"),
                None => "remove it".to_owned(),
            };
            told.warning(chunk.file, chunk.place, message, hint);
        }
    }
}
