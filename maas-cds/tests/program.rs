//! The program as its user types it, right and wrong.
#![allow(clippy::unwrap_used)] // Helpers of tests, where a failure is to stop the test.

mod support;

use std::path::{Path, PathBuf};

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

use support::{maas, pipeline};

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines/copernicus-prip")
}

fn run(folder: &Path, pipeline: &Path) -> Value {
    let mut command = maas(folder);
    let command = command
        .args(["run", "--until-idle", "--output", "json"])
        .arg(pipeline);
    let output = command.assert().success().get_output().stdout.clone();
    serde_json::from_slice(&output).unwrap()
}

#[test]
fn a_file_that_cannot_be_read_is_counted_and_set_aside_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = pipeline(folder.path());
    std::fs::write(folder.path().join("inbox/a.csv"), "other\n1\n").unwrap();
    let summary = run(folder.path(), &path);
    let interface = &summary["interfaces"][0];
    assert_eq!(
        (&interface["files"], &interface["broken"]),
        (&1.into(), &1.into())
    );
    let names = std::fs::read_dir(folder.path().join("inbox")).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    let report = |name: &std::ffi::OsString| name.to_string_lossy().ends_with(".err.log");
    assert!(names.iter().any(report), "{names:?}");
}

#[test]
fn a_broken_record_is_a_dead_letter_and_its_neighbours_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = pipeline(folder.path());
    let csv = "station,value\nA,1\nB,many\nC,3\n";
    std::fs::write(folder.path().join("inbox/a.csv"), csv).unwrap();
    let summary = run(folder.path(), &path);
    assert_eq!(summary["interfaces"][0]["new"], 2);
    assert_eq!(summary["interfaces"][0]["refused"], 1);
    assert_eq!(summary["dead_letters"], 1);

    let listed = maas(folder.path())
        .args(["dead", "list", "--output", "jsonl"])
        .assert()
        .success();
    let letter: Value = serde_json::from_slice(&listed.get_output().stdout).unwrap();
    assert_eq!(letter["owner"], "readings");
    let id = letter["id"].as_str().unwrap();
    let shown = maas(folder.path())
        .args(["dead", "show", id])
        .assert()
        .success();
    shown
        .stdout(contains("a.csv"))
        .stdout(contains("value"))
        .stdout(contains("many"));
    maas(folder.path())
        .args(["dead", "replay", id, "--pipeline"])
        .arg(&path)
        .assert()
        .code(1)
        .stdout(contains(format!("{id} stays: field `value` (long)")));
    maas(folder.path())
        .args(["dead", "discard"])
        .assert()
        .code(1)
        .stderr(contains("--all"));
    maas(folder.path())
        .args(["dead", "discard", id])
        .assert()
        .success();
    let left = maas(folder.path())
        .args(["dead", "list", "--output", "jsonl"])
        .assert()
        .success();
    left.stdout("");
}

#[test]
fn a_second_run_finds_nothing_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = pipeline(folder.path());
    std::fs::write(folder.path().join("inbox/a.csv"), "station,value\nA,1\n").unwrap();
    assert_eq!(run(folder.path(), &path)["interfaces"][0]["files"], 1);
    let again = run(folder.path(), &path);
    assert_eq!(again["interfaces"][0]["files"], 0);
    assert_eq!(again["pools"][0]["messages"], 0);
}

