//! What goes to the store together, and what came of it.

use std::sync::Arc;

use maas_model::document::{DocumentId, IndexName, Source};
use maas_model::ledger::{Outcome, Outcomes, Taken};
use maas_model::message::DeadLetter;
use maas_model::planted;

use super::prepare::{Portion, Prepared};
use super::room::Place;
use super::{Ending, Item, dead};

/// Most records and (about) bytes in one batch.
pub(super) const BATCH_RECORDS: usize = 1_000;
const BATCH_BYTES: usize = 4 << 20;

/// A batch that is stored, on its way to the announcer.
#[derive(Default)]
pub(super) struct Written {
    /// To be announced, each with its index.
    pub(super) ids: Vec<(DocumentId, IndexName)>,
    pub(super) dead: Vec<DeadLetter>,
    /// The records of the batch, and what came of them.
    pub(super) taken: Option<Taken>,
    pub(super) outcomes: Outcomes,
    /// Items whose last record is in this batch.
    pub(super) ended: Vec<(Arc<Item>, Ending)>,
    /// Items of which something was refused, as often as something was.
    pub(super) refused: Vec<Arc<Item>>,
    /// What is to be kept beside the file, for items whose documents changed.
    pub(super) metas: Vec<(Arc<Item>, Source)>,
    /// The source has nothing more for now.
    pub(super) turn_end: bool,
}

/// Portions that are written together.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) records: Vec<Prepared>,
    bytes: usize,
    /// Given back when it is written.
    pub(super) places: Vec<Place>,
    pub(super) written: Written,
}

impl Batch {
    pub(super) fn add(&mut self, portion: Portion, owner: &str) {
        match portion {
            Portion::TurnEnd => self.written.turn_end = true,
            Portion::Records {
                item,
                records,
                bad,
                taken,
                place,
                bytes,
                ending,
            } => {
                self.bytes += bytes;
                self.places.extend(place);
                self.records.extend(records);
                match &mut self.written.taken {
                    Some(all) => all.join(taken),
                    None => self.written.taken = Some(taken),
                }
                for record in bad {
                    planted!(ForgetABadRecord, continue);
                    self.written.dead.push(dead::record(owner, &item, record));
                    self.written.outcomes.add(Outcome::DeadLettered, 1);
                    self.written.refused.push(Arc::clone(&item));
                }
                if let Some(ending) = ending {
                    self.written.ended.push((item, ending));
                }
            }
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.records.len() >= BATCH_RECORDS || self.bytes >= BATCH_BYTES || self.written.turn_end
    }
}
