//! Writes: actions into few requests, answers into one outcome per action.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use opensearch::http::Method;
use serde::Deserialize;

use super::OpenSearchStore;
use super::client::{Answer, Body, misread, off_thread};
use super::error::{Failure, failure, outcome};
use crate::document::{IndexName, Version};
use crate::store::{StoreError, WriteAction, WriteOp, WriteOutcome};

/// What is needed of an answer; the rest (half of it) is not sent.
const NEEDED: &str =
    "items.*._seq_no,items.*._primary_term,items.*.result,items.*.status,items.*.error";

impl OpenSearchStore {
    /// See [`DocumentStore::write`](crate::store::DocumentStore::write).
    pub(super) async fn bulk(
        &self,
        actions: Vec<WriteAction>,
    ) -> Result<Vec<WriteOutcome>, StoreError> {
        let aliases = self.aliases_among(&actions).await?;
        if aliases.is_empty() {
            return self.send_all(actions).await;
        }
        let wrong: Vec<bool> = actions
            .iter()
            .map(|action| aliases.contains(&action.index))
            .collect();
        let right = actions
            .into_iter()
            .filter(|action| !aliases.contains(&action.index));
        let mut outcomes = self.send_all(right.collect()).await?.into_iter();
        let refused = || WriteOutcome::Refused {
            field: None,
            reason: "documents are written to an index, not to an alias".to_owned(),
        };
        let outcomes = wrong.into_iter().filter_map(|wrong| match wrong {
            true => Some(refused()),
            false => outcomes.next(),
        });
        Ok(outcomes.collect())
    }

    /// The names written to that are aliases: OpenSearch would take them for the index behind.
    async fn aliases_among(
        &self,
        actions: &[WriteAction],
    ) -> Result<HashSet<IndexName>, StoreError> {
        let mut aliases = HashSet::new();
        for neighbours in actions.chunk_by(|a, b| a.index == b.index) {
            let index = &neighbours[0].index;
            if self.written.contains(index) || aliases.contains(index) {
                continue;
            }
            if self.is_alias(index).await? {
                aliases.insert(index.clone());
            } else {
                self.written.insert(index.clone());
            }
        }
        Ok(aliases)
    }

    async fn send_all(&self, actions: Vec<WriteAction>) -> Result<Vec<WriteOutcome>, StoreError> {
        if actions.is_empty() {
            return Ok(Vec::new());
        }
        let most_bytes = self.bulk_bytes.load(Ordering::Relaxed);
        let most_actions = self.options.bulk_actions;
        let Plan { chunks, parallel } = off_thread(usize::MAX, move || {
            Ok(Plan::new(&actions, most_bytes, most_actions))
        })
        .await?;
        let at_once = if parallel {
            self.options.bulk_requests
        } else {
            1
        };
        let outcomes: Vec<Vec<WriteOutcome>> = stream::iter(chunks)
            .map(|chunk| self.send_chunk(chunk))
            .buffered(at_once.max(1))
            .try_collect()
            .await?;
        Ok(outcomes.into_iter().flatten().collect())
    }

    /// Sends one request; in halves, one after the other, as long as it is too large for the cluster.
    async fn send_chunk(&self, chunk: Chunk) -> Result<Vec<WriteOutcome>, StoreError> {
        let mut outcomes = Vec::with_capacity(chunk.len());
        let mut waiting = vec![chunk];
        while let Some(chunk) = waiting.pop() {
            let query = [("filter_path", NEEDED)];
            let body = Body::Lines(chunk.body());
            let answer = self
                .client
                .send(Method::Post, "/_bulk", &query, body)
                .await?;
            match answer.status {
                200 => outcomes.extend(read(answer, chunk.len()).await?),
                413 if chunk.len() > 1 => {
                    let (first, second) = chunk.halves();
                    let limit = first.size().max(second.size());
                    let before = self.bulk_bytes.fetch_min(limit, Ordering::Relaxed);
                    tracing::info!(
                        before,
                        now = limit.min(before),
                        "bulk requests are too large"
                    );
                    waiting.extend([second, first]);
                }
                413 => outcomes.push(WriteOutcome::Refused {
                    field: None,
                    reason: format!("its {} bytes are more than the store takes", chunk.size()),
                }),
                // The whole request found no room: nothing of it was done.
                429 | 503 => {
                    let reason = failure(answer).to_string();
                    let busy = WriteOutcome::Busy { reason };
                    outcomes.extend(std::iter::repeat_n(busy, chunk.len()));
                }
                _ => return Err(failure(answer)),
            }
        }
        Ok(outcomes)
    }
}

