//! Promises about the order, the number and the fields of what a search gives.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::fixture::*;
use crate::store::{DocumentStore, Order, Query, Search};

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
