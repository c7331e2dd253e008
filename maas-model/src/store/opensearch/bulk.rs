//! Writes: actions into few requests, requests until every action has its outcome.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use opensearch::http::Method;

use super::OpenSearchStore;
use super::chunk::{Chunk, Plan};
use super::client::{Body, off_thread};
use super::error::failure;
use super::outcome::{NEEDED, Told, read};
use crate::document::IndexName;
use crate::failpoint::{Failpoint, pass};
use crate::store::{StoreError, WriteAction, WriteOutcome};

/// How long actions that found no room are sent again before that is their outcome.
const INSIST: Duration = Duration::from_secs(10);
/// The first pause before that, doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// How many come at once is the pace's affair: no need to stay away for long.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

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
        let most_bytes = self.size.most();
        let most_actions = self.options.bulk_actions;
        let Plan { chunks, parallel } = off_thread(usize::MAX, move || {
            Ok(Plan::new(&actions, most_bytes, most_actions))
        })
        .await?;
        if !parallel {
            return together(self.send_in_order(chunks).await);
        }
        let sent = stream::iter(chunks)
            .map(|chunk| self.send_chunk(chunk))
            .buffered(self.options.bulk_requests.max(1));
        together(sent.collect().await)
    }

    /// One after the other. What comes after a failure is not sent: a later action must not come before
    /// an earlier one that may have to be sent again.
    async fn send_in_order(&self, chunks: Vec<Chunk>) -> Vec<Sent> {
        let mut all: Vec<Sent> = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            let sent = match all.last().is_some_and(|sent| sent.failed.is_some()) {
                true => Sent::unsent(chunk.len()),
                false => self.send_chunk(chunk).await,
            };
            all.push(sent);
        }
        all
    }

    /// Sends a chunk, in parts while it is too large for the cluster, and again what found no room.
    async fn send_chunk(&self, chunk: Chunk) -> Sent {
        let mut sent = Sent::waiting(chunk.len());
        let mut pause = FIRST_PAUSE;
        let until = Instant::now() + INSIST;
        let mut todo: Vec<usize> = (0..chunk.len()).collect();
        let mut next = chunk.clone();
        loop {
            self.send_parts(next, &todo, &mut sent).await;
            let Sent { full, failed, .. } = &mut sent;
            if full.is_empty() || failed.is_some() || Instant::now() + pause > until {
                return sent;
            }
            todo = std::mem::take(full);
            next = chunk.only(&todo);
            tokio::time::sleep(pause.mul_f64(0.5 + rand_share() / 2.0)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Sends the actions of `chunk`, which have these places in the call, each once.
    async fn send_parts(&self, chunk: Chunk, places: &[usize], sent: &mut Sent) {
        let mut waiting = vec![chunk];
        let mut at = 0;
        while let Some(chunk) = waiting.pop() {
            let some = &places[at..at + chunk.len()];
            match self.send_once(&chunk, some, sent).await {
                Ok(true) => at += chunk.len(),
                // In order: the last one is taken first.
                Ok(false) => waiting.extend(chunk.split(self.size.most()).into_iter().rev()),
                Err(error) => {
                    sent.fail(error, some);
                    return;
                }
            }
        }
    }

    /// `false`: it is too large, and can be split.
    async fn send_once(
        &self,
        chunk: &Chunk,
        places: &[usize],
        sent: &mut Sent,
    ) -> Result<bool, StoreError> {
        let turn = self.pace.turn().await;
        let query = [("filter_path", NEEDED)];
        pass(Failpoint::StoreSending);
        let answer = self
            .client
            .send(Method::Post, "/_bulk", &query, Body::Lines(chunk.body()))
            .await?;
        pass(Failpoint::StoreAnswered);
        let full = match answer.status {
            200 => {
                self.size.taken(chunk.size());
                let told = read(answer, chunk.len()).await?;
                sent.note(places, told)
            }
            413 => {
                self.size.refused(chunk.size());
                if chunk.len() > 1 {
                    return Ok(false);
                }
                sent.outcomes[places[0]] = WriteOutcome::Refused {
                    field: None,
                    reason: format!("its {} bytes are more than the store takes", chunk.size()),
                };
                sent.answered = true;
                false
            }
            // The whole request found no room: nothing of it was done.
            429 => {
                let reason = failure(answer).to_string();
                sent.note(places, places.iter().map(|_| Told::full(&reason)).collect())
            }
            _ => return Err(failure(answer)),
        };
        match turn {
            Some(turn) if full => self.pace.refused(turn),
            Some(turn) => self.pace.taken(turn),
            None => {}
        }
        Ok(true)
    }
}

/// What came of the actions of one chunk so far.
struct Sent {
    outcomes: Vec<WriteOutcome>,
    /// The places of those that the cluster had no room for.
    full: Vec<usize>,
    /// Why some have no answer.
    failed: Option<StoreError>,
    /// Whether any has one.
    answered: bool,
}

impl Sent {
    fn waiting(count: usize) -> Self {
        let busy = WriteOutcome::Busy {
            reason: "it was not sent, since others of the same call failed".to_owned(),
        };
        Self {
            outcomes: vec![busy; count],
            full: Vec::new(),
            failed: None,
            answered: false,
        }
    }

    fn unsent(count: usize) -> Self {
        Self {
            // Whatever came before is no better.
            failed: Some(StoreError::Busy {
                endpoint: "the store".to_owned(),
                reason: "an earlier request of the same call failed".to_owned(),
            }),
            ..Self::waiting(count)
        }
    }

    /// Whether there was no room for some of them.
    fn note(&mut self, places: &[usize], told: Vec<Told>) -> bool {
        self.answered = true;
        let before = self.full.len();
        for (&place, Told { outcome, full }) in places.iter().zip(told) {
            self.outcomes[place] = outcome;
            if full {
                self.full.push(place);
            }
        }
        self.full.len() > before
    }

    fn fail(&mut self, error: StoreError, places: &[usize]) {
        let reason = error.to_string();
        for &place in places {
            self.outcomes[place] = match &error {
                // Refused as a whole, it did nothing.
                StoreError::Refused { .. } => WriteOutcome::Refused {
                    field: None,
                    reason: reason.clone(),
                },
                StoreError::Denied { .. } | StoreError::Untrusted { .. } => WriteOutcome::Busy {
                    reason: reason.clone(),
                },
                _ => WriteOutcome::Unknown {
                    reason: reason.clone(),
                },
            };
        }
        self.failed = Some(error);
    }
}

/// The outcomes of a call, or its first error when nothing of it has an answer.
fn together(mut all: Vec<Sent>) -> Result<Vec<WriteOutcome>, StoreError> {
    if !all.iter().any(|sent| sent.answered)
        && let Some(error) = all.iter_mut().find_map(|sent| sent.failed.take())
    {
        return Err(error);
    }
    Ok(all.into_iter().flat_map(|sent| sent.outcomes).collect())
}

/// Between 0 and 1: those who were refused together shall not come again together.
fn rand_share() -> f64 {
    (uuid::Uuid::new_v4().as_u128() % 1_000) as f64 / 1_000.0
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
