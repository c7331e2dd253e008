//! Promises about what a query finds.

use serde_json::{Value, json};

use super::fixture::*;
use crate::store::{DocumentStore, Order, Query, Search, StoreError, WriteOp};

fn above(field: &str, bound: Value) -> Query {
    range(field, Some(bound), None, None, None)
}

fn range(
    field: &str,
    gt: Option<Value>,
    gte: Option<Value>,
    lt: Option<Value>,
    lte: Option<Value>,
) -> Query {
    Query::Range {
        field: field.to_owned(),
        gt,
        gte,
        lt,
        lte,
    }
}

fn exists(field: &str) -> Query {
    Query::Exists {
        field: field.to_owned(),
    }
}

fn prefixed(field: &str, value: &str) -> Query {
    Query::Prefix {
        field: field.to_owned(),
        value: value.to_owned(),
    }
}

pub async fn all_finds_everything(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(store, prefix, "long", [json!(1), json!(null), json!(3)]).await;
    assert_eq!(find(store, &index, Query::All).await, ["a", "b", "c"]);
}

pub async fn a_search_sees_what_a_refresh_made_visible(store: &dyn DocumentStore, prefix: &str) {
    let (alias, index, _) = installed(store, prefix).await;
    for n in 0..5 {
        fill(store, &index, [("a", json!({"long": n}))]).await;
        assert_eq!(find(store, &alias, Query::term("long", n)).await, ["a"]);
        assert_eq!(
            store.count(&alias, &Query::term("long", n)).await.unwrap(),
            1
        );
    }
    write_all(store, vec![action(&index, "a", WriteOp::Delete(None))]).await;
    store.refresh(&alias).await.unwrap();
    assert!(find(store, &alias, Query::All).await.is_empty());
}

pub async fn term_finds_equal_texts(store: &dyn DocumentStore, prefix: &str) {
    let values = [
        json!("S1A"),
        json!("S1B"),
        json!("s1a"),
        json!("S1A "),
        json!(null),
    ];
    let index = filled(store, prefix, "keyword", values).await;
    assert_eq!(
        find(store, &index, Query::term("keyword", "S1A")).await,
        ["a"]
    );
    assert!(
        find(store, &index, Query::term("keyword", "S1"))
            .await
            .is_empty()
    );
    assert!(
        find(store, &index, Query::term("no_such_field", "S1A"))
            .await
            .is_empty()
    );
}

pub async fn term_finds_equal_numbers_of_any_kind(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(
        store,
        prefix,
        "double",
        [json!(1), json!(1.0), json!(1.5), json!(-1)],
    )
    .await;
    assert_eq!(
        find(store, &index, Query::term("double", 1)).await,
        ["a", "b"]
    );
    assert_eq!(
        find(store, &index, Query::term("double", 1.0)).await,
        ["a", "b"]
    );
    assert_eq!(find(store, &index, Query::term("double", 1.5)).await, ["c"]);
}

pub async fn term_finds_booleans(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(
        store,
        prefix,
        "boolean",
        [json!(true), json!(false), json!(null)],
    )
    .await;
    assert_eq!(
        find(store, &index, Query::term("boolean", true)).await,
        ["a"]
    );
    assert_eq!(
        find(store, &index, Query::term("boolean", false)).await,
        ["b"]
    );
}

pub async fn term_compares_dates_as_instants(store: &dyn DocumentStore, prefix: &str) {
    let values = [
        json!("2024-01-02T03:04:05.000Z"),
        json!("2024-01-02T03:04:05Z"),
        json!("2024-01-02T04:04:05+01:00"),
        json!("2024-01-02T03:04:05.001Z"),
    ];
    let index = filled(store, prefix, "date", values).await;
    for text in [
        "2024-01-02T03:04:05Z",
        "2024-01-02T03:04:05.000Z",
        "2024-01-02T02:04:05-01:00",
    ] {
        assert_eq!(
            find(store, &index, Query::term("date", text)).await,
            ["a", "b", "c"],
            "{text}"
        );
    }
}

pub async fn term_finds_an_element_of_a_list(store: &dyn DocumentStore, prefix: &str) {
    let values = [json!(["x", "y"]), json!(["z"]), json!("y"), json!([])];
    let index = filled(store, prefix, "keyword", values).await;
    assert_eq!(
        find(store, &index, Query::term("keyword", "y")).await,
        ["a", "c"]
    );
    assert_eq!(
        find(store, &index, Query::term("keyword", "z")).await,
        ["b"]
    );
}

pub async fn terms_finds_one_of_several(store: &dyn DocumentStore, prefix: &str) {
    let values = [json!("x"), json!("y"), json!(["z", "x"]), json!("w")];
    let index = filled(store, prefix, "keyword", values).await;
    assert_eq!(
        find(store, &index, Query::terms("keyword", ["x", "y", "x"])).await,
        ["a", "b", "c"]
    );
}

