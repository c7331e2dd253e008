//! What a bulk answer says of every action.

use serde::Deserialize;

use super::client::{Answer, misread, off_thread};
use super::error::{Failure, is_full, outcome};
use crate::document::Version;
use crate::store::{StoreError, WriteOutcome};

/// What is needed of an answer; the rest (half of it) is not sent.
pub(super) const NEEDED: &str =
    "items.*._seq_no,items.*._primary_term,items.*.result,items.*.status,items.*.error";

/// What the cluster told of one action.
pub(super) struct Told {
    pub outcome: WriteOutcome,
    /// Its queues were full: it can be sent again in a moment.
    pub full: bool,
}

impl Told {
    pub(super) fn full(reason: &str) -> Self {
        Self {
            outcome: WriteOutcome::Busy {
                reason: reason.to_owned(),
            },
            full: true,
        }
    }
}

#[derive(Deserialize)]
struct BulkAnswer<'a> {
    #[serde(borrow)]
    items: Vec<Item<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Item<'a> {
    #[serde(borrow)]
    Index(Done<'a>),
    #[serde(borrow)]
    Create(Done<'a>),
    #[serde(borrow)]
    Delete(Done<'a>),
}

#[derive(Deserialize)]
struct Done<'a> {
    status: u16,
    result: Option<&'a str>,
    // Negative where nothing was written.
    #[serde(rename = "_seq_no")]
    seq_no: Option<i64>,
    #[serde(rename = "_primary_term")]
    primary_term: Option<i64>,
    #[serde(borrow)]
    error: Option<Failure<'a>>,
}

/// One entry per action, in their order; an answer that has not one for each is none.
pub(super) async fn read(answer: Answer, expected: usize) -> Result<Vec<Told>, StoreError> {
    let Answer { body, endpoint, .. } = answer;
    off_thread(body.len(), move || {
        let answer: BulkAnswer<'_> =
            serde_json::from_slice(&body).map_err(|error| misread(endpoint.clone(), &error))?;
        if answer.items.len() != expected {
            return Err(StoreError::Damaged {
                place: format!("an answer of {endpoint}"),
                reason: format!("{} items answer {expected} actions", answer.items.len()),
            });
        }
        Ok(answer.items.iter().map(Item::told).collect())
    })
    .await
}

impl Item<'_> {
    fn told(&self) -> Told {
        let (Self::Index(done) | Self::Create(done) | Self::Delete(done)) = self;
        let outcome = self.outcome();
        Told {
            full: matches!(outcome, WriteOutcome::Busy { .. })
                && is_full(done.status, done.error.as_ref()),
            outcome,
        }
    }

    fn outcome(&self) -> WriteOutcome {
        let (Self::Index(done) | Self::Create(done) | Self::Delete(done)) = self;
        match (done.result, done.version()) {
            (Some("created"), Some(version)) => WriteOutcome::Created(version),
            (Some("updated"), Some(version)) => WriteOutcome::Updated(version),
            (Some("deleted"), _) => WriteOutcome::Deleted,
            (Some("not_found"), _) => WriteOutcome::NotFound,
            // The index of a document to delete may be missing too.
            (None, _) if done.status == 404 && matches!(self, Self::Delete(_)) => {
                WriteOutcome::NotFound
            }
            _ => outcome(done.status, done.error.as_ref()),
        }
    }
}

impl Done<'_> {
    fn version(&self) -> Option<Version> {
        Some(Version {
            seq_no: self.seq_no?.try_into().ok()?,
            primary_term: self.primary_term?.try_into().ok()?,
        })
    }
}
