//! The page about expressions: its examples are true, and it leaves out no function.

use serde_json::Value;

use super::syntax::{Function, Method};
use super::{Expression, ExpressionError};

const PAGE: &str = include_str!("../../../docs/expressions.md");

/// The lines of all blocks of a kind, each cut into its columns.
fn lines(kind: &str) -> Vec<Vec<&'static str>> {
    let fence = format!("```{kind}\n");
    let blocks = PAGE.split(fence.as_str()).skip(1);
    let lines = blocks.flat_map(|rest| rest.split("```").next().unwrap_or("").lines());
    let columns = |line: &'static str| line.split("   ").map(str::trim).filter(|c| !c.is_empty());
    lines.map(|line| columns(line).collect()).collect()
}

fn check(read: fn(&str) -> Result<Expression, ExpressionError>, kind: &str) -> usize {
    let lines = lines(kind);
    for line in &lines {
        let &[text, value, wanted] = line.as_slice() else {
            panic!("no example: {line:?}");
        };
        let value: Value = serde_json::from_str(value).unwrap_or_else(|e| panic!("{line:?}: {e}"));
        let found = match read(text) {
            Err(error) => format!("refused: {error}"),
            Ok(expression) => match expression.eval_one(&value) {
                Err(error) => format!("error: {error}"),
                Ok(found) => found.to_string(),
            },
        };
        let agrees = match wanted.split_once(": ") {
            Some((kind @ ("refused" | "error"), part)) => {
                found.starts_with(kind) && found.contains(part)
            }
            _ => {
                let wanted = serde_json::from_str::<Value>(wanted).map(|value| value.to_string());
                wanted.is_ok_and(|wanted| found == wanted)
            }
        };
        assert!(agrees, "{line:?} gives {found}");
    }
    lines.len()
}

#[test]
fn expressions_give_what_the_page_says() {
    let checked = check(|text| Expression::parse(text, &["value"]), "expressions");
    assert!(checked > 50, "{checked}");
}

#[test]
fn lambdas_give_what_the_page_says() {
    let read = |text: &str| Expression::from_lambda(text).map(|(_, expression)| expression);
    assert_eq!(check(read, "lambdas"), 9);
}

/// In a table, and in an example.
#[test]
fn every_function_and_method_is_on_the_page() {
    let examples: String = lines("expressions").concat().join("\n");
    for name in Function::WORDS {
        assert!(PAGE.contains(&format!("`{name}(")), "{name}");
        assert!(examples.contains(&format!("{name}(")), "{name}");
    }
    for name in Method::WORDS {
        assert!(PAGE.contains(&format!("`{name}`")), "{name}");
        assert!(examples.contains(&format!(".{name}(")), "{name}");
    }
}
