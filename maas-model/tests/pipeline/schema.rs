//! The JSON Schema for editors agrees with the loader.

use maas_model::pipeline::{Pipeline, schema};
use serde_json::Value;

use crate::correct::env;
use crate::wrong::cases;

/// As the loader and editors read it: `yes` is a text.
fn yaml(text: &str) -> Option<Value> {
    let options = serde_yaml::options! { strict_booleans: true, reject_unsupported_tags: true };
    serde_yaml::from_str_with_options(text, options).ok()
}

fn accepts(value: &Value) -> bool {
    jsonschema::validator_for(&schema())
        .unwrap()
        .is_valid(value)
}

#[test]
fn the_complete_file_is_accepted() {
    let value = yaml(include_str!("complete.yaml")).unwrap();
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn structural_mistakes_are_rejected_by_both() {
    const STRUCTURAL: [&str; 6] = [
        "unknown key",
        "missing key",
        "expected ",
        "must be ",
        "must not be ",
        "unknown collector",
    ];
    let mut compared = 0;
    for case in cases() {
        // What is not even YAML no schema can judge; a variable may turn out to be anything.
        let Some(value) = yaml(case.text).filter(|_| !case.text.contains("${")) else {
            continue;
        };
        let error = Pipeline::from_text("wrong.yaml", case.text, &env).unwrap_err();
        let is_structural =
            |message: &str| STRUCTURAL.iter().any(|start| message.starts_with(start));
        if error
            .problems
            .iter()
            .all(|problem| is_structural(&problem.message))
        {
            compared += 1;
            assert!(
                !accepts(&value),
                "{}: accepted by the schema\n{error}",
                case.name
            );
        }
    }
    assert!(compared >= 25, "only {compared} cases are structural");
}
