//! Pipeline files, and files of tests.

use std::io::Write;

use maas_cds::program::check_tests;
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

/// A file of tests.
pub(super) fn tests(bytes: &[u8]) {
    let file = tempfile::NamedTempFile::new();
    let written = file.and_then(|mut file| file.write_all(bytes).map(|()| file));
    // Without a disk nothing can be read.
    let Ok(file) = written else { return };
    if let Err(problems) = check_tests(file.path()) {
        assert!(!problems.is_empty(), "refused without a reason");
        judge(&problems);
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
