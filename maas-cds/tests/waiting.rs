//! Waiting and dead messages in the hands of an operator.
#![allow(clippy::unwrap_used)] // Helpers of tests, where a failure is to stop the test.

mod support;

use std::path::{Path, PathBuf};

use predicates::str::contains;
use serde_json::{Value, json};

use support::maas;

const PIPELINE: &str = r#"
models:
  Reading:
    index: reading
    fields: { value: long }
  Copy:
    index: copy
    fields: { value: long }
pools:
  - name: copy
    queues:
      - name: copy
        from: { collect-exchange: [new.reading] }
        engines: [ CONSOLIDATE_REPLICATE: { target_model: Copy } ]
      - name: aside
        from: { collect-exchange: [new.aside] }
        engines: [ CONSOLIDATE_REPLICATE: { target_model: Copy } ]
outside:
  fed: [new.reading, new.aside]
  consumed: [new.copy, update.copy]
"#;

/// A data folder whose queues exist.
fn service() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = folder.path().join("pipeline.yaml");
    std::fs::write(&pipeline, PIPELINE).unwrap();
    run(folder.path(), &pipeline);
    (folder, pipeline)
}

fn run(folder: &Path, pipeline: &Path) {
    let mut command = maas(folder);
    command.args(["run", "--until-idle"]).arg(pipeline);
    command.assert().success();
}

/// Publishes a message, which names a model that is not in the pipeline when the class is not `Reading`.
fn publish(folder: &Path, class: &str, ids: &[&str], further: &[&str]) {
    let file = folder.join("message.json");
    let message = json!({
        "message_id": "first", "document_ids": ids, "document_class": class,
        "document_indices": ["reading-2026"],
    });
    std::fs::write(&file, message.to_string()).unwrap();
    let mut command = maas(folder);
    command.args([
        "queue",
        "publish",
        "--exchange",
        "collect-exchange",
        "new.reading",
    ]);
    command.arg(&file).args(further);
    command.assert().success();
}

fn lines(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let output = maas(folder).args(arguments).assert().success();
    let text = String::from_utf8(output.get_output().stdout.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn ready(folder: &Path, queue: &str) -> Value {
    let queues = lines(folder, &["queue", "list", queue, "--output", "jsonl"]);
    queues[0]["ready"].clone()
}

#[test]
fn messages_are_cut_kept_in_files_put_back_and_moved() {
    let (folder, _) = service();
    let folder = folder.path();
    publish(
        folder,
        "Reading",
        &["a", "b", "c", "d", "e"],
        &["--chunk-size", "2"],
    );
    assert_eq!(ready(folder, "copy"), 3);

    let kept = folder.join("kept");
    let backup = |queue| {
        let mut command = maas(folder);
        command.args(["queue", "backup", queue]).arg(&kept);
        command.assert().success()
    };
    backup("copy").stdout(contains("3 messages kept"));
    assert_eq!(ready(folder, "copy"), 0);
    backup("copy").stdout(contains("0 messages kept"));

    let mut restore = maas(folder);
    restore
        .args(["queue", "restore", "--chunk-size", "1"])
        .arg(&kept);
    restore.assert().success();
    let peeked = lines(folder, &["queue", "peek", "copy"]);
    assert_eq!(peeked.len(), 5);
    assert_eq!(peeked[0]["exchange"], "collect-exchange");
    assert_eq!(peeked[0]["routing_key"], "new.reading");
    assert_eq!(peeked[0]["body"]["document_ids"], json!(["a"]));

    let moved = maas(folder)
        .args(["queue", "move", "copy", "aside", "--limit", "2"])
        .assert()
        .success();
    moved.stdout(contains("2 messages moved to aside"));
    assert_eq!(
        (ready(folder, "copy"), ready(folder, "aside")),
        (json!(3), json!(2))
    );
    let nowhere = maas(folder)
        .args(["queue", "move", "copy", "nowhere"])
        .assert();
    nowhere
        .failure()
        .stderr(contains("there is no queue `nowhere`"));
    assert_eq!(ready(folder, "copy"), 3);
}

#[test]
fn dead_letters_are_found_exported_and_keep_their_history_over_replays() {
    let (folder, pipeline) = service();
    let folder = folder.path();
    publish(folder, "Nobody", &["a"], &[]);
    publish(folder, "Nobody", &["b"], &[]);
    run(folder, &pipeline);

    let found = |further: &[&str]| {
        let arguments = [&["dead", "list", "--output", "jsonl"], further].concat();
        lines(folder, &arguments).len()
    };
    assert_eq!(found(&[]), 2);
    assert_eq!(found(&["--document", "a"]), 1);
    assert_eq!(found(&["--index", "reading"]), 2);
    assert_eq!(found(&["--index", "read"]), 0);
    assert_eq!(
        found(&["--pool", "copy", "--engine", "CONSOLIDATE_REPLICATE"]),
        2
    );
    assert_eq!(found(&["--engine", "OTHER"]), 0);
    assert_eq!(
        found(&["--reason", "engine failed", "--since", "2020-01-01"]),
        2
    );

    let mut wrong = maas(folder);
    wrong.args(["dead", "replay", "--rate", "0"]);
    wrong.assert().code(2).stderr(contains("above 0"));
    for replays in 1..=2 {
        let began = std::time::Instant::now();
        let replayed = maas(folder)
            .args(["dead", "replay", "--rate", "5"])
            .assert();
        replayed.success().stdout(contains("2 replayed"));
        assert!(
            began.elapsed().as_millis() >= 200,
            "two within a fifth of a second"
        );
        run(folder, &pipeline);
        let letters = lines(folder, &["dead", "export"]);
        assert_eq!(letters.len(), 2);
        for letter in letters {
            assert_eq!(letter["replays"], replays, "{letter}");
            assert_eq!(letter["history"].as_array().unwrap().len(), replays);
            assert_eq!(letter["reason"]["kind"], "engine failed");
            assert_eq!(letter["original"]["type"], "message");
        }
    }
    let listed = lines(folder, &["dead", "list", "--output", "jsonl"]);
    assert_eq!(
        (&listed[0]["trace"], &listed[0]["replays"]),
        (&json!("first"), &json!(2))
    );
}
