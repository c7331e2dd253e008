//! What the promises are made with.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use crate::document::{Document, DocumentId, IndexName, Source, Version};
use crate::model::{Field, FieldType, Model, Partition};
use crate::store::{DocumentStore, Query, Search, StoreError, WriteAction, WriteOp, WriteOutcome};

/// A beginning for index names that no other test has.
pub fn fresh_prefix() -> String {
    format!("t{}", uuid::Uuid::new_v4().simple())
}

pub(super) fn index(prefix: &str, rest: &str) -> IndexName {
    IndexName::new(format!("{prefix}-{rest}")).unwrap()
}

pub(super) fn id(text: &str) -> DocumentId {
    DocumentId::new(text).unwrap()
}

pub(super) fn ids<const N: usize>(texts: [&str; N]) -> Vec<DocumentId> {
    texts.into_iter().map(id).collect()
}

pub(super) fn source(value: Value) -> Source {
    match value {
        Value::Object(source) => source,
        other => panic!("a source is an object, not `{other}`"),
    }
}

pub(super) fn put(index: &IndexName, name: &str, value: Value) -> WriteAction {
    action(index, name, WriteOp::Index(source(value), None))
}

pub(super) fn action(index: &IndexName, name: &str, op: WriteOp) -> WriteAction {
    WriteAction {
        index: index.clone(),
        id: id(name),
        op,
    }
}

/// Writes documents that all must be taken, and makes them visible.
pub(super) async fn fill<const N: usize>(
    store: &dyn DocumentStore,
    index: &IndexName,
    documents: [(&str, Value); N],
) {
    let actions = documents
        .into_iter()
        .map(|(name, value)| put(index, name, value))
        .collect();
    write_all(store, actions).await;
    store.refresh(index).await.unwrap();
}

/// Writes what must succeed in everything.
pub(super) async fn write_all(
    store: &dyn DocumentStore,
    actions: Vec<WriteAction>,
) -> Vec<WriteOutcome> {
    let outcomes = store.write(actions).await.unwrap();
    for outcome in &outcomes {
        assert!(outcome.is_done(), "{outcome:?}");
    }
    outcomes
}

pub(super) async fn write_one(store: &dyn DocumentStore, action: WriteAction) -> WriteOutcome {
    let outcomes = store.write(vec![action]).await.unwrap();
    assert_eq!(outcomes.len(), 1);
    outcomes.into_iter().next().unwrap()
}

pub(super) async fn get(
    store: &dyn DocumentStore,
    index: &IndexName,
    name: &str,
) -> Option<Document> {
    let mut found = store.get_many(index, &[id(name)]).await.unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}

/// The version after a write that made or changed a document.
pub(super) fn written(outcome: &WriteOutcome) -> Version {
    match outcome {
        WriteOutcome::Created(version) | WriteOutcome::Updated(version) => *version,
        other => panic!("not written: {other:?}"),
    }
}

/// The ids that match, sorted.
pub(super) async fn find(
    store: &dyn DocumentStore,
    index: &IndexName,
    query: Query,
) -> Vec<String> {
    let search = Search::new(query).limited(Search::MOST);
    let mut found = search_ids(store, index, &search).await;
    found.sort();
    found
}

/// The ids of a search in the order given.
pub(super) async fn search_ids(
    store: &dyn DocumentStore,
    index: &IndexName,
    search: &Search,
) -> Vec<String> {
    let found = store.search(index, search).await.unwrap();
    found.iter().map(|found| found.id.to_string()).collect()
}

/// A model of the alias `PREFIX-model`, in partitions, with a field of each common type named after it.
pub(super) fn model(prefix: &str) -> Model {
    let fields = [
        ("keyword", FieldType::Keyword),
        ("text", FieldType::Text),
        ("date", FieldType::Date),
        ("other_date", FieldType::Date),
        ("long", FieldType::Long),
        ("double", FieldType::Double),
        ("boolean", FieldType::Boolean),
    ];
    let mut fields: IndexMap<String, Field> = fields
        .into_iter()
        .map(|(name, kind)| (name.to_owned(), field(kind)))
        .collect();
    let mut lenient = field(FieldType::Long);
    lenient
        .parameters
        .insert("ignore_malformed".to_owned(), Value::Bool(true));
    fields.insert("lenient".to_owned(), lenient);
    let mut object = field(FieldType::Object);
    object
        .fields
        .insert("keyword".to_owned(), field(FieldType::Keyword));
    object
        .fields
        .insert("long".to_owned(), field(FieldType::Long));
    fields.insert("object".to_owned(), object);
    Model {
        name: "Model".to_owned(),
        alias: index(prefix, "model"),
        fields,
        partition: Some(Partition {
            fields: vec!["date".to_owned()],
            format: "%Y-%m".to_owned(),
        }),
        settings: [("number_of_replicas".to_owned(), Value::from(0))].into(),
    }
}

pub(super) fn field(kind: FieldType) -> Field {
    Field {
        kind,
        parameters: Map::new(),
        fields: IndexMap::new(),
    }
}

/// Installs [`model`]; gives its alias and two of its partitions.
pub(super) async fn installed(
    store: &dyn DocumentStore,
    prefix: &str,
) -> (IndexName, IndexName, IndexName) {
    let model = model(prefix);
    store.install(&model).await.unwrap();
    let january = index(prefix, "model-2024-01");
    let february = index(prefix, "model-2024-02");
    (model.alias, january, february)
}

/// Ids `a`, `b`, `c` ... for documents that each have one value in one field.
pub(super) async fn filled<const N: usize>(
    store: &dyn DocumentStore,
    prefix: &str,
    field: &str,
    values: [Value; N],
) -> IndexName {
    let (_, index, _) = installed(store, prefix).await;
    let actions = values
        .into_iter()
        .zip(b'a'..)
        .map(|(value, name)| put(&index, &char::from(name).to_string(), json!({field: value})))
        .collect();
    write_all(store, actions).await;
    store.refresh(&index).await.unwrap();
    index
}

pub(super) async fn is_refused(
    store: &dyn DocumentStore,
    index: &IndexName,
    search: &Search,
) -> bool {
    matches!(
        store.search(index, search).await,
        Err(StoreError::Refused { .. })
    )
}

/// All pages of a scan; checks that none is empty or too long.
pub(super) async fn scanned(
    store: &dyn DocumentStore,
    index: &IndexName,
    search: &Search,
) -> Vec<String> {
    let mut pages = store.scan(index, search).await.unwrap();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        assert!(!page.is_empty() && page.len() <= search.limit);
        found.extend(page.into_iter().map(|document| document.id.to_string()));
    }
    assert!(
        pages.next().await.unwrap().is_none(),
        "a page after the end"
    );
    found
}

/// 2,500 documents in two partitions; `long` counts, `keyword` is one of ten.
pub(super) async fn many(store: &dyn DocumentStore, prefix: &str) -> IndexName {
    let (alias, january, february) = installed(store, prefix).await;
    for chunk in 0..5 {
        let actions = (chunk * 500..(chunk + 1) * 500)
            .map(|n| {
                let index = if n % 2 == 0 { &january } else { &february };
                put(
                    index,
                    &format!("id-{n:04}"),
                    json!({"long": n, "keyword": format!("k{}", n % 10)}),
                )
            })
            .collect();
        write_all(store, actions).await;
    }
    store.refresh(&alias).await.unwrap();
    alias
}
