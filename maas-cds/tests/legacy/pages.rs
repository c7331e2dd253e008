//! The examples of the pages about models and migration.

use maas_model::pipeline::{Pipeline, Severity};
use serde_json::json;

use super::small;

const MODELS: &str = include_str!("../../../docs/models.md");
const MIGRATION: &str = include_str!("../../../docs/migration.md");

fn blocks(page: &str, kind: &str) -> Vec<String> {
    let fence = format!("```{kind}\n");
    let blocks = page.split(fence.as_str()).skip(1);
    let block = |rest: &str| rest.split("```").next().unwrap().to_owned();
    blocks.map(block).collect()
}

#[test]
fn the_models_of_the_page_load() {
    let blocks = blocks(MODELS, "yaml");
    let names: Vec<String> = blocks
        .iter()
        .flat_map(|block| {
            let loaded = Pipeline::from_text("models.md", block, &|_| None);
            let (pipeline, warnings) = loaded.unwrap_or_else(|error| panic!("{error}"));
            assert!(warnings.is_empty(), "{warnings:?}");
            pipeline.models.into_keys()
        })
        .collect();
    assert_eq!(names, ["Reading", "Pass"]);
}

#[test]
fn every_partition_of_the_page_is_one() {
    let rows = MODELS.lines().filter_map(|line| line.strip_prefix("| `{"));
    let mut found = 0;
    for row in rows {
        let partition = format!("{{{}", row.split('`').next().unwrap());
        let text = format!(
            "models: {{ A: {{ index: a, partition: {partition}, fields: {{ date: date, unit: keyword, orbit: integer }} }} }}"
        );
        let loaded = Pipeline::from_text("models.md", &text, &|_| None);
        loaded.unwrap_or_else(|error| panic!("{error}"));
        found += 1;
    }
    assert_eq!(found, 3);
}

#[test]
fn the_example_of_the_migration_converts_so() {
    let old = serde_json::from_str(&blocks(MIGRATION, "json")[0]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    small::write(
        folder.path(),
        &[("stations.json", old), ("empty.json", json!({}))],
    );
    let converted = Pipeline::convert_legacy(&[folder.path().to_owned()], &|_| None);
    let errors = converted
        .problems
        .iter()
        .filter(|one| one.severity == Severity::Error);
    assert_eq!(errors.count(), 0, "{:?}", converted.problems);
    let (_, text) = converted.files["collect-stations.yaml"]
        .split_once("\n\n")
        .unwrap();
    assert_eq!(text, blocks(MIGRATION, "yaml")[0]);
}
