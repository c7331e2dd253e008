//! The table of wrong files: each is refused with everything that is wrong, where, and what to do.
//!
//! `wrong.txt` has for each case the file and, behind `---`, one line per problem. After a change that
//! is meant, `MAAS_UPDATE=1 cargo test -p maas-model --test pipeline` writes these lines; read them.

use maas_model::pipeline::{Pipeline, Problem};

use crate::correct::env;
use crate::table::{self, Case};

const TABLE: &str = include_str!("wrong.txt");

pub(crate) fn cases() -> Vec<Case<'static>> {
    table::cases(TABLE)
}

fn problems(text: &str) -> Vec<Problem> {
    match Pipeline::from_text("wrong.yaml", text, &env) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems,
    }
}

#[test]
fn every_mistake_is_told_with_place_and_hint() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pipeline/wrong.txt");
    table::check(TABLE, file, |case| problems(case.text));
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
