//! A table of wrong pipelines: each case is a file and, behind `---`, one line per problem that is found in it.

use std::fmt::Write;

use maas_model::pipeline::{Problem, Severity};

pub(crate) struct Case<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
    pub(crate) expected: &'a str,
}

pub(crate) fn cases(table: &str) -> Vec<Case<'_>> {
    let cases = table.split("=== ").skip(1);
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

/// Every case has problems, and those that its table tells. With `MAAS_UPDATE` the table is written to `file`.
pub(crate) fn check(table: &str, file: &str, problems: impl Fn(&Case<'_>) -> Vec<Problem>) {
    let cases = cases(table);
    let mut written = String::new();
    let mut failed = Vec::new();
    for case in &cases {
        let found: String = problems(case)
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
        std::fs::write(file, written).unwrap();
    }
    assert!(
        failed.is_empty(),
        "{} of {} cases:\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n")
    );
    assert!(cases.len() >= 45, "{} cases only", cases.len());
}
