//! Files made to hurt: refused quickly, never a panic.

use std::fmt::Write;

use maas_model::pipeline::{LoadError, Pipeline};
use proptest::prelude::*;

use crate::correct::env;

fn refused(text: &str) -> LoadError {
    Pipeline::from_text("hostile.yaml", text, &env).unwrap_err()
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
        let text = format!(
            "models: \n  {}1{}",
            open.repeat(50_000),
            close.repeat(50_000)
        );
        let error = refused(&text);
        assert_eq!(error.problems.len(), 1, "{open}");
        assert!(error.to_string().len() < 2_000, "{open}");
    }
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let mut text = "x-0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..12 {
        let inner = vec![format!("*a{}", level - 1); 10].join(", ");
        let _ = writeln!(text, "x-{level}: &a{level} [{inner}]");
    }
    assert_eq!(refused(&text).problems.len(), 1);
}

#[test]
fn many_mistakes_are_told_up_to_a_limit() {
    let text = "interfaces:\n".to_owned() + &"  - nam: x\n".repeat(5_000);
    let problems = refused(&text).problems;
    let (last, told) = problems.split_last().unwrap();
    assert!((100..=1000).contains(&told.len()), "{}", told.len());
    assert!(last.message.ends_with("more that are not told"), "{last}");
}

#[test]
fn many_queues_are_judged_in_time() {
    let mut text = "pools:\n  - name: P\n    queues:\n".to_owned();
    for queue in 0..1_000 {
        let next = queue + 1;
        let _ = writeln!(
            text,
            "      - {{ name: q{queue}, from: {{ etl-exchange: [k{queue}] }}, engines: [{{ ECHO: {{ container_rk: k{next} }} }}] }}"
        );
    }
    text.push_str("outside: { fed: [k0], consumed: [k1000] }\n");
    assert!(Pipeline::from_text("many.yaml", &text, &env).is_ok());
}

/// Pieces of pipelines, so that some of the noise gets far.
fn noise() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "interfaces:",
        "models:",
        "pools:",
        "engine_defaults:",
        "outside:",
        "\n",
        "\n  ",
        "\n    ",
        "- ",
        "name: A",
        "collect: ",
        "{ probe: ",
        "{ paths: [x] }",
        "}",
        "{",
        "[",
        "]",
        ",",
        "&a ",
        "*a",
        "<<: ",
        "${X}",
        "${X:-1}",
        "$${",
        "|",
        ">",
        "!!str ",
        "'",
        "\"",
        "# ",
        "? ",
        ": ",
        "~",
        "1e9",
        "queues: ",
        "from: ",
        "engines: ",
        "ECHO",
        "store: { model: Raw, id: a }",
        "é",
        "\u{0}",
        "\t",
        "---",
        "...",
    ]);
    prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        if let Err(error) = Pipeline::from_text("any.yaml", &text, &env) {
            prop_assert!(!error.problems.is_empty());
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn any_noise_is_read_or_refused(text in noise()) {
        if let Err(error) = Pipeline::from_text("noise.yaml", &text, &env) {
            prop_assert!(!error.problems.is_empty());
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn any_cut_of_a_pipeline_is_read_or_refused(at in 0..2_000_usize, letter in any::<char>()) {
        let mut text: Vec<char> = include_str!("complete.yaml").chars().collect();
        let at = at % text.len();
        text[at] = letter;
        let text: String = text.into_iter().collect();
        if let Err(error) = Pipeline::from_text("cut.yaml", &text, &env) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}

#[test]
fn any_bytes_in_a_file_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bytes.yaml");
    std::fs::write(&file, b"models: {}\nname: \xff\xfe\n").unwrap();
    let error = Pipeline::load(&file, &env).unwrap_err().to_string();
    assert!(error.contains("line 2 is not UTF-8"), "{error}");
    let error = Pipeline::load(&folder.path().join("nowhere"), &env)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("nowhere") && error.contains("cannot read"),
        "{error}"
    );
    let empty = tempfile::tempdir().unwrap();
    let error = Pipeline::load(empty.path(), &env).unwrap_err().to_string();
    assert!(error.contains("no `.yaml` file"), "{error}");
}
