//! What one piece of work adds to the counters of its pool, so that it can be done elsewhere.

use serde::{Deserialize, Serialize};

use crate::pool::PoolStats;

/// The counters of [`PoolStats`] that the work on a message changes before it is settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs)] // as in `PoolStats`
pub struct Tally {
    pub documents: u64,
    pub missing: u64,
    pub created: u64,
    pub updated: u64,
    pub deleted: u64,
    pub unchanged: u64,
    pub conflicts: u64,
    pub refused: u64,
    pub dead_letters: u64,
    pub published: u64,
}

impl Tally {
    /// What the counters say now.
    pub fn of(stats: &PoolStats) -> Self {
        Self {
            documents: stats.documents.get(),
            missing: stats.missing.get(),
            created: stats.created.get(),
            updated: stats.updated.get(),
            deleted: stats.deleted.get(),
            unchanged: stats.unchanged.get(),
            conflicts: stats.conflicts.get(),
            refused: stats.refused.get(),
            dead_letters: stats.dead_letters.get(),
            published: stats.published.get(),
        }
    }

    /// What was added since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            documents: self.documents - before.documents,
            missing: self.missing - before.missing,
            created: self.created - before.created,
            updated: self.updated - before.updated,
            deleted: self.deleted - before.deleted,
            unchanged: self.unchanged - before.unchanged,
            conflicts: self.conflicts - before.conflicts,
            refused: self.refused - before.refused,
            dead_letters: self.dead_letters - before.dead_letters,
            published: self.published - before.published,
        }
    }

    /// Adds it to the counters of another pool.
    pub(crate) fn add_to(self, stats: &PoolStats) {
        for (counter, more) in [
            (&stats.documents, self.documents),
            (&stats.missing, self.missing),
            (&stats.created, self.created),
            (&stats.updated, self.updated),
            (&stats.deleted, self.deleted),
            (&stats.unchanged, self.unchanged),
            (&stats.conflicts, self.conflicts),
            (&stats.refused, self.refused),
            (&stats.dead_letters, self.dead_letters),
            (&stats.published, self.published),
        ] {
            counter.add(usize::try_from(more).unwrap_or(usize::MAX));
        }
    }
}
