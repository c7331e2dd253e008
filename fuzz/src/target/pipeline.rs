//! Pipeline files.

use maas_model::pipeline::{LoadError, Pipeline, Problem, Severity};

use super::says_something;

/// A pipeline file, with one variable.
pub(super) fn pipeline(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let env = |name: &str| (name == "SET").then(|| "value".to_owned());
    match Pipeline::from_text("pipeline.yaml", &text, &env) {
        Ok((pipeline, warnings)) => {
            judge(&warnings);
            pipeline.topology();
            pipeline.wiring();
        }
        Err(error) => refused(&error),
    }
}

/// A refusal names what is wrong.
pub(super) fn refused(error: &LoadError) {
    let errors = error.problems.iter();
    let count = errors.filter(|problem| problem.severity == Severity::Error);
    assert!(count.count() > 0, "refused without a reason");
    judge(&error.problems);
}

pub(super) fn judge(problems: &[Problem]) {
    for problem in problems {
        says_something(&problem.message);
        says_something(&problem.file);
        says_something(&problem.to_string());
    }
}
