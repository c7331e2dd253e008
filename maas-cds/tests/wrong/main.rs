//! The table of wrong pipelines: each is refused by the plugins that are linked into `maas`, with
//! everything that is wrong, where, and what to do.
//!
//! A case of `table.txt` is the file `wrong.yaml` of a folder; beside it lies the `model.yaml` that is
//! shipped, unless the name of the case ends with `(alone)`. Behind `---` stands one line per problem.
//! After a change that is meant, `MAAS_UPDATE=1 cargo test -p maas-cds --test wrong` writes these lines;
//! read them.

#![allow(clippy::unwrap_used)] // A failed assumption is a failed test.

mod schema;
#[path = "../../../maas-model/tests/pipeline/table.rs"]
mod table;

use maas_cds as _;
use maas_model::pipeline::{Pipeline, Problem};

use self::table::Case;

const TABLE: &str = include_str!("table.txt");
const MODELS: &str = include_str!("../../../pipelines/copernicus-prip/model.yaml");

fn cases() -> Vec<Case<'static>> {
    table::cases(TABLE)
}

/// All problems, warnings too.
fn problems(case: &Case<'_>) -> Vec<Problem> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("wrong.yaml"), case.text).unwrap();
    if !case.name.ends_with("(alone)") {
        std::fs::write(folder.path().join("model.yaml"), MODELS).unwrap();
    }
    match Pipeline::load(folder.path(), &|_| None) {
        Ok((_, warnings)) => warnings,
        Err(error) => error.problems,
    }
}

#[test]
fn every_mistake_is_told_with_place_and_hint() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/wrong/table.txt");
    table::check(TABLE, file, problems);
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
}

#[test]
fn the_excerpt_is_the_line_and_the_place_is_in_it() {
    for case in cases() {
        let problems = problems(&case);
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
    let told: String = problems(&case).iter().map(ToString::to_string).collect();
    assert!(told.contains("poll_second"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}