#[test]
fn files_given_by_hand_are_ingested_and_stay() {
    let folder = tempfile::tempdir().unwrap();
    let path = pipeline(folder.path());
    let file = folder.path().join("by-hand.csv");
    std::fs::write(&file, "station,value\nA,1\nB,2\n").unwrap();
    let collect = |folder: &Path| {
        let mut command = maas(folder);
        command.args([
            "collect",
            "--interface",
            "readings",
            "--output",
            "json",
            "--pipeline",
        ]);
        command.arg(&path).arg(&file);
        command
    };
    collect(folder.path())
        .assert()
        .success()
        .stdout(contains(r#""new": 2"#));
    collect(folder.path())
        .assert()
        .success()
        .stdout(contains(r#""unchanged": 2"#));
    assert!(file.exists());
    let queue = maas(folder.path())
        .args(["queue", "peek", "readings"])
        .assert()
        .success();
    queue.stdout(contains(r#""document_class":"Reading""#));
}

#[test]
fn documents_go_out_and_come_in_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = pipeline(folder.path());
    std::fs::write(
        folder.path().join("inbox/a.csv"),
        "station,value\nA,1\nB,22\n",
    )
    .unwrap();
    run(folder.path(), &path);
    let exported = maas(folder.path())
        .args(["export", "reading"])
        .assert()
        .success();
    let lines = String::from_utf8(exported.get_output().stdout.clone()).unwrap();
    assert_eq!(lines.lines().count(), 2);

    let other = tempfile::tempdir().unwrap();
    let mut import = maas(other.path());
    import
        .args(["import", "-", "-", "--pipeline"])
        .arg(&path)
        .write_stdin(lines.clone());
    import
        .assert()
        .success()
        .stdout(contains("2 documents written"));
    let again = maas(other.path())
        .args(["export", "reading"])
        .assert()
        .success();
    again.stdout(lines);

    let query = |arguments: &[&str]| {
        let mut command = maas(other.path());
        command
            .args(["query", "reading", "--output", "jsonl"])
            .args(arguments)
            .assert()
            .success()
    };
    query(&["--where", "value>=20"])
        .stdout(contains(r#""station":"B""#).and(contains("\"A\"").not()));
    query(&["--count", "--where", "station=A,B"]).stdout("2\n");
    query(&["--sort", "-value", "--limit", "1"]).stdout(contains(r#""station":"B""#));
}

#[test]
fn the_shipped_pipeline_is_sound_and_can_be_drawn() {
    let folder = tempfile::tempdir().unwrap();
    maas(folder.path())
        .arg("check")
        .arg(shipped())
        .assert()
        .success()
        .stdout(contains("is sound"));
    for (format, expected) in [
        ("text", "PRIP_S1A_Serco"),
        ("mermaid", "flowchart"),
        ("svg", "<svg"),
    ] {
        let drawn = maas(folder.path())
            .args(["graph", "--format", format])
            .arg(shipped())
            .assert()
            .success();
        drawn.stdout(contains(expected));
    }
    maas(folder.path())
        .arg("schema")
        .assert()
        .success()
        .stdout(contains("interfaces"));
}

#[test]
fn every_plugin_shows_its_settings() {
    let folder = tempfile::tempdir().unwrap();
    let listed = maas(folder.path())
        .args(["plugins", "--output", "jsonl"])
        .assert()
        .success();
    let listed = String::from_utf8(listed.get_output().stdout.clone()).unwrap();
    let names: Vec<String> = listed
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["name"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    for expected in [
        "file",
        "json",
        "csv",
        "CONSOLIDATE_PRODUCT",
        "CONSOLIDATE_REPLICATE",
        "AGGREGATE",
    ] {
        assert!(
            names.iter().any(|name| name == expected),
            "{expected} is not linked"
        );
    }
    for name in names {
        maas(folder.path())
            .args(["plugins", &name])
            .assert()
            .success()
            .stdout(contains("example"));
    }
}

#[test]
fn mistakes_are_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = pipeline(folder.path());
    let path = path.to_str().unwrap();
    let broker = "amqp://127.0.0.1:1";
    let mistakes: [(&[&str], i32, &str); 12] = [
        (&["run", "no-such-folder"], 2, "no-such-folder"),
        (&["run", path, "--only", "pool=sinc"], 2, "it has sink"),
        (&["run", path, "--only", "everything"], 2, "pool=NAME"),
        (&["get", "reading", "nothing"], 1, ""),
        (&["query", "reading", "--where", "value"], 2, "field=value"),
        (
            &["query", "reading", "--limit", "0"],
            1,
            "between 1 and 10000",
        ),
        (
            &["collect", "--interface", "readins", "-p", path, "x.csv"],
            1,
            "it has readings",
        ),
        (
            &["--store", "ftp://somewhere", "status"],
            2,
            "write `embedded`",
        ),
        (
            &["--bus", "http://somewhere", "status"],
            2,
            "write `embedded`",
        ),
        (&["index", "drop", "reading"], 1, "--yes"),
        (&["--bus", broker, "dead", "list"], 1, "--pipeline"),
        (&["--bus", broker, "queue", "list"], 1, "--pipeline"),
    ];
    for (arguments, code, advice) in mistakes {
        let refused = maas(folder.path()).args(arguments).assert().code(code);
        refused.stderr(contains(advice));
    }
}

#[test]
fn a_wrong_pipeline_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = pipeline(folder.path());
    let wrong = std::fs::read_to_string(&path)
        .unwrap()
        .replace("station: keyword", "station: keywrd");
    std::fs::write(&path, wrong).unwrap();
    let checked = maas(folder.path()).arg("check").arg(&path).assert().code(2);
    checked.stdout(contains("pipeline.yaml:12").and(contains("keyword")));
    maas(folder.path())
        .arg("run")
        .arg(&path)
        .assert()
        .code(2)
        .stderr(contains("pipeline.yaml:12"));
}

#[test]
fn secrets_are_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let store = "http://operator:canary-1@127.0.0.1:1";
    let bus = "amqp://operator:canary-2@127.0.0.1:1/%2f";
    let output = maas(folder.path())
        .args(["--store", store, "--bus", bus, "doctor"])
        .env("MAAS_LOG", "trace")
        .timeout(std::time::Duration::from_secs(60))
        .assert()
        .code(1);
    let output = output.get_output();
    for text in [&output.stdout, &output.stderr] {
        assert!(!String::from_utf8_lossy(text).contains("canary"));
    }
    assert!(String::from_utf8_lossy(&output.stdout).contains("red"));
}
