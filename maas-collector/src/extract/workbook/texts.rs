//! Many texts in one piece of memory.

use super::LONGEST_TEXTS;

/// What counts for each text beside its bytes.
const COST: usize = 16;

/// Texts by number.
#[derive(Debug, Default)]
pub(super) struct Texts {
    all: String,
    ends: Vec<u32>,
}

impl Texts {
    /// Adds a text and gives its number; the reason when there is no room.
    pub(super) fn push(&mut self, text: &str) -> Result<u32, &'static str> {
        // A text that is empty costs something too.
        let taken = self.all.len() + self.ends.len() * COST;
        if taken + text.len() > LONGEST_TEXTS {
            return Err("its texts are longer than 64 MiB");
        }
        let number = self.ends.len() as u32;
        self.all.push_str(text);
        self.ends.push(self.all.len() as u32);
        Ok(number)
    }

    /// The text with this number.
    pub(super) fn get(&self, number: u32) -> Option<&str> {
        let number = number as usize;
        let end = *self.ends.get(number)? as usize;
        let start = number
            .checked_sub(1)
            .map_or(0, |before| self.ends[before] as usize);
        self.all.get(start..end)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }
}
