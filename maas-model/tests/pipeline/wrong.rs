//! The table of wrong files: each is refused with everything that is wrong, where, and what to do.
//!
//! `wrong.txt` has for each case the file and, behind `---`, one line per problem. After a change that
//! is meant, `MAAS_UPDATE=1 cargo test -p maas-model --test pipeline` writes these lines; read them.

use std::fmt::Write;

use maas_model::pipeline::{Pipeline, Problem, Severity};

use crate::correct::env;

const TABLE: &str = include_str!("wrong.txt");

pub(crate) struct Case<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
    expected: &'a str,
}

pub(crate) fn cases() -> Vec<Case<'static>> {
    let cases = TABLE.split("=== ").skip(1);
    cases
        .map(|case| {
            let (name, rest) = case.split_once('\n').unwrap();
            let (text, expected) = rest.rsplit_once("---\n").unwrap();
            Case {
                name,
                text,
                expected,
            }
        })
        .collect()
}

fn line(problem: &Problem) -> String {
    let mut line = match problem.severity {
        Severity::Error => String::new(),
        Severity::Warning => "warning ".to_owned(),
    };
    let _ = write!(line, "{}:{} ", problem.line, problem.column);
    if !problem.path.is_empty() {
        let _ = write!(line, "{}: ", problem.path);
    }
    line.push_str(&problem.message);
    if let Some(hint) = &problem.hint {
        let _ = write!(line, " = {hint}");
    }
    line
}

fn problems(text: &str) -> Vec<Problem> {
    match Pipeline::from_text("wrong.yaml", text, &env) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems,
    }
}

#[test]
fn every_mistake_is_told_with_place_and_hint() {
    let cases = cases();
    let mut written = String::new();
    let mut failed = Vec::new();
    for case in &cases {
        let found: String = problems(case.text)
            .iter()
            .map(|problem| line(problem) + "\n")
            .collect();
        let _ = write!(written, "=== {}\n{}---\n{found}", case.name, case.text);
        if found.is_empty() || found != case.expected {
            failed.push(format!(
                "{}:\n{}expected\n{}found\n{found}",
                case.name, case.text, case.expected
            ));
        }
    }
    if std::env::var_os("MAAS_UPDATE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pipeline/wrong.txt");
        std::fs::write(path, written).unwrap();
    }
    assert!(
        failed.is_empty(),
        "{} of {} cases:\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n")
    );
    assert!(
        cases.len() >= 45,
        "the table has {} cases only",
        cases.len()
    );
}

#[test]
fn places_are_in_the_file() {
    for case in cases() {
        for problem in problems(case.text) {
            let line = case
                .text
                .lines()
                .nth(problem.line.saturating_sub(1))
                .unwrap_or_default();
            let place = format!("{}: {problem}", case.name);
            assert!(problem.line >= 1 && problem.column >= 1, "{place}");
            assert!(problem.column <= line.chars().count() + 1, "{place}");
        }
    }
}

#[test]
fn a_literal_password_is_not_shown() {
    let text = "\
interfaces:
  - name: A
    collect: { probe: { paths: [x, 3], password: hunter2 hunter2, intervall_seconds: 3 } }
";
    let error = Pipeline::from_text("wrong.yaml", text, &env)
        .unwrap_err()
        .to_string();
    assert!(error.contains("intervall_seconds"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}
