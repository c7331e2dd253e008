//! Promises about searching, scanning and counting.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::fixture::*;
use crate::document::IndexName;
use crate::store::{DocumentStore, Order, Query, Search, StoreError, WriteOp};

/// Ids `a`, `b`, `c` ... for documents that each have one value in one field.
async fn filled<const N: usize>(
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

async fn is_refused(store: &dyn DocumentStore, index: &IndexName, search: &Search) -> bool {
    matches!(
        store.search(index, search).await,
        Err(StoreError::Refused { .. })
    )
}

/// All pages of a scan; checks that none is empty or too long.
async fn scanned(store: &dyn DocumentStore, index: &IndexName, search: &Search) -> Vec<String> {
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
async fn many(store: &dyn DocumentStore, prefix: &str) -> IndexName {
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

pub async fn sort_goes_up_and_down(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(
        store,
        prefix,
        "long",
        [json!(2), json!(10), json!(-1), json!(9)],
    )
    .await;
    let search = Search::new(Query::All);
    let up = search.clone().sorted("long", Order::Asc);
    assert_eq!(search_ids(store, &index, &up).await, ["c", "a", "d", "b"]);
    let down = search.sorted("long", Order::Desc);
    assert_eq!(search_ids(store, &index, &down).await, ["b", "d", "a", "c"]);
}

pub async fn sort_puts_missing_values_last(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(
        store,
        prefix,
        "long",
        [json!(null), json!(2), json!([]), json!(1)],
    )
    .await;
    for (order, first) in [(Order::Asc, ["d", "b"]), (Order::Desc, ["b", "d"])] {
        let search = Search::new(Query::All)
            .sorted("long", order)
            .sorted("_id", Order::Asc);
        let found = search_ids(store, &index, &search).await;
        assert_eq!(found[..2], first);
        assert_eq!(found[2..], ["a", "c"]);
    }
}

pub async fn sort_by_several_fields(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let document = |keyword, long| json!({"keyword": keyword, "long": long});
    fill(
        store,
        &index,
        [
            ("a", document("y", 1)),
            ("b", document("x", 1)),
            ("c", document("x", 2)),
            ("d", document("y", 2)),
        ],
    )
    .await;
    let search = Search::new(Query::All)
        .sorted("keyword", Order::Asc)
        .sorted("long", Order::Desc);
    assert_eq!(
        search_ids(store, &index, &search).await,
        ["c", "b", "d", "a"]
    );
}

pub async fn sort_by_id(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    fill(
        store,
        &index,
        ["b", "a", "c", "B"].map(|name| (name, json!({}))),
    )
    .await;
    let search = Search::new(Query::All).sorted("_id", Order::Asc);
    assert_eq!(
        search_ids(store, &index, &search).await,
        ["B", "a", "b", "c"]
    );
}

pub async fn sort_of_dates_is_by_time(store: &dyn DocumentStore, prefix: &str) {
    let values = [
        json!("2024-01-01T12:00:00.000Z"),
        json!("2024-01-01T12:30:00+02:00"),
        json!("2024-01-01T11:00:00Z"),
    ];
    let index = filled(store, prefix, "date", values).await;
    let search = Search::new(Query::All).sorted("date", Order::Asc);
    assert_eq!(search_ids(store, &index, &search).await, ["b", "c", "a"]);
}

pub async fn limit_cuts_after_sorting(store: &dyn DocumentStore, prefix: &str) {
    let alias = many(store, prefix).await;
    let search = Search::new(Query::All)
        .sorted("long", Order::Desc)
        .limited(3);
    assert_eq!(
        search_ids(store, &alias, &search).await,
        ["id-2499", "id-2498", "id-2497"]
    );
    let found = search_ids(store, &alias, &Search::new(Query::All).limited(7)).await;
    assert_eq!(found.len(), 7);
}

pub async fn a_limit_out_of_bounds_is_refused(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(store, prefix, "long", [json!(1)]).await;
    for limit in [0, Search::MOST + 1] {
        assert!(
            is_refused(store, &index, &Search::new(Query::All).limited(limit)).await,
            "{limit}"
        );
    }
    let most = Search::new(Query::All).limited(Search::MOST);
    assert_eq!(search_ids(store, &index, &most).await, ["a"]);
}

pub async fn chosen_fields_only(store: &dyn DocumentStore, prefix: &str) {
    let (_, index, _) = installed(store, prefix).await;
    let document = json!({"keyword": "k", "long": 1, "object": {"keyword": "x", "long": 2}});
    fill(store, &index, [("a", document.clone())]).await;
    let mut search = Search::new(Query::All);
    for (fields, expected) in [
        (vec![], document),
        (vec!["long"], json!({"long": 1})),
        (
            vec!["object.long", "nowhere"],
            json!({"object": {"long": 2}}),
        ),
        (
            vec!["keyword", "object"],
            json!({"keyword": "k", "object": {"keyword": "x", "long": 2}}),
        ),
    ] {
        search.fields = fields.into_iter().map(str::to_owned).collect();
        let found = store.search(&index, &search).await.unwrap().remove(0);
        assert_eq!(Value::Object(found.source), expected);
        assert!(found.version.is_some());
    }
}

pub async fn a_search_by_alias_covers_every_partition(store: &dyn DocumentStore, prefix: &str) {
    let (alias, january, february) = installed(store, prefix).await;
    let neighbour = index(prefix, "modelling-2024-01");
    for (index, name) in [(&january, "a"), (&february, "b"), (&neighbour, "c")] {
        fill(store, index, [(name, json!({"keyword": "x"}))]).await;
    }
    let query = Query::term("keyword", "x");
    assert_eq!(find(store, &alias, query.clone()).await, ["a", "b"]);
    let found = store.search(&alias, &Search::new(query)).await.unwrap();
    let indices: BTreeSet<_> = found.into_iter().map(|found| found.index).collect();
    assert_eq!(indices, BTreeSet::from([january, february]));
}

pub async fn a_search_of_an_unknown_index_finds_nothing(store: &dyn DocumentStore, prefix: &str) {
    let nowhere = index(prefix, "nowhere");
    let search = Search::new(Query::term("a", 1)).sorted("b", Order::Asc);
    assert!(search_ids(store, &nowhere, &search).await.is_empty());
    assert!(scanned(store, &nowhere, &search).await.is_empty());
}

pub async fn a_scan_gives_everything_once(store: &dyn DocumentStore, prefix: &str) {
    let alias = many(store, prefix).await;
    let mut found = scanned(store, &alias, &Search::new(Query::All).limited(300)).await;
    found.sort();
    let expected: Vec<String> = (0..2_500).map(|n| format!("id-{n:04}")).collect();
    assert_eq!(found, expected);
}

pub async fn a_scan_keeps_to_its_query(store: &dyn DocumentStore, prefix: &str) {
    let alias = many(store, prefix).await;
    let search = Search::new(Query::term("keyword", "k3")).limited(100);
    let mut found = scanned(store, &alias, &search).await;
    found.sort();
    let expected: Vec<String> = (0..250).map(|n| format!("id-{:04}", n * 10 + 3)).collect();
    assert_eq!(found, expected);
}

pub async fn a_scan_keeps_the_order(store: &dyn DocumentStore, prefix: &str) {
    let alias = many(store, prefix).await;
    let search = Search::new(Query::All)
        .sorted("long", Order::Desc)
        .limited(400);
    let expected: Vec<String> = (0..2_500).rev().map(|n| format!("id-{n:04}")).collect();
    assert_eq!(scanned(store, &alias, &search).await, expected);
}

pub async fn a_scan_of_nothing_ends_at_once(store: &dyn DocumentStore, prefix: &str) {
    let index = filled(store, prefix, "long", [json!(1)]).await;
    assert!(
        scanned(store, &index, &Search::new(Query::term("long", 2)))
            .await
            .is_empty()
    );
}

pub async fn a_scan_survives_writes_meanwhile(store: &dyn DocumentStore, prefix: &str) {
    let alias = many(store, prefix).await;
    let january = index(prefix, "model-2024-01");
    let mut pages = store
        .scan(&alias, &Search::new(Query::All).limited(500))
        .await
        .unwrap();
    let mut found = Vec::new();
    let mut rounds = 0;
    while let Some(page) = pages.next().await.unwrap() {
        found.extend(page.into_iter().map(|document| document.id.to_string()));
        let updated = put(&january, "id-0000", json!({"long": rounds}));
        write_all(
            store,
            vec![updated, put(&january, &format!("new-{rounds}"), json!({}))],
        )
        .await;
        store.refresh(&alias).await.unwrap();
        rounds += 1;
        assert!(rounds < 20, "a scan has an end");
    }
    let different: BTreeSet<&String> = found.iter().collect();
    assert_eq!(different.len(), found.len(), "seen twice");
    let old = found.iter().filter(|id| id.starts_with("id-")).count();
    assert_eq!(old, 2_500);
}

pub async fn count_counts_what_matches(store: &dyn DocumentStore, prefix: &str) {
    let alias = many(store, prefix).await;
    let january = index(prefix, "model-2024-01");
    assert_eq!(store.count(&alias, &Query::All).await.unwrap(), 2_500);
    assert_eq!(store.count(&january, &Query::All).await.unwrap(), 1_250);
    assert_eq!(
        store
            .count(&alias, &Query::term("keyword", "k3"))
            .await
            .unwrap(),
        250
    );
    assert_eq!(store.count(&alias, &Query::Or(vec![])).await.unwrap(), 0);
}
