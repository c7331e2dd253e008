//! The custom build does what its user expects, from `plugins` to a computed document.

use assert_cmd::Command;
use predicates::str::contains;

fn custom_build(data: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_custom-build"));
    command
        .arg("--data-dir")
        .arg(data)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

#[test]
fn its_plugins_are_listed_with_their_crate() {
    let data = tempfile::tempdir().unwrap();
    let listed = custom_build(data.path()).arg("plugins").assert().success();
    listed
        .stdout(contains("numbers"))
        .stdout(contains("DOUBLE"))
        .stdout(contains("custom_build"));
}

#[test]
fn its_pipeline_is_sound_and_a_wrong_setting_is_refused() {
    let data = tempfile::tempdir().unwrap();
    custom_build(data.path())
        .args(["check", "pipeline.yaml"])
        .assert()
        .success();
    let wrong = std::fs::read_to_string("pipeline.yaml")
        .unwrap()
        .replace("count: 100", "cout: 100");
    let path = data.path().join("wrong.yaml");
    std::fs::write(&path, wrong).unwrap();
    let refused = custom_build(data.path())
        .arg("check")
        .arg(&path)
        .assert()
        .code(2);
    refused.stdout(contains("did you mean `count`"));
}

#[test]
fn it_collects_and_computes_and_does_nothing_twice() {
    let data = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        custom_build(data.path())
            .args(["run", "pipeline.yaml", "--until-idle"])
            .assert()
            .success();
        let count = custom_build(data.path())
            .args(["query", "doubled", "--count"])
            .assert()
            .success();
        count.stdout("100\n");
        let found = custom_build(data.path())
            .args([
                "query",
                "doubled",
                "--where",
                "number=21",
                "--output",
                "jsonl",
            ])
            .assert()
            .success();
        found.stdout(contains(r#""twice":42"#));
    }
}

/// What an editor is given to check the file with.
#[test]
fn the_schema_it_prints_accepts_its_pipeline() {
    let data = tempfile::tempdir().unwrap();
    let printed = custom_build(data.path()).arg("schema").output().unwrap();
    let schema: serde_json::Value = serde_json::from_slice(&printed.stdout).unwrap();
    let text = std::fs::read_to_string("pipeline.yaml").unwrap();
    let pipeline: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&pipeline)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn a_model_that_its_engine_does_not_find_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let wrong = std::fs::read_to_string("pipeline.yaml")
        .unwrap()
        .replace("target_model: Doubled", "target_model: Dubled");
    let path = data.path().join("wrong.yaml");
    std::fs::write(&path, wrong).unwrap();
    let refused = custom_build(data.path()).arg("check").arg(&path).assert();
    refused
        .code(2)
        .stdout(contains("target_model: unknown model `Dubled`"))
        .stdout(contains("did you mean `Doubled`?"));
}
