//! Compares what a run left behind with what a run without faults did: documents, waiting messages, dead letters.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use maas_model::message::{BusOptions, DeadLetter, DeadOriginal, Message, QueueName, Topology};
use maas_tests::audit::{self, Documents};
use maas_tests::program::Pair;

/// What a run left behind, without what differs from run to run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Documents by alias.
    pub documents: BTreeMap<String, Documents>,
    /// Messages that wait, by queue.
    pub waiting: BTreeMap<String, usize>,
    /// What is dead: owner, kind of reason, and the original. However often: a dead letter that was published
    /// by a process that died before it could settle the message is published again.
    pub dead: BTreeSet<(String, String, String)>,
}

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Aliases of documents.
    pub aliases: &'a [&'a str],
    /// Where its files come from.
    pub inbox: &'a Path,
    /// Queues that should be empty.
    pub queues: &'a [&'a str],
    /// Pools and interfaces that may have dead letters.
    pub owners: &'a [&'a str],
}

impl State {
    /// What there is now. To be called when no program of the pair runs.
    pub async fn of(pair: &Pair, view: View<'_>) -> Result<Self> {
        let mut state = Self::default();
        for alias in view.aliases {
            let documents = audit::documents(pair, alias, view.inbox)?;
            state.documents.insert((*alias).to_owned(), documents);
        }
        let bus =
            maas_model::message::open(&pair.bus.parse()?, &pair.data, &BusOptions::default())?;
        for queue in view.queues {
            let found = bus.peek(&QueueName::new(*queue)?, MOST).await?;
            state.waiting.insert((*queue).to_owned(), found.len());
        }
        for owner in view.owners {
            for letter in bus.peek(&Topology::parking_queue(owner)?, MOST).await? {
                let letter: DeadLetter =
                    serde_json::from_slice(&letter.body).context("a dead letter is malformed")?;
                let original = original(&letter.original);
                state
                    .dead
                    .insert(((*owner).to_owned(), letter.reason.kind, original));
            }
        }
        bus.close().await?;
        Ok(state)
    }

    /// Fails with the first differences to `expected`.
    pub fn judge(&self, expected: &Self) -> Result<()> {
        for (alias, documents) in &expected.documents {
            let found = self.documents.get(alias);
            compare(alias, documents, found.unwrap_or(&Documents::new()))?;
        }
        ensure!(
            self.waiting == expected.waiting,
            "messages wait: {:?} instead of {:?}",
            self.waiting,
            expected.waiting
        );
        ensure!(
            self.dead == expected.dead,
            "dead letters differ: {:?} instead of {:?}",
            first(self.dead.difference(&expected.dead)),
            first(expected.dead.difference(&self.dead)),
        );
        Ok(())
    }

    /// How many documents there are.
    pub fn count(&self) -> usize {
        self.documents.values().map(BTreeMap::len).sum()
    }
}

/// More than any goal leaves.
const MOST: usize = 1_000_000;

/// Enough to look for, few enough to read.
fn first<T>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.take(3).collect()
}

fn compare(alias: &str, expected: &Documents, found: &Documents) -> Result<()> {
    let missing = expected.keys().filter(|key| !found.contains_key(*key));
    let spurious = found.keys().filter(|key| !expected.contains_key(*key));
    let (lost, more) = (missing.clone().count(), spurious.clone().count());
    ensure!(
        lost + more == 0,
        "`{alias}`: {lost} of {} documents are lost {:?}, {more} are too many {:?}",
        expected.len(),
        first(missing),
        first(spurious),
    );
    let wrong: Vec<_> = expected
        .iter()
        .filter(|(key, document)| found.get(*key) != Some(*document))
        .collect();
    if let Some((key, document)) = wrong.first() {
        let other = &found[*key];
        anyhow::bail!(
            "`{alias}`: {} documents are wrong, {key:?} is {other} instead of {document}",
            wrong.len()
        );
    }
    Ok(())
}

/// What names the original of a dead letter from run to run: ids of messages differ.
fn original(original: &DeadOriginal) -> String {
    match original {
        DeadOriginal::Message { body, queue, .. } => {
            let body = body.as_deref().unwrap_or("not text");
            match Message::parse(body.as_bytes()) {
                Ok(message) => format!("{queue}: {:?}", message.document_ids),
                Err(_) => format!("{queue}: {body}"),
            }
        }
        DeadOriginal::Record { file, place, .. } => {
            let name = file.rsplit('/').next().unwrap_or_default();
            format!("{name}: {place}")
        }
        DeadOriginal::Document { index, id, .. } => format!("{index}/{id}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state(documents: &[(&str, i64)]) -> State {
        let documents = documents
            .iter()
            .map(|(id, value)| {
                (
                    ("index".to_owned(), (*id).to_owned()),
                    json!({"value": value}),
                )
            })
            .collect();
        State {
            documents: [("alias".to_owned(), documents)].into(),
            waiting: [("queue".to_owned(), 0)].into(),
            ..State::default()
        }
    }

    fn told(found: &State) -> String {
        let judged = found.judge(&state(&[("a", 1), ("b", 2)]));
        judged.map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn the_same_is_fine() {
        assert_eq!(told(&state(&[("a", 1), ("b", 2)])), "");
    }

    #[test]
    fn a_lost_document_is_named() {
        assert!(
            told(&state(&[("a", 1)])).contains("1 of 2 documents are lost [(\"index\", \"b\")]")
        );
    }

    #[test]
    fn a_document_too_many_is_named() {
        let found = told(&state(&[("a", 1), ("b", 2), ("c", 3)]));
        assert!(
            found.contains("1 are too many [(\"index\", \"c\")]"),
            "{found}"
        );
    }

    #[test]
    fn a_wrong_document_is_shown() {
        let found = told(&state(&[("a", 1), ("b", 3)]));
        assert!(
            found.contains("{\"value\":3} instead of {\"value\":2}"),
            "{found}"
        );
    }

    #[test]
    fn a_message_left_behind_is_told() {
        let mut found = state(&[("a", 1), ("b", 2)]);
        found.waiting.insert("queue".to_owned(), 1);
        assert!(told(&found).contains("messages wait"));
    }

    #[test]
    fn a_dead_letter_is_told() {
        let mut found = state(&[("a", 1), ("b", 2)]);
        let letter = (
            "pool".to_owned(),
            "refused".to_owned(),
            "index/a".to_owned(),
        );
        found.dead.insert(letter);
        assert!(told(&found).contains("dead letters differ"));
    }
}
