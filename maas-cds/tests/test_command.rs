//! `maas test` as its user types it: what passes, what differs and where, what is refused, what is written.
#![allow(clippy::unwrap_used)] // Helpers of tests, where a failure is to stop the test.

mod support;

use std::path::{Path, PathBuf};
use std::time::Instant;

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

use support::{maas, pipeline};

/// A pipeline with one test file; returns the path of that.
fn tests(folder: &Path, text: &str) -> PathBuf {
    pipeline(folder);
    std::fs::create_dir_all(folder.join("tests")).unwrap();
    let path = folder.join("tests/readings.yaml");
    std::fs::write(&path, text).unwrap();
    path
}

fn run(folder: &Path) -> assert_cmd::assert::Assert {
    let mut command = maas(folder);
    command.arg("test").arg(folder).assert()
}

const PASSING: &str = "\
tests:
  - name: a reading is stored
    when:
      - interface: readings
        text: |
          station,value
          A,1
    expect:
      documents:
        reading:
          # Only these are compared.
          - { station: A, value: 1 }
      messages:
        new.reading: 1
";

#[test]
fn what_is_as_expected_passes() {
    let folder = tempfile::tempdir().unwrap();
    tests(folder.path(), PASSING);
    run(folder.path())
        .success()
        .stdout(contains("1 passed, 0 failed"));
    assert!(!folder.path().join("data").exists(), "nothing is kept");
}

#[test]
fn what_differs_is_told_field_by_field_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let text = PASSING
        .replace("value: 1 }", "value: 2, unit: m }")
        .replace("new.reading: 1", "new.reading: [{ document_class: Read }]");
    let path = tests(folder.path(), &text);
    let place = |line: &str| format!("{}:{line}", path.display());
    run(folder.path())
        .code(1)
        .stdout(contains(format!(
            "FAILED {}: a reading is stored",
            place("2")
        )))
        .stdout(contains(place(
            "12:27: documents.reading[0].value\n    expected 2\n    found    1",
        )))
        .stdout(contains(
            "documents.reading[0].unit\n    expected \"m\"\n    found    null",
        ))
        .stdout(contains(
            "messages.new.reading[0].document_class\n    expected \"Read\"",
        ))
        .stdout(contains("0 passed, 1 failed"));
}

#[test]
fn a_dead_letter_that_nobody_expects_fails_a_test() {
    let folder = tempfile::tempdir().unwrap();
    tests(
        folder.path(),
        &PASSING.replace("A,1\n", "A,1\n          B,many\n"),
    );
    run(folder.path())
        .code(1)
        .stdout(contains("dead\n    expected nothing more").and(contains("cannot take `many`")));
}

#[test]
fn results_are_told_to_programs_too() {
    let folder = tempfile::tempdir().unwrap();
    tests(folder.path(), &PASSING.replace("value: 1 }", "value: 2 }"));
    let junit = folder.path().join("junit.xml");
    let mut command = maas(folder.path());
    let command = command.args(["test", "--output", "json", "--junit"]);
    let assert = command.arg(&junit).arg(folder.path()).assert().code(1);
    let told: Value = serde_json::from_slice(&assert.get_output().stdout).unwrap();
    assert_eq!(told["failed"], 1);
    assert_eq!(told["tests"][0]["differences"][0]["line"], 12);
    assert_eq!(
        told["tests"][0]["differences"][0]["path"],
        "documents.reading[0].value"
    );
    let xml = std::fs::read_to_string(junit).unwrap();
    assert!(
        xml.contains("failures=\"1\"") && xml.contains("expected 2"),
        "{xml}"
    );
}

#[test]
fn wrong_test_files_are_refused_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    for (written, instead, told) in [
        (
            "expect:",
            "expects:",
            ":8:5: tests[0].expects: unknown key `expects`",
        ),
        ("expect:", "expects:", "did you mean `expect`?"),
        (
            "interface:",
            "interfaces:",
            ":4:9: tests[0].when[0].interfaces: unknown key",
        ),
        (
            "text: |",
            "file: x\n        text: |",
            "a file and a text at once",
        ),
        ("tests:", "tests: [", "readings.yaml:"),
        (
            "- interface: readings",
            "- interface: readings\n        documents: {}",
            "one of `interface`",
        ),
        (
            "new.reading: 1",
            "new.reading: few",
            "messages.new.reading: ",
        ),
    ] {
        tests(folder.path(), &PASSING.replace(written, instead));
        run(folder.path()).code(2).stderr(contains(told));
    }
}

