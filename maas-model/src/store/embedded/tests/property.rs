//! Random queries over random documents: SQL must let through whatever [`matches`] accepts.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::document::Source;
use crate::model::{Field, FieldType, Partition};
use crate::store::{Kinds, WriteOp, matches};

/// Fields of every way to compare; `free` is not declared.
const FIELDS: [&str; 6] = ["keyword", "long", "double", "date", "boolean", "free"];

fn model() -> Model {
    let kinds = [
        FieldType::Keyword,
        FieldType::Long,
        FieldType::Double,
        FieldType::Date,
        FieldType::Boolean,
    ];
    let field = |kind| Field {
        kind,
        // Whatever comes is kept, so that odd values are searched too.
        parameters: [("ignore_malformed".to_owned(), json!(true))]
            .into_iter()
            .collect(),
        fields: IndexMap::new(),
    };
    Model {
        name: "Some".to_owned(),
        alias: IndexName::new("some").unwrap(),
        fields: FIELDS
            .iter()
            .zip(kinds)
            .map(|(name, kind)| ((*name).to_owned(), field(kind)))
            .collect(),
        partition: Some(Partition {
            fields: vec!["date".to_owned()],
            format: "%Y".to_owned(),
        }),
        settings: Default::default(),
    }
}

/// Few different values, chosen to be equal, adjacent, or alike in another form.
fn scalar() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(false),
        json!("true"),
        json!(0),
        json!(1),
        json!(1.0),
        json!(-0.0),
        json!(0.1),
        json!(0.30000000000000004),
        json!("1"),
        json!("1.0"),
        json!(1_704_067_200_000_i64),
        json!(9_007_199_254_740_993_i64),
        json!(u64::MAX),
        json!(""),
        json!("a"),
        json!("ab"),
        json!("A"),
        json!("é"),
        json!("[\"a\"]"),
        json!("{}"),
        json!("2024"),
        json!("2024-01-01"),
        json!("2024-01-01T00:00:00Z"),
        json!("2024-01-01T00:00:00.000Z"),
        json!("2024-01-01T00:00:00.000900Z"),
        json!("2024-01-01T01:00:00+01:00"),
        json!("2024-01-01T00:00:00.001Z"),
        json!("2024-01-02T00:00:00.000Z"),
        json!("2024-01-01 is no date"),
        json!("abcd-ef-ghTij:kl:mn.opqZ"),
    ])
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => scalar(),
        1 => prop::collection::vec(scalar(), 0..3).prop_map(Value::Array),
        1 => scalar().prop_map(|value| json!({"inner": value})),
    ]
}

fn document() -> impl Strategy<Value = Source> {
    prop::collection::btree_map(field(), value(), 0..4)
        .prop_map(|fields| fields.into_iter().collect())
}

fn field() -> impl Strategy<Value = String> {
    prop::sample::select(FIELDS.map(str::to_owned).to_vec())
}

fn query() -> impl Strategy<Value = Query> {
    let bound = || prop::option::of(scalar());
    let leaf = prop_oneof![
        (field(), scalar()).prop_map(|(field, value)| Query::Term { field, value }),
        (field(), prop::collection::vec(scalar(), 0..4))
            .prop_map(|(field, values)| Query::Terms { field, values }),
        (field(), bound(), bound(), bound(), bound()).prop_map(|(field, gt, gte, lt, lte)| {
            Query::Range {
                field,
                gt,
                gte,
                lt,
                lte,
            }
        }),
        (
            field(),
            prop::sample::select(vec!["", "a", "2024", "2024-01-01T0", "["])
        )
            .prop_map(|(field, value)| Query::Prefix {
                field,
                value: value.to_owned()
            }),
        field().prop_map(|field| Query::Exists { field }),
        Just(Query::Exists {
            field: "free.inner".to_owned()
        }),
        Just(Query::All),
        Just(Query::Ids(vec![
            DocumentId::new("id-0").unwrap(),
            DocumentId::new("id-7").unwrap()
        ])),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Query::And),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Query::Or),
            inner.prop_map(|query| Query::Not(query.into())),
        ]
    })
}

/// What the store finds, without and then with the indexes that the query would like.
async fn found(store: &EmbeddedStore, index: &IndexName, query: &Query) -> [BTreeSet<String>; 2] {
    let search = Search::new(query.clone());
    let ids = |found: Vec<Document>| {
        found
            .into_iter()
            .map(|found| found.id.to_string())
            .collect()
    };
    let before = store.search(index, &search).await.unwrap();
    let (name, wanted) = (index.clone(), query.clone());
    let (tables, condition) = store
        .select(&name, &wanted, |_, tables, selection| {
            Ok((tables, selection.condition()))
        })
        .await
        .unwrap();
    let indexes = condition
        .map(|condition| condition.indexes)
        .unwrap_or_default();
    store
        .writer
        .run(move |connection| {
            for table in &tables {
                for wanted in &indexes {
                    indexing::make(connection, table.number, wanted)?;
                }
            }
            Ok(())
        })
        .await
        .unwrap();
    let after = store.search(index, &search).await.unwrap();
    [ids(before), ids(after)]
}

async fn check(documents: &[Source], queries: &[Query], declared: bool) {
    let store = temporary();
    let model = model();
    let kinds = if declared {
        store.install(&model).await.unwrap();
        Kinds::of(&model)
    } else {
        Kinds::default()
    };
    let index = IndexName::new("some-2024").unwrap();
    let id = |n: usize| DocumentId::new(format!("id-{n}")).unwrap();
    let actions = documents
        .iter()
        .enumerate()
        .map(|(n, source)| WriteAction {
            index: index.clone(),
            id: id(n),
            op: WriteOp::Index(source.clone(), None),
        })
        .collect();
    for outcome in store.write(actions).await.unwrap() {
        assert!(outcome.is_done(), "{outcome:?}");
    }
    for query in queries {
        let expected: BTreeSet<String> = documents
            .iter()
            .enumerate()
            .filter(|(n, source)| matches(query, &id(*n), source, &kinds))
            .map(|(n, _)| id(n).to_string())
            .collect();
        let [searched, indexed] = found(&store, &index, query).await;
        assert_eq!(searched, expected, "searched through: {query:?}");
        assert_eq!(indexed, expected, "by index: {query:?}");
        let count = store.count(&index, query).await.unwrap();
        assert_eq!(count, expected.len() as u64, "counted: {query:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_search_finds_what_matches(
        documents in prop::collection::vec(document(), 1..30),
        queries in prop::collection::vec(query(), 1..12),
        declared in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(&documents, &queries, declared));
    }
}
