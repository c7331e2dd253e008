//! What a run makes is for its owner alone, also where the umask takes nothing away.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // Helpers of tests, where a failure is to stop the test.

mod support;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use predicates::prelude::*;
use predicates::str::contains;

use support::{maas, pipeline, program};

/// The program under a umask that takes nothing away.
fn open_handed(folder: &Path, arguments: &[&str]) {
    let program = program(folder);
    let mut command = Command::new("sh");
    command
        .args(["-c", "umask 0; exec \"$0\" \"$@\""])
        .arg(program.get_program())
        .args(program.get_args())
        .args(arguments)
        .current_dir(folder);
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

fn rights(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o777
}

fn set(path: &Path, rights: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(rights)).unwrap();
}

/// All below a folder.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(below(&path));
        }
        found.push(path);
    }
    found
}

/// A pipeline whose files are moved, with a good file, one with a bad record, and one that cannot be read.
fn prepared(folder: &Path) -> PathBuf {
    let path = pipeline(folder);
    let text = std::fs::read_to_string(&path).unwrap();
    let text = text.replace(
        "done: keep",
        "done: { move: done/today }, broken: { move: broken }",
    );
    let text = text.replace(
        "    announce: {",
        "    store_meta: [station]\n    announce: {",
    );
    std::fs::write(&path, text.replace("engines: [SINK]", "engines: []")).unwrap();
    let inbox = folder.join("inbox");
    for (name, text) in [
        ("a.csv", "station,value\nA,1\nB,x\n"),
        ("b.csv", "other\n1\n"),
    ] {
        std::fs::write(inbox.join(name), text).unwrap();
        set(&inbox.join(name), 0o600);
    }
    set(&inbox, 0o700);
    path
}

#[test]
fn what_a_run_makes_is_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = prepared(folder.path());
    let backup = folder.path().join("kept/backup");
    let backup = backup.to_str().unwrap();
    open_handed(
        folder.path(),
        &["run", path.to_str().unwrap(), "--until-idle"],
    );
    open_handed(
        folder.path(),
        &["queue", "backup", "maas.dead.readings", backup],
    );
    let mut seen = Vec::new();
    for made in ["data", "inbox", "kept"] {
        let made = folder.path().join(made);
        for path in below(&made).into_iter().chain([made]) {
            let rights = rights(&path);
            assert_eq!(rights & 0o077, 0, "{}: {rights:o}", path.display());
            seen.push(path.display().to_string());
        }
    }
    for name in [
        "store.sqlite",
        "bus.sqlite",
        "done/today/a.csv",
        "broken/b.csv",
        ".err.log",
        "-maas-meta.json",
        "kept/backup/maas.dead.readings-",
    ] {
        assert!(
            seen.iter().any(|path| path.contains(name)),
            "no {name}: {seen:#?}"
        );
    }
}

#[test]
fn a_file_that_is_moved_is_as_open_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = prepared(folder.path());
    let inbox = folder.path().join("inbox");
    set(&inbox, 0o750);
    set(&inbox.join("a.csv"), 0o644);
    set(&inbox.join("b.csv"), 0o640);
    open_handed(
        folder.path(),
        &["run", path.to_str().unwrap(), "--until-idle"],
    );
    assert_eq!(rights(&inbox.join("done")), 0o750);
    assert_eq!(rights(&inbox.join("done/today/a.csv")), 0o644);
    assert_eq!(rights(&inbox.join("broken/b.csv")), 0o640);
    let report = below(&inbox.join("broken"));
    let report = report
        .iter()
        .find(|path| path.to_string_lossy().ends_with(".err.log"));
    assert_eq!(rights(report.unwrap()), 0o640);
}

#[test]
fn a_name_of_a_queue_leads_out_of_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let text = "pools:\n  - name: p\n    queues:\n      - { name: ../../up, from: { etl-exchange: [a] }, engines: [] }\noutside: { fed: [a] }\n";
    let path = folder.path().join("pipeline.yaml");
    std::fs::write(&path, text).unwrap();
    let message = folder.path().join("message.json");
    std::fs::write(&message, "{}").unwrap();
    // Declares the queue; the pool would take what is published before it is stopped.
    maas(folder.path())
        .args(["run", "--until-idle"])
        .arg(&path)
        .assert()
        .success();
    maas(folder.path())
        .args(["queue", "publish", "a"])
        .arg(&message)
        .assert()
        .success();
    let backup = folder.path().join("in/backup");
    maas(folder.path())
        .args(["queue", "backup", "../../up"])
        .arg(&backup)
        .assert()
        .success()
        .stdout(contains("1 messages kept"));
    assert_eq!(below(&backup).len(), 1);
    assert!(
        below(&folder.path().join("in"))
            .iter()
            .all(|path| path.starts_with(&backup))
    );
}

#[test]
fn the_doctor_tells_of_a_folder_that_others_may_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = prepared(folder.path());
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    set(&data, 0o755);
    open_handed(
        folder.path(),
        &["run", path.to_str().unwrap(), "--until-idle"],
    );
    assert_eq!(rights(&data), 0o755, "what is there keeps its rights");
    let doctor = || maas(folder.path()).arg("doctor").assert();
    doctor().success().stdout(
        contains("yellow")
            .and(contains("0755"))
            .and(contains("chmod")),
    );
    set(&data, 0o700);
    doctor()
        .success()
        .stdout(contains("for its owner alone").and(contains("yellow").not()));
}