/// Names that were found to be no aliases, and are so as long as there are indices of these names.
#[derive(Debug, Default)]
pub(super) struct WrittenIndices(Mutex<HashSet<IndexName>>);

impl WrittenIndices {
    /// To be called when an index goes.
    pub(super) fn forget(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn contains(&self, index: &IndexName) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.contains(index)
    }

    fn insert(&self, index: IndexName) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(index);
    }
}

/// The requests of one call.
struct Plan {
    chunks: Vec<Chunk>,
    /// Whether they may be under way at once: not when a document is in two of them.
    parallel: bool,
}

/// Consecutive actions in the form in which they are sent.
#[derive(Debug, Clone)]
struct Chunk {
    bytes: Bytes,
    /// Where every action begins, and where the last ends.
    edges: Vec<usize>,
    range: Range<usize>,
}

impl Plan {
    fn new(actions: &[WriteAction], most_bytes: usize, most_actions: usize) -> Self {
        let mut chunks = Vec::new();
        let mut first = 0;
        let mut bytes = Vec::new();
        let mut edges = vec![0];
        for (at, action) in actions.iter().enumerate() {
            append(&mut bytes, action);
            edges.push(bytes.len());
            let full = bytes.len() >= most_bytes || at + 1 - first >= most_actions;
            if full || at + 1 == actions.len() {
                chunks.push(Chunk::new(&mut bytes, &mut edges));
                first = at + 1;
            }
        }
        let parallel = chunks.len() < 2 || !any_twice(actions, &chunks);
        Self { chunks, parallel }
    }
}

/// Whether two chunks name the same document.
fn any_twice(actions: &[WriteAction], chunks: &[Chunk]) -> bool {
    let mut seen = HashMap::with_capacity(actions.len());
    let owners = chunks
        .iter()
        .enumerate()
        .flat_map(|(number, chunk)| std::iter::repeat_n(number, chunk.len()));
    actions.iter().zip(owners).any(|(action, owner)| {
        let before = seen.insert((&action.index, &action.id), owner);
        before.is_some_and(|before| before != owner)
    })
}

impl Chunk {
    /// Takes what was collected and leaves room for the next.
    fn new(bytes: &mut Vec<u8>, edges: &mut Vec<usize>) -> Self {
        let edges = std::mem::replace(edges, vec![0]);
        let next = Vec::with_capacity(bytes.len() + bytes.len() / 8);
        Self {
            bytes: std::mem::replace(bytes, next).into(),
            range: 0..edges.len() - 1,
            edges,
        }
    }

    fn len(&self) -> usize {
        self.range.len()
    }

    fn size(&self) -> usize {
        self.edges[self.range.end] - self.edges[self.range.start]
    }

    fn body(&self) -> Bytes {
        self.bytes
            .slice(self.edges[self.range.start]..self.edges[self.range.end])
    }

    fn halves(self) -> (Self, Self) {
        let middle = self.range.start + self.len() / 2;
        let mut first = self.clone();
        let mut second = self;
        first.range.end = middle;
        second.range.start = middle;
        (first, second)
    }
}

/// One action: a line that says what to do, and the document.
fn append(bytes: &mut Vec<u8>, action: &WriteAction) {
    let (verb, version, source): (&[u8], _, _) = match &action.op {
        WriteOp::Create(source) => (b"{\"create\":{\"_index\":\"", None, Some(source)),
        WriteOp::Index(source, version) => (b"{\"index\":{\"_index\":\"", *version, Some(source)),
        WriteOp::Delete(version) => (b"{\"delete\":{\"_index\":\"", *version, None),
    };
    bytes.extend_from_slice(verb);
    // No character that an index name may have needs an escape.
    bytes.extend_from_slice(action.index.as_str().as_bytes());
    bytes.extend_from_slice(b"\",\"_id\":");
    append_json(bytes, action.id.as_str());
    if let Some(Version {
        seq_no,
        primary_term,
    }) = version
    {
        let version = format!(",\"if_seq_no\":{seq_no},\"if_primary_term\":{primary_term}");
        bytes.extend_from_slice(version.as_bytes());
    }
    bytes.extend_from_slice(b"}}\n");
    if let Some(source) = source {
        append_json(bytes, source);
        bytes.push(b'\n');
    }
}

fn append_json<T: serde::Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) {
    // Text and JSON values have a JSON form, and a vector takes everything.
    let written = serde_json::to_writer(&mut *bytes, value);
    debug_assert!(written.is_ok(), "JSON without a JSON form");
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

async fn read(answer: Answer, expected: usize) -> Result<Vec<WriteOutcome>, StoreError> {
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
        Ok(answer.items.iter().map(Item::outcome).collect())
    })
    .await
}

impl Item<'_> {
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
