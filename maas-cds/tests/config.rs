//! `maas config show`: what is in effect, and where it was named.
#![allow(clippy::unwrap_used)] // Helpers of tests, where a failure is to stop the test.

mod support;

use std::path::Path;

use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;

use support::{maas, pipeline};

fn shown(command: &mut assert_cmd::Command) -> Value {
    let output = command.args(["-o", "json"]).assert().success();
    serde_json::from_slice(&output.get_output().stdout).unwrap()
}

#[test]
fn it_says_where_options_come_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = pipeline(folder.path());
    let mut command = maas(folder.path());
    command.args(["config", "show"]).arg(&path);
    let options = &shown(&mut command)["x-options"];
    assert_eq!(options["store"]["value"], "embedded");
    assert_eq!(options["store"]["from"], "default");
    assert_eq!(options["data_dir"]["from"], "option --data-dir");

    let mut command = maas(folder.path());
    command.env("MAAS_BUS", "amqp://me:hunter22@host/vhost?certfile=x");
    command.args(["config", "show"]).arg(&path);
    command.args(["--store", "https://me:hunter23@host:9200"]);
    let options = &shown(&mut command)["x-options"];
    assert_eq!(options["bus"]["value"], "amqp://host/vhost");
    assert_eq!(options["bus"]["from"], "environment MAAS_BUS");
    assert_eq!(options["store"]["value"], "https://host:9200");
    assert_eq!(options["store"]["from"], "option --store");
    // Everybody may read the arguments of a process.
    let said = command.assert().success();
    said.stderr(contains("MAAS_STORE").and(contains("hunter").not()));
}

#[test]
fn what_is_shown_of_a_pipeline_is_read_again() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipelines/copernicus-prip");
    let folder = tempfile::tempdir().unwrap();
    let show = |path: &Path| {
        let output = maas(folder.path())
            .args(["config", "show"])
            .arg(path)
            .assert()
            .success();
        String::from_utf8(output.get_output().stdout.clone()).unwrap()
    };
    let first = show(&shipped);
    let file = folder.path().join("effective.yaml");
    std::fs::write(&file, &first).unwrap();
    let without_head = |text: &str| text.split_once("\n\n").unwrap().1.to_owned();
    assert_eq!(without_head(&show(&file)), without_head(&first));
    maas(folder.path())
        .arg("check")
        .arg(&file)
        .assert()
        .success();
}

#[test]
fn mistakes_are_answered_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong.yaml");
    std::fs::write(&wrong, "pols: []\n").unwrap();
    for (arguments, told) in [
        (vec!["config"], "show"),
        (
            vec!["config", "show"],
            "name the pipeline, a file or a folder; or `--legacy DIR`",
        ),
        (
            vec!["config", "show", wrong.to_str().unwrap()],
            "unknown key `pols`",
        ),
        (vec!["config", "show", "nowhere"], "cannot read"),
        (
            vec!["config", "show", "x", "--legacy", "y"],
            "name either a pipeline or `--legacy`",
        ),
        (vec!["config", "show", "x", "-o", "table"], "yaml, json"),
    ] {
        let ended = maas(folder.path()).args(&arguments).assert().code(2);
        ended.stderr(contains(told));
    }
}

#[test]
fn a_wrong_address_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["status", "--store", "ftp://me:hunter22@host"][..],
        &["status", "--bus=amqp://me:hunter22@host:99999"],
        &["status", "amqp://me:hunter22@host"],
    ] {
        let ended = maas(folder.path()).args(arguments).assert().code(2);
        ended.stderr(contains("error").and(contains("hunter").not()));
    }
}
