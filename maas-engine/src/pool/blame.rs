//! Which documents an engine fails of: the others of the message are done.

use std::collections::HashSet;
use std::time::Duration;

use maas_model::document::DocumentId;
use maas_model::message::DeadReason;

use super::contain::Share;
use super::dead::Grave;
use super::run::{Run, Stage};
use super::verdict::{Cause, Stop, Verdict, delay};
use crate::engine::Batch;

/// Documents of one message that are found guilty one by one; when there are more the rest is not looked at so
/// closely. Finding one costs two runs of the engine each time the batch is halved.
const MOST_FOUND: usize = 64;

/// A message that took too long so often is tried in halves: one of its documents may be all that it takes.
const SLOW_TRIES_WHOLE: u32 = 2;
/// Until the halves are tried.
const PAUSE: Duration = Duration::from_secs(1);

/// Documents that an engine fails of, and how.
pub(super) struct Blame {
    ids: Vec<DocumentId>,
    stop: Stop,
}

impl Run<'_> {
    /// Works on the inputs of a step. When the engine fails they are halved until the guilty are known; these
    /// are left out of what follows.
    pub(super) async fn halved(&mut self, stage: &mut Stage<'_>) -> Result<(), Stop> {
        let mut waiting = vec![self.batch_of(self.innocent())];
        let (mut blamed, mut healthy) = (Vec::new(), false);
        while let Some(mut batch) = waiting.pop() {
            let worked = self.rounds(stage, &mut batch);
            let Err(stop) = worked.await else {
                healthy = true;
                continue;
            };
            if !self.is_of_documents(&stop) {
                return Err(stop);
            }
            if batch.ids.len() > 1 && blamed.len() < MOST_FOUND {
                let second = batch.ids.split_off(batch.ids.len() / 2);
                waiting.push(Batch {
                    ids: second,
                    ..batch.clone()
                });
                waiting.push(batch);
            } else {
                let ids = batch.ids;
                blamed.push(Blame { ids, stop });
            }
        }
        self.blame(blamed, healthy)
    }

    /// Whether it may be some documents that the engine fails of. What may pass by itself is not looked into
    /// before the last try, and what takes too long not here: each half would take as long.
    fn is_of_documents(&self, stop: &Stop) -> bool {
        match stop {
            Stop::Dead(_) => true,
            Stop::Failed { cause, .. } => match cause {
                Cause::Panic => true,
                Cause::Passing => self.work.tries.saturating_add(1) >= self.max_tries(),
                Cause::Slow => false,
            },
            Stop::Away(_) | Stop::HandBack => false,
        }
    }

    /// When all fail alike it is the message, or the engine, and not its documents.
    fn blame(&mut self, mut blamed: Vec<Blame>, healthy: bool) -> Result<(), Stop> {
        let alike = blamed
            .iter()
            .all(|other| other.stop.is_like(&blamed[0].stop));
        if !healthy && alike && !blamed.is_empty() {
            return Err(blamed.swap_remove(0).stop);
        }
        for blame in &blamed {
            tracing::warn!(
                pool = self.shared.chains.pool,
                documents = blame.ids.len(),
                first = blame.ids.first().map(DocumentId::as_str),
                reason = blame.stop.detail(),
                "an engine fails of documents, the others go on"
            );
        }
        self.blamed.extend(blamed);
        Ok(())
    }

    /// The inputs that nobody failed of.
    pub(super) fn innocent(&self) -> Vec<DocumentId> {
        let ids = &self.message.document_ids;
        if self.blamed.is_empty() {
            return ids.clone();
        }
        let guilty: HashSet<&DocumentId> = self.blamed.iter().flat_map(|b| &b.ids).collect();
        let innocent = ids.iter().filter(|id| !guilty.contains(id));
        innocent.cloned().collect()
    }

    /// Dead letters for the documents that were tried often enough; the others stay for another try.
    pub(super) fn bury_blamed(&mut self) {
        let (tries, max_tries) = (self.work.tries, self.max_tries());
        for Blame { ids, stop } in std::mem::take(&mut self.blamed) {
            match stop.clone().verdict(tries, max_tries) {
                Verdict::Dead(reason) => {
                    let reason = naming(reason, &ids);
                    self.graves.push(Grave::input(reason, ids));
                }
                _ => self.blamed.push(Blame { ids, stop }),
            }
        }
    }

    /// What becomes of a message whose work came to its end.
    pub(super) fn left_over(&self) -> Verdict {
        let Some(first) = self.blamed.first() else {
            return Verdict::Done;
        };
        // Alone, in a process whose engines have seen no panic: one that left something half done behind
        // would fail of every document from then on.
        let share = Share {
            ids: self.blamed.iter().flat_map(|b| b.ids.clone()).collect(),
            delay: delay(self.work.tries),
            tries: self.work.tries.saturating_add(1),
            alone: true,
        };
        Verdict::Parts(vec![share], first.stop.detail().to_owned())
    }

    /// What becomes of a message whose work did not.
    pub(super) fn stopped(&self, stop: Stop) -> Verdict {
        let (ids, tries) = (
            &self.message.document_ids,
            self.work.tries.saturating_add(1),
        );
        let slow = matches!(
            stop,
            Stop::Failed {
                cause: Cause::Slow,
                ..
            }
        );
        if !slow || ids.len() < 2 || tries < SLOW_TRIES_WHOLE.min(self.max_tries()) {
            return match stop.verdict(self.work.tries, self.max_tries()) {
                Verdict::Dead(reason) => Verdict::Dead(naming(reason, ids)),
                other => other,
            };
        }
        let share = |ids: &[DocumentId]| Share {
            ids: ids.to_vec(),
            delay: PAUSE,
            tries,
            alone: false,
        };
        let (first, second) = ids.split_at(ids.len() / 2);
        Verdict::Parts(vec![share(first), share(second)], stop.detail().to_owned())
    }

    fn max_tries(&self) -> u32 {
        self.shared.chains.max_tries
    }
}

/// The same, which says of which document when it is one.
fn naming(reason: DeadReason, ids: &[DocumentId]) -> DeadReason {
    let [id] = ids else { return reason };
    DeadReason {
        detail: format!("document `{id}`: {}", reason.detail),
        ..reason
    }
}

impl Stop {
    /// What a person is told of it.
    fn detail(&self) -> &str {
        match self {
            Self::Away(reason) => reason,
            Self::Failed { reason, .. } | Self::Dead(reason) => &reason.detail,
            Self::HandBack => "the pool is stopping",
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        let reason = |stop: &Self| -> Option<DeadReason> {
            match stop {
                Self::Failed { reason, .. } | Self::Dead(reason) => Some(DeadReason {
                    stack: None,
                    ..reason.clone()
                }),
                Self::Away(_) | Self::HandBack => None,
            }
        };
        reason(self) == reason(other)
    }
}
