//! `maas extract`: records, ids, documents and messages of files, without store and bus.
#![allow(clippy::unwrap_used)] // Helpers of tests, where a failure is to stop the test.

mod support;

use std::path::Path;

use predicates::str::contains;
use serde_json::{Value, json};

use support::{maas, pipeline};

/// The lines that `maas extract` prints for `a.csv`, whose second record is wrong.
fn extract(folder: &Path, options: &[&str]) -> Vec<Value> {
    let path = pipeline(folder);
    let input = folder.join("a.csv");
    std::fs::write(&input, "station,value\nA,1\nB,many\nC,3\nA,2\n").unwrap();
    let mut command = maas(folder);
    let command = command
        .args([
            "extract",
            "--interface",
            "readings",
            "--now",
            "2024-05-01T00:00:00Z",
        ])
        .args(options)
        .arg("--config")
        .arg(path)
        .arg(&input);
    let assert = command.assert().code(1).stderr(contains(
        "a.csv: line 3: field `value` (long) cannot take `many`",
    ));
    assert!(!folder.join("data").exists(), "nothing is stored");
    let printed = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    let lines = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[test]
fn records_are_printed_as_they_are_extracted() {
    let folder = tempfile::tempdir().unwrap();
    let records = extract(folder.path(), &[]);
    assert_eq!(records.len(), 4);
    assert_eq!(records[1]["station"], "B");
    assert_eq!(records[1]["value"], "many");
}

#[test]
fn documents_are_what_would_be_stored() {
    let folder = tempfile::tempdir().unwrap();
    let documents = extract(folder.path(), &["--documents"]);
    let values: Vec<&Value> = documents
        .iter()
        .map(|document| &document["_source"]["value"])
        .collect();
    assert_eq!(
        values,
        [&json!(2), &json!(3)],
        "the later record has the last word"
    );
    assert_eq!(documents[0]["_index"], "reading");
    assert_eq!(
        documents[0]["_source"]["ingestionTime"],
        "2024-05-01T00:00:00.000Z"
    );
}

#[test]
fn messages_name_the_ids_in_chunks() {
    let folder = tempfile::tempdir().unwrap();
    let lines = extract(folder.path(), &["--ids", "--messages"]);
    let (ids, messages): (Vec<&Value>, Vec<&Value>) =
        lines.iter().partition(|line| line.get("_id").is_some());
    assert_eq!(ids.len(), 2);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["routing_key"], "new.reading");
    assert_eq!(
        messages[0]["body"]["document_ids"],
        json!([ids[0]["_id"], ids[1]["_id"]])
    );
}

#[test]
fn the_same_input_gives_the_same_output() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--documents", "--messages"];
    assert_eq!(
        extract(folder.path(), &options),
        extract(folder.path(), &options)
    );
}

#[test]
fn an_unknown_interface_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let path = pipeline(folder.path());
    maas(folder.path())
        .args(["extract", "-i", "reading", "x.csv", "-p"])
        .arg(path)
        .assert()
        .code(2)
        .stderr(contains("it has readings"));
}