pub async fn terms_of_nothing_finds_nothing(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(store, prefix, "keyword", [json!("x"), json!(null)]).await;
    assert!(
        find(store, &index, Query::terms::<&str>("keyword", []))
            .await
            .is_empty()
    );
}

pub async fn terms_takes_a_thousand_values(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(
        store,
        prefix,
        "keyword",
        [json!("k-999"), json!("k-1000"), json!("k-0")],
    )
    .await;
    let values = (0..1_000).map(|n| format!("k-{n}"));
    assert_eq!(
        find(store, &index, Query::terms("keyword", values)).await,
        ["a", "c"]
    );
}

pub async fn range_of_numbers_keeps_its_bounds(store: &dyn DocumentStore, prefix: &str) {
    let values = [json!(1), json!(2), json!(3), json!(10), json!(-5)];
    let index = filled(store, prefix, "long", values).await;
    let at = |n: i64| Some(json!(n));
    for (query, expected) in [
        (range("long", at(2), None, None, None), vec!["c", "d"]),
        (range("long", None, at(2), None, None), vec!["b", "c", "d"]),
        (range("long", None, None, at(2), None), vec!["a", "e"]),
        (range("long", None, None, None, at(2)), vec!["a", "b", "e"]),
        (range("long", at(1), None, at(10), None), vec!["b", "c"]),
        (Query::between("long", 2, 3), vec!["b", "c"]),
        (Query::between("long", 3, 2), vec![]),
    ] {
        assert_eq!(
            find(store, &index, query.clone()).await,
            expected,
            "{query:?}"
        );
    }
}

pub async fn range_of_dates_takes_any_text_form(store: &dyn DocumentStore, prefix: &str) {
    let values = [
        json!("2024-01-01T00:00:00.000Z"),
        json!("2024-01-01T12:00:00Z"),
        json!("2024-01-02T01:00:00+02:00"),
        json!("2024-01-02T00:00:00.000Z"),
    ];
    let index = filled(store, prefix, "date", values).await;
    for (from, to) in [
        ("2024-01-01T00:00:00.000Z", "2024-01-01T23:59:59.999Z"),
        ("2024-01-01T00:00:00Z", "2024-01-02T00:59:59+01:00"),
    ] {
        let found = find(store, &index, Query::between("date", from, to)).await;
        assert_eq!(found, ["a", "b", "c"], "{from} {to}");
    }
    assert_eq!(
        find(store, &index, above("date", json!("2024-01-01T12:00:00Z"))).await,
        ["c", "d"]
    );
}

pub async fn range_of_texts_is_by_characters(store: &dyn DocumentStore, prefix: &str) {
    let values = [json!("a"), json!("B"), json!("b"), json!("ba"), json!("é")];
    let index = filled(store, prefix, "keyword", values).await;
    assert_eq!(
        find(store, &index, Query::between("keyword", "a", "b")).await,
        ["a", "c"]
    );
    assert_eq!(
        find(store, &index, above("keyword", json!("b"))).await,
        ["d", "e"]
    );
}

pub async fn an_open_range_has_one_bound(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(
        store,
        prefix,
        "long",
        [json!(1), json!(null), json!([0, 9])],
    )
    .await;
    assert_eq!(find(store, &index, above("long", json!(1))).await, ["c"]);
    let at_most = range("long", None, None, None, Some(json!(1)));
    assert_eq!(find(store, &index, at_most).await, ["a", "c"]);
}

pub async fn prefix_finds_the_beginning_of_texts(store: &dyn DocumentStore, prefix: &str) {
    let values = [
        json!("S1A_IW"),
        json!("S1B"),
        json!("xS1"),
        json!(["q", "S1A"]),
        json!("s1a"),
    ];
    let index = filled(store, prefix, "keyword", values).await;
    assert_eq!(
        find(store, &index, prefixed("keyword", "S1")).await,
        ["a", "b", "d"]
    );
    assert_eq!(
        find(store, &index, prefixed("keyword", "S1A")).await,
        ["a", "d"]
    );
    assert!(
        find(store, &index, prefixed("keyword", "S*"))
            .await
            .is_empty()
    );
}

pub async fn exists_needs_a_value(store: &dyn DocumentStore, prefix: &str) {
    let values = [
        json!("x"),
        json!(null),
        json!([]),
        json!(""),
        json!([null]),
        json!(["x", null]),
    ];
    let index = filled(store, prefix, "keyword", values).await;
    fill(store, &index, [("z", json!({"other": 1}))]).await;
    assert_eq!(
        find(store, &index, exists("keyword")).await,
        ["a", "d", "f"]
    );
    assert_eq!(
        find(store, &index, Query::Not(exists("keyword").into())).await,
        ["b", "c", "e", "z"]
    );
}

pub async fn ids_finds_documents_by_id(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(store, prefix, "long", [json!(1), json!(2), json!(3)]).await;
    let query = Query::Ids(ids(["c", "x", "a", "a"]));
    assert_eq!(find(store, &index, query.clone()).await, ["a", "c"]);
    assert_eq!(
        find(store, &index, query.and(Query::term("long", 3))).await,
        ["c"]
    );
    assert!(find(store, &index, Query::Ids(vec![])).await.is_empty());
}

