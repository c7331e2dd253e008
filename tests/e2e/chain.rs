//! The shipped pipeline from files to summaries: on the embedded pair, and alike on the real one.

use std::collections::BTreeMap;
use std::path::Path;

use maas_model::document::{IndexName, Version};
use maas_model::store::{Query, Search};
use maas_tests::chain::{Chain, Traces};
use maas_tests::program::Pair;
use maas_tests::sample::Settings;

pub(crate) const NAME: &str = "copernicus-prip";
pub(crate) const ALIASES: [&str; 5] = [
    "raw-data-prip-product",
    "cds-publication",
    "cds-product",
    "cds-summary-product",
    "cds-summary-publication",
];

/// A chain below `folder` that has run once on the default sample.
async fn ran_once(folder: &Path, pair: &Pair) -> (Chain, Traces) {
    let chain = Chain::copy(NAME, folder).unwrap();
    chain.fill(&Settings::default()).unwrap();
    chain.run(pair).unwrap();
    let traces = chain.traces(pair, &ALIASES).await.unwrap();
    (chain, traces)
}

/// Fails with the first differences: whole traces are too long to read.
pub(crate) fn similar(expected: &Traces, found: &Traces) {
    for (alias, documents) in &expected.documents {
        let others = &found.documents[alias];
        for (key, document) in documents {
            assert_eq!(others.get(key), Some(document), "`{alias}` {key:?}");
        }
        let more: Vec<_> = others
            .keys()
            .filter(|key| !documents.contains_key(key))
            .collect();
        assert!(
            more.is_empty(),
            "`{alias}` has documents too many: {more:?}"
        );
    }
    let missing: Vec<_> = expected
        .announced
        .difference(&found.announced)
        .take(5)
        .collect();
    assert!(missing.is_empty(), "not announced: {missing:?}");
    let more: Vec<_> = found
        .announced
        .difference(&expected.announced)
        .take(5)
        .collect();
    assert!(more.is_empty(), "announced without need: {more:?}");
}

#[tokio::test]
async fn a_second_run_changes_nothing_and_announces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::embedded(&folder.path().join("data"));
    let (chain, before) = ran_once(folder.path(), &pair).await;
    assert!(!before.documents["cds-product"].is_empty());
    assert!(!before.documents["cds-summary-product"].is_empty());
    let versions = versions(&pair).await;

    chain.fill(&Settings::default()).unwrap();
    chain.run(&pair).unwrap();

    assert_eq!(chain.traces(&pair, &ALIASES).await.unwrap(), before);
    assert_eq!(
        self::versions(&pair).await,
        versions,
        "a document was written again"
    );
}

/// The tables are collected in the same run: products must not overtake them.
#[tokio::test]
async fn products_find_their_levels_and_datatakes() {
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::embedded(&folder.path().join("data"));
    let (_, traces) = ran_once(folder.path(), &pair).await;
    let products = &traces.documents["cds-product"];
    assert_eq!(products.len(), Settings::default().products);
    for product in products.values() {
        let name = &product["name"];
        // Auxiliary data and telemetry are of no observation.
        let observed = !["_AUX_", "_PRD_HKTM_"]
            .iter()
            .any(|kind| name.as_str().is_some_and(|name| name.contains(kind)));
        assert_ne!(product["product_level"], "___", "{name}");
        if observed
            && ["S1", "S2"]
                .iter()
                .any(|mission| product["mission"] == *mission)
        {
            assert_ne!(product["datatake_id"], "______", "{name}");
            assert!(product["absolute_orbit"].is_string(), "{name}");
        }
    }
}

#[tokio::test]
async fn summaries_agree_with_what_they_sum_up() {
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::embedded(&folder.path().join("data"));
    let (_, traces) = ran_once(folder.path(), &pair).await;
    for (summaries, summed) in [
        ("cds-summary-product", "cds-product"),
        ("cds-summary-publication", "cds-publication"),
    ] {
        let summaries = traces.documents[summaries].values();
        let count: Option<u64> = summaries.map(|summary| summary["count"].as_u64()).sum();
        assert_eq!(count, Some(traces.documents[summed].len() as u64));
    }
    for summary in traces.documents["cds-summary-publication"].values() {
        let [average, most] = ["average", "max"].map(|measure| {
            let value = &summary[format!("{measure}_from_sensing_timeliness")];
            value.as_f64().unwrap()
        });
        assert!(0.0 < average && average <= most, "{summary}");
    }
}

/// The version of every document: it changes with every write.
async fn versions(pair: &Pair) -> BTreeMap<String, Option<Version>> {
    let store =
        maas_model::store::open(&pair.store.parse().unwrap(), &pair.data, Default::default())
            .unwrap();
    let mut versions = BTreeMap::new();
    for alias in ALIASES {
        let alias = IndexName::new(alias).unwrap();
        let mut pages = store.scan(&alias, &Search::new(Query::All)).await.unwrap();
        while let Some(page) = pages.next().await.unwrap() {
            for document in page {
                versions.insert(
                    format!("{}/{}", document.index, document.id),
                    document.version,
                );
            }
        }
    }
    store.close().await.unwrap();
    versions
}

/// The real pair must end exactly as the embedded one does.
#[cfg(feature = "services")]
#[tokio::test(flavor = "multi_thread")]
async fn the_real_pair_ends_as_the_embedded_one() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let embedded = Pair::embedded(&here.path().join("data"));
    let servers = crate::Real::start(&there.path().join("data")).await;
    let real = &servers.pair;
    let (_, expected) = ran_once(here.path(), &embedded).await;
    let (chain, found) = ran_once(there.path(), real).await;
    similar(&expected, &found);

    chain.fill(&Settings::default()).unwrap();
    let before = versions(real).await;
    chain.run(real).unwrap();
    similar(&expected, &chain.traces(real, &ALIASES).await.unwrap());
    assert_eq!(versions(real).await, before, "a document was written again");
}
