//! The table of wrong pipelines: each is refused by the plugins that are linked into `maas`, with
//! everything that is wrong, where, and what to do.
//!
//! A case of `table.txt` is the file `wrong.yaml` of a folder; beside it lies the `model.yaml` that is
//! shipped, unless the name of the case ends with `(alone)`. Behind `---` stands one line per problem.
//! After a change that is meant, `MAAS_UPDATE=1 cargo test -p maas-cds --test wrong` writes these lines;
//! read them.

#![allow(clippy::unwrap_used)] // A failed assumption is a failed test.

mod schema;

use std::fmt::Write;

use maas_cds as _;
use maas_model::pipeline::{Pipeline, Problem, Severity};

const TABLE: &str = include_str!("table.txt");
const MODELS: &str = include_str!("../../../pipelines/copernicus-prip/model.yaml");

struct Case<'a> {
    name: &'a str,
    text: &'a str,
    expected: &'a str,
}

fn cases() -> Vec<Case<'static>> {
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

impl Case<'_> {
    /// All problems, warnings too.
    fn problems(&self) -> Vec<Problem> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("wrong.yaml"), self.text).unwrap();
        if !self.name.ends_with("(alone)") {
            std::fs::write(folder.path().join("model.yaml"), MODELS).unwrap();
        }
        match Pipeline::load(folder.path(), &|_| None) {
            Ok((_, warnings)) => warnings,
            Err(error) => error.problems,
        }
    }
}

fn line(problem: &Problem) -> String {
    let mut line = match problem.severity {
        Severity::Error => String::new(),
        Severity::Warning => "warning ".to_owned(),
    };
    if !problem.file.ends_with("wrong.yaml") {
        line.push_str(problem.file.rsplit('/').next().unwrap());
        line.push(':');
    }
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

#[test]
fn every_mistake_is_told_with_place_and_hint() {
    let cases = cases();
    let mut written = String::new();
    let mut failed = Vec::new();
    for case in &cases {
        let found: String = case
            .problems()
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
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wrong/table.txt");
        std::fs::write(path, written).unwrap();
    }
    assert!(
        failed.is_empty(),
        "{} of {} cases:\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n")
    );
}

#[test]
fn the_table_has_every_plugin_that_is_shipped() {
    let plugins = maas_model::plugin::plugins(None);
    for plugin in plugins {
        let used = format!("{}:", plugin.name);
        let cases = cases();
        let named = cases.iter().any(|case| case.text.contains(&used));
        assert!(named, "no case has the {} `{}`", plugin.kind, plugin.name);
    }
    assert!(cases().len() >= 45, "{} cases only", cases().len());
}

#[test]
fn the_excerpt_is_the_line_and_the_place_is_in_it() {
    for case in cases() {
        let problems = case.problems();
        let own = problems
            .iter()
            .filter(|problem| problem.file.ends_with("wrong.yaml"));
        for problem in own {
            let line = case.text.lines().nth(problem.line - 1);
            assert_eq!(problem.excerpt.as_deref(), line, "{}: {problem}", case.name);
            let length = line.unwrap_or_default().chars().count();
            assert!(
                (1..=length + 1).contains(&problem.column),
                "{}: {problem}",
                case.name
            );
        }
    }
}

#[test]
fn a_password_under_a_wrong_key_is_not_shown() {
    let case = Case {
        name: "a password (alone)",
        text: "\
interfaces:
  - name: A
    collect: { file: { paths: [in, 3], password: hunter2, poll_second: 3 } }
",
        expected: "",
    };
    let told: String = case.problems().iter().map(ToString::to_string).collect();
    assert!(told.contains("poll_second"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}
