//! Expressions and Python lambdas: read, then evaluated on values.

use maas_model::expression::{Expression, ExpressionError};
use serde_json::{Value, json};

use super::says_something;

/// An expression; behind a NUL a JSON value for it.
pub(super) fn expression(bytes: &[u8]) {
    let (text, value) = parts(bytes);
    check(&text, Expression::parse(&text, &["value"]), &value);
}

/// A lambda; behind a NUL a JSON value for it.
pub(super) fn lambda(bytes: &[u8]) {
    let (text, value) = parts(bytes);
    let read = Expression::from_lambda(&text).map(|(_, expression)| expression);
    check(&text, read, &value);
}

fn parts(bytes: &[u8]) -> (String, Value) {
    let (text, value) = match bytes.iter().position(|byte| *byte == 0) {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &b"null"[..]),
    };
    let value = serde_json::from_slice(value).unwrap_or(json!({ "Name": "S2A_x", "l": [1, "a"] }));
    (String::from_utf8_lossy(text).into_owned(), value)
}

fn check(text: &str, read: Result<Expression, ExpressionError>, value: &Value) {
    let length = text.chars().count();
    match read {
        Err(error) => {
            says_something(&error.message);
            assert!(error.position <= length, "{error}");
        }
        Ok(expression) => {
            for value in [value, &Value::Null, &json!("20240124T051505")] {
                if let Err(error) = expression.eval_one(value) {
                    says_something(&error.message);
                    assert!(error.position <= length, "{error}");
                }
            }
        }
    }
}
