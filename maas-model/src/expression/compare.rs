//! Truth, equality and order, as in Python.

use std::cmp::Ordering;

use serde_json::Value;

use super::error::Fault;
use super::functions::type_name;
use super::syntax::Comparison;
use crate::document::same;

/// Whether a value counts as true: null, false, zero and what is empty do not.
pub(super) fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

pub(super) fn compare(comparison: Comparison, left: &Value, right: &Value) -> Result<bool, Fault> {
    use Comparison as C;
    Ok(match comparison {
        C::Equal => same(left, right),
        C::NotEqual => !same(left, right),
        C::Less => order(left, right)? == Ordering::Less,
        C::LessOrEqual => order(left, right)? != Ordering::Greater,
        C::Greater => order(left, right)? == Ordering::Greater,
        C::GreaterOrEqual => order(left, right)? != Ordering::Less,
        C::In => contains(right, left)?,
        C::NotIn => !contains(right, left)?,
        C::Is => left == right,
        C::IsNot => left != right,
    })
}

fn order(left: &Value, right: &Value) -> Result<Ordering, Fault> {
    let unordered = || {
        let (left, right) = (type_name(left), type_name(right));
        Fault::kind(format!("{left} and {right} have no order"))
    };
    match (left, right) {
        (Value::String(left), Value::String(right)) => Ok(left.cmp(right)),
        _ => match (number(left), number(right)) {
            (Some(left), Some(right)) => left.partial_cmp(&right).ok_or_else(unordered),
            _ => Err(unordered()),
        },
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        Value::Number(number) => number.as_f64(),
        _ => None,
    }
}

fn contains(of: &Value, wanted: &Value) -> Result<bool, Fault> {
    match (of, wanted) {
        (Value::Array(items), _) => Ok(items.iter().any(|item| same(item, wanted))),
        (Value::String(text), Value::String(wanted)) => Ok(text.contains(wanted.as_str())),
        (Value::Object(fields), Value::String(key)) => Ok(fields.contains_key(key)),
        (Value::Object(_), Value::Null | Value::Bool(_) | Value::Number(_)) => Ok(false),
        (of, _) => {
            let (of, wanted) = (type_name(of), type_name(wanted));
            Err(Fault::kind(format!("{wanted} cannot be in {of}")))
        }
    }
}
