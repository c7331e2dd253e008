//! The notes in the store: one document for each queue and process that works on it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use indexmap::IndexMap;
use maas_model::document::{Document, DocumentId, IndexName, IndexNameError, Source, zulu};
use maas_model::message::QueueName;
use maas_model::model::{Field, FieldType, Model};
use maas_model::store::{DocumentStore, Query, Search, StoreError, WriteAction, WriteOp};
use serde_json::json;

/// Where they are.
const INDEX: &str = "maas-queues";
/// A note that is older is of a process that is gone, or cut off.
const FRESH: TimeDelta = TimeDelta::seconds(60);
/// Of how many queues and processes notes are read.
const MOST: usize = 5_000;

/// What those who work on a queue know of it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Pace {
    /// Messages settled per second, lately.
    pub(crate) per_second: f64,
    /// When the oldest message in hand was made.
    pub(crate) oldest: Option<DateTime<Utc>>,
}

/// By the name of the queue.
pub(crate) type Paces = BTreeMap<String, Pace>;

impl Pace {
    /// Both processes together.
    fn join(&mut self, other: Self) {
        self.per_second += other.per_second;
        self.oldest = [self.oldest, other.oldest].into_iter().flatten().min();
    }
}

/// What is known of all queues now.
pub(crate) async fn read(
    store: &dyn DocumentStore,
    now: DateTime<Utc>,
) -> Result<Paces, StoreError> {
    let fresh = Query::between("date", zulu(now - FRESH), zulu(now + FRESH));
    let mut paces = Paces::new();
    let Ok(index) = IndexName::new(INDEX) else {
        return Ok(paces);
    };
    let search = Search::new(fresh).limited(MOST);
    for found in store.search(&index, &search).await? {
        if let Some(queue) = found.text("queue") {
            let pace = paces.entry(queue.to_owned()).or_default();
            pace.join(of(&found));
        }
    }
    Ok(paces)
}

fn of(found: &Document) -> Pace {
    let rate = found.source.get("per_second");
    let oldest = found.text("oldest");
    Pace {
        per_second: rate.and_then(|rate| rate.as_f64()).unwrap_or_default(),
        oldest: oldest
            .and_then(|date| DateTime::parse_from_rfc3339(date).ok())
            .map(Into::into),
    }
}

/// Notes what this process knows.
pub(super) async fn write(
    store: &dyn DocumentStore,
    process: &str,
    now: DateTime<Utc>,
    paces: &[(QueueName, Pace)],
) -> Result<(), StoreError> {
    let Ok(index) = IndexName::new(INDEX) else {
        return Ok(());
    };
    let action = |(queue, pace): &(QueueName, Pace)| {
        let mut source = Source::new();
        source.insert("queue".to_owned(), json!(queue));
        source.insert("process".to_owned(), json!(process));
        source.insert("date".to_owned(), json!(zulu(now)));
        source.insert("per_second".to_owned(), json!(pace.per_second));
        if let Some(oldest) = pace.oldest {
            source.insert("oldest".to_owned(), json!(zulu(oldest)));
        }
        Some(WriteAction {
            index: index.clone(),
            id: DocumentId::new(format!("{queue} {process}")).ok()?,
            op: WriteOp::Index(source, None),
        })
    };
    store
        .write(paces.iter().filter_map(action).collect())
        .await
        .map(drop)
}

/// Removes the notes of processes that are gone for a day.
pub(super) async fn sweep(store: &dyn DocumentStore, now: DateTime<Utc>) -> Result<(), StoreError> {
    let old = Query::between(
        "date",
        zulu(DateTime::UNIX_EPOCH),
        zulu(now - TimeDelta::days(1)),
    );
    let Ok(index) = IndexName::new(INDEX) else {
        return Ok(());
    };
    let found = store
        .search(&index, &Search::new(old).limited(MOST))
        .await?;
    let actions = found.into_iter().map(|document| WriteAction {
        index: document.index,
        id: document.id,
        op: WriteOp::Delete(None),
    });
    store.write(actions.collect()).await.map(drop)
}

/// What the store must know of them.
pub(super) fn model() -> Result<Model, IndexNameError> {
    Ok(Model {
        name: "MaasQueue".to_owned(),
        alias: IndexName::new(INDEX)?,
        fields: IndexMap::from([
            ("queue".to_owned(), Field::new(FieldType::Keyword)),
            ("process".to_owned(), Field::new(FieldType::Keyword)),
            ("date".to_owned(), Field::new(FieldType::Date)),
            ("oldest".to_owned(), Field::new(FieldType::Date)),
            ("per_second".to_owned(), Field::new(FieldType::Double)),
        ]),
        partition: None,
        settings: [("number_of_shards".to_owned(), json!(1))].into(),
    })
}

#[cfg(test)]
mod tests {
    use maas_model::store::EmbeddedStore;

    use super::*;

    #[tokio::test]
    async fn the_notes_of_all_processes_that_live_are_joined() {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedStore::open(folder.path()).unwrap();
        store.install(&model().unwrap()).await.unwrap();
        let now = Utc::now();
        assert_eq!(read(&store, now).await.unwrap(), Paces::new());
        let note = async |process, at, per_second, age: Option<i64>| {
            let oldest = age.map(|age| now - TimeDelta::seconds(age));
            let queue = QueueName::new("q").unwrap();
            let pace = Pace { per_second, oldest };
            write(&store, process, at, &[(queue, pace)]).await.unwrap();
        };
        note("one", now - TimeDelta::seconds(10), 9.0, None).await;
        note("one", now, 2.0, Some(30)).await;
        note("two", now, 3.0, Some(40)).await;
        note("idle", now, 0.0, None).await;
        note("gone", now - TimeDelta::days(2), 100.0, Some(200_000)).await;
        let paces = read(&store, now).await.unwrap();
        let pace = paces["q"];
        assert_eq!(pace.per_second, 5.0);
        let age = pace.oldest.map(|oldest| (now - oldest).num_seconds());
        assert_eq!(age, Some(40));
        sweep(&store, now).await.unwrap();
        let index = IndexName::new(INDEX).unwrap();
        assert_eq!(store.count(&index, &Query::All).await.unwrap(), 3);
    }
}
