//! The program, given the original's configuration.

use serde_json::Value;

use super::{original, support};

#[test]
fn check_lists_what_is_missing() {
    let Some(original) = original::folder() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut check = support::maas(folder.path());
    let check = check
        .args(["check", "--output", "json", "--legacy"])
        .arg(original);
    let output = check.output().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["sound"], true);
    let missing = told["missing"].as_array().unwrap();
    assert_eq!(
        output.status.code(),
        Some(if missing.is_empty() { 0 } else { 4 })
    );
    for one in missing {
        assert!(one["uses"].as_u64() > Some(0) && one["place"].as_str().is_some());
    }
}

#[test]
fn run_starts_nothing_halfway() {
    let Some(original) = original::folder() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let mut run = support::maas(folder.path());
    let run = run.args(["run", "--until-idle", "--legacy"]).arg(&original);
    run.assert().code(4);
    assert!(!folder.path().join("data").exists());

    let mut run = support::maas(folder.path());
    let run = run
        .env("MAAS_INBOX", folder.path())
        .args(["run", "--until-idle", "--skip-missing", "--legacy"])
        .arg(&original);
    run.assert().code(0);
    assert!(folder.path().join("data").exists());
}

#[test]
fn one_of_the_two_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = support::pipeline(folder.path());
    let mut check = support::maas(folder.path());
    check
        .arg("check")
        .arg(&pipeline)
        .arg("--legacy")
        .arg(folder.path())
        .assert()
        .code(2);
    let mut check = support::maas(folder.path());
    check.arg("check").assert().code(2);
}