#[test]
fn what_cannot_be_run_says_why() {
    let folder = tempfile::tempdir().unwrap();
    tests(
        folder.path(),
        &PASSING.replace("interface: readings", "interface: reading"),
    );
    run(folder.path())
        .code(1)
        .stdout(contains("no interface `reading`; it has readings"));
    tests(
        folder.path(),
        &format!("pipeline: ../other.yaml\n{PASSING}"),
    );
    run(folder.path())
        .code(2)
        .stderr(contains("other.yaml: cannot read it"));
    let mut command = maas(folder.path());
    let command = command.arg("test").arg(folder.path().join("inbox"));
    command.assert().code(2).stderr(contains("no tests in"));
}

#[test]
fn only_what_the_filter_names_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let second = "  - { name: nothing happens, expect: { messages: {} } }\n";
    tests(folder.path(), &format!("{PASSING}{second}"));
    let test = |filter: &str| {
        let mut command = maas(folder.path());
        command
            .args(["test", "--filter", filter])
            .arg(folder.path())
            .assert()
    };
    test("nothing").success().stdout(contains("1 passed"));
    test("something")
        .code(2)
        .stderr(contains("no test has such a name"));
}

#[test]
fn an_update_writes_what_came_and_keeps_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = PASSING
        .replace("new.reading: 1", "new.reading: 3 # Some.")
        .replace("tests:", "# Readings.\ntests:");
    let path = tests(folder.path(), &wrong);
    let update = || {
        let mut command = maas(folder.path());
        command
            .args(["test", "--update"])
            .arg(folder.path())
            .assert()
            .success();
        std::fs::read_to_string(&path).unwrap()
    };
    let updated = update();
    assert_eq!(updated, PASSING.replace("tests:", "# Readings.\ntests:"));
    run(folder.path()).success();
    assert_eq!(update(), updated, "what is right stays as it is");
}

#[test]
fn an_update_writes_only_the_fields_that_were_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = tests(
        folder.path(),
        &PASSING.replace("A,1\n", "A,7\n          B,8\n"),
    );
    maas(folder.path())
        .args(["test", "--update"])
        .arg(&path)
        .assert()
        .success();
    let updated = std::fs::read_to_string(&path).unwrap();
    assert!(
        updated.contains("          - { station: A, value: 7 }\n"),
        "{updated}"
    );
    assert!(updated.contains("station: B, value: 8 }\n"), "{updated}");
    run(folder.path()).success();
}

#[test]
fn an_update_writes_a_whole_expectation_where_there_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let bare = PASSING.split("    expect:").next().unwrap();
    let path = tests(
        folder.path(),
        &format!("{bare}\n  - {{ name: nothing happens }}\n# The end.\n"),
    );
    let mut command = maas(folder.path());
    command
        .args(["test", "--update", "-f", "stored"])
        .arg(&path)
        .assert()
        .success();
    let updated = std::fs::read_to_string(&path).unwrap();
    assert!(
        updated.contains("          A,1\n    expect:\n      documents:\n        reading:\n"),
        "{updated}"
    );
    assert!(
        updated.ends_with("\n  - { name: nothing happens }\n# The end.\n"),
        "{updated}"
    );
    run(folder.path()).success().stdout(contains("2 passed"));
}

/// Through flow, store, queue and engine; whatever the machine is doing beside.
#[test]
fn two_hundred_tests_take_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let one = PASSING.strip_prefix("tests:\n").unwrap();
    let all: String = (0..200)
        .map(|number| one.replace("a reading", &format!("reading {number}")))
        .collect();
    tests(folder.path(), &format!("tests:\n{all}"));
    let started = Instant::now();
    run(folder.path())
        .success()
        .stdout(contains("200 passed, 0 failed"));
    let took = started.elapsed();
    println!("200 tests took {took:?}");
    assert!(took.as_secs() < 30, "{took:?}");
}

#[test]
fn the_examples_of_the_page_pass() {
    let page = include_str!("../../docs/testing.md");
    let examples: Vec<&str> = page
        .split("```yaml test\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(examples.len(), 3);
    for example in examples {
        let folder = tempfile::tempdir().unwrap();
        tests(folder.path(), example);
        let csv = "station,value\nA,2\n";
        std::fs::write(folder.path().join("tests/tuesday.csv"), csv).unwrap();
        run(folder.path()).success();
    }
}

/// What an editor is given to check test files with.
#[test]
fn the_schema_of_tests_accepts_those_that_are_shipped() {
    let folder = tempfile::tempdir().unwrap();
    let printed = maas(folder.path())
        .args(["schema", "--tests"])
        .output()
        .unwrap();
    let schema: Value = serde_json::from_slice(&printed.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines/copernicus-prip/tests");
    for entry in std::fs::read_dir(shipped).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let tests: Value = serde_yaml::from_str(&text).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&tests)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}