pub async fn and_needs_all(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let document = |keyword, long| json!({"keyword": keyword, "long": long});
    fill(
        store,
        &index,
        [
            ("a", document("x", 1)),
            ("b", document("x", 2)),
            ("c", document("y", 1)),
        ],
    )
    .await;
    let query = Query::term("keyword", "x").and(Query::term("long", 1));
    assert_eq!(find(store, &index, query).await, ["a"]);
}

pub async fn or_needs_one(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(store, prefix, "long", [json!(1), json!(2), json!(3)]).await;
    let query = Query::Or(vec![
        Query::term("long", 1),
        Query::term("keyword", "x"),
        above("long", json!(2)),
    ]);
    assert_eq!(find(store, &index, query).await, ["a", "c"]);
}

pub async fn not_turns_around(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(
        store,
        prefix,
        "long",
        [json!(1), json!(null), json!([1, 2])],
    )
    .await;
    let query = Query::Not(Query::term("long", 1).into());
    assert_eq!(find(store, &index, query.clone()).await, ["b"]);
    assert_eq!(
        find(store, &index, Query::Not(query.into())).await,
        ["a", "c"]
    );
    assert!(
        find(store, &index, Query::Not(Query::All.into()))
            .await
            .is_empty()
    );
}

pub async fn and_of_nothing_finds_everything(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(store, prefix, "long", [json!(1), json!(2)]).await;
    assert_eq!(find(store, &index, Query::And(vec![])).await, ["a", "b"]);
}

pub async fn or_of_nothing_finds_nothing(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(store, prefix, "long", [json!(1), json!(2)]).await;
    assert!(find(store, &index, Query::Or(vec![])).await.is_empty());
}

pub async fn queries_nest(store: &dyn DocumentStore, prefix: &str) {
    let values = [json!(1), json!(2), json!(3), json!(4), json!(5), json!(6)];
    let index = filled(store, prefix, "long", values).await;
    let one_of = |values: [i64; 2]| Query::terms("long", values);
    let query = Query::Or(vec![one_of([1, 2]), one_of([4, 5])]).and(Query::Not(
        Query::Or(vec![Query::term("long", 2), above("long", json!(4))]).into(),
    ));
    assert_eq!(find(store, &index, query).await, ["a", "d"]);
    let deep =
        (0..Query::DEEPEST - 1).fold(Query::term("long", 3), |query, _| Query::And(vec![query]));
    assert_eq!(find(store, &index, deep).await, ["c"]);
}

pub async fn a_query_nested_too_deep_is_refused(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(store, prefix, "long", [json!(1)]).await;
    let deep = (0..200).fold(Query::All, |query, _| Query::Not(query.into()));
    assert!(is_refused(store, &index, &Search::new(deep.clone())).await);
    assert!(matches!(
        store.count(&index, &deep).await,
        Err(StoreError::Refused { .. })
    ));
}

pub async fn a_path_reaches_into_objects(store: &dyn DocumentStore, prefix: &str) {
    let values = [
        json!({"keyword": "x", "long": 1}),
        json!([{"keyword": "x"}, {"keyword": "y", "long": 2}]),
        json!({"long": 3}),
    ];
    let index = filled(store, prefix, "object", values).await;
    assert_eq!(
        find(store, &index, Query::term("object.keyword", "x")).await,
        ["a", "b"]
    );
    assert_eq!(
        find(store, &index, above("object.long", json!(1))).await,
        ["b", "c"]
    );
    assert_eq!(
        find(store, &index, exists("object.keyword")).await,
        ["a", "b"]
    );
}

/// Whatever a field is called, its name reaches the store as a name.
pub async fn odd_field_names_are_only_names(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(store, prefix, "long", [json!(1), json!(2)]).await;
    for name in [
        "'",
        "\"",
        "a') OR 1=1 --",
        "$.long",
        "x\"'",
        "\\",
        "lo*",
        "été",
        "a b",
    ] {
        let queries = [
            Query::term(name, 1),
            exists(name),
            above(name, json!(0)),
            prefixed(name, ""),
        ];
        for query in queries {
            assert!(
                find(store, &index, query.clone()).await.is_empty(),
                "{query:?}"
            );
        }
        let search = Search::new(Query::All).sorted(name, Order::Asc);
        assert_eq!(search_ids(store, &index, &search).await.len(), 2, "{name}");
    }
}

pub async fn the_id_is_found_like_a_field(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(store, prefix, "long", [json!(1), json!(2), json!(3)]).await;
    assert_eq!(find(store, &index, Query::term("_id", "b")).await, ["b"]);
    let two = Query::Terms {
        field: "_id".to_owned(),
        values: vec![json!("c"), json!("a"), json!("z")],
    };
    assert_eq!(find(store, &index, two).await, ["a", "c"]);
    assert_eq!(find(store, &index, exists("_id")).await, ["a", "b", "c"]);
}
