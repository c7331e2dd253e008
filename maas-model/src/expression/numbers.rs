//! `+ - * / // %`, as in Python; whole numbers end at 64 bits.

use serde_json::{Number, Value};

use super::error::Fault;
use super::functions::{check_size, type_name};
use super::syntax::Operator;

enum Operand {
    Whole(i128),
    Float(f64),
}

impl Operand {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(Self::Whole(i128::from(*flag))),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(whole), _) => Some(Self::Whole(whole.into())),
                (None, Some(whole)) => Some(Self::Whole(whole.into())),
                (None, None) => number.as_f64().map(Self::Float),
            },
            _ => None,
        }
    }

    fn float(&self) -> f64 {
        match self {
            Self::Whole(whole) => *whole as f64,
            Self::Float(float) => *float,
        }
    }
}

/// Sum of numbers, or two texts or lists joined.
pub(super) fn add(left: &Value, right: &Value) -> Result<Value, Fault> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => {
            check_size(left.len().checked_add(right.len()))?;
            Ok(Value::String(format!("{left}{right}")))
        }
        (Value::Array(left), Value::Array(right)) => {
            Ok(Value::Array(left.iter().chain(right).cloned().collect()))
        }
        _ => arithmetic(Operator::Add, left, right),
    }
}

/// Product of numbers, or a text or list repeated.
pub(super) fn multiply(left: &Value, right: &Value) -> Result<Value, Fault> {
    let (of, times) = match (left, right) {
        (Value::String(_) | Value::Array(_), times) => (left, times),
        (times, Value::String(_) | Value::Array(_)) => (right, times),
        _ => return arithmetic(Operator::Multiply, left, right),
    };
    let Some(Operand::Whole(times)) = Operand::read(times) else {
        return Err(unsupported("*", left, right));
    };
    let times = usize::try_from(times.max(0)).map_err(|_| Fault::too_much())?;
    match of {
        Value::String(text) => {
            check_size(text.len().checked_mul(times))?;
            Ok(Value::String(text.repeat(times)))
        }
        Value::Array(items) => {
            // An item takes more than a byte.
            check_size(
                items
                    .len()
                    .checked_mul(times)
                    .and_then(|length| length.checked_mul(64)),
            )?;
            Ok(Value::Array(
                items
                    .iter()
                    .cycle()
                    .take(items.len() * times)
                    .cloned()
                    .collect(),
            ))
        }
        _ => Err(unsupported("*", left, right)),
    }
}

pub(super) fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Result<Value, Fault> {
    let sign = match operator {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::FloorDivide => "//",
        Operator::Remainder => "%",
    };
    let (Some(a), Some(b)) = (Operand::read(left), Operand::read(right)) else {
        return Err(unsupported(sign, left, right));
    };
    let divides = matches!(
        operator,
        Operator::Divide | Operator::FloorDivide | Operator::Remainder
    );
    if divides && b.float() == 0.0 {
        return Err(Fault::value("division by zero"));
    }
    match (&a, &b) {
        // Operands have 64 bits; of these operations only a product leaves 128.
        (Operand::Whole(a), Operand::Whole(b)) if operator != Operator::Divide => {
            whole(match operator {
                Operator::Add => a + b,
                Operator::Subtract => a - b,
                Operator::Multiply => a.saturating_mul(*b),
                Operator::FloorDivide => floor(*a, *b),
                Operator::Divide | Operator::Remainder => a - b * floor(*a, *b),
            })
        }
        _ => {
            let (a, b) = (a.float(), b.float());
            float(match operator {
                Operator::Add => a + b,
                Operator::Subtract => a - b,
                Operator::Multiply => a * b,
                Operator::Divide => a / b,
                Operator::FloorDivide => ((a - remainder(a, b)) / b).round(),
                Operator::Remainder => remainder(a, b),
            })
        }
    }
}

pub(super) fn negative(value: &Value) -> Result<Value, Fault> {
    match Operand::read(value) {
        Some(Operand::Whole(number)) => whole(-number),
        Some(Operand::Float(number)) => float(-number),
        None => Err(Fault::kind(format!("{} has no negative", type_name(value)))),
    }
}

fn floor(a: i128, b: i128) -> i128 {
    let quotient = a / b;
    if a % b != 0 && (a < 0) != (b < 0) {
        quotient - 1
    } else {
        quotient
    }
}

/// Exact, with the sign of the divisor.
fn remainder(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
        rest + b
    } else {
        rest
    }
}

fn whole(number: i128) -> Result<Value, Fault> {
    i64::try_from(number)
        .map(Value::from)
        .or_else(|_| u64::try_from(number).map(Value::from))
        .map_err(|_| Fault::value("the number does not fit in 64 bits"))
}

fn float(number: f64) -> Result<Value, Fault> {
    Number::from_f64(number)
        .map(Value::Number)
        .ok_or_else(|| Fault::value("JSON has no such number"))
}

fn unsupported(sign: &str, left: &Value, right: &Value) -> Fault {
    let (left, right) = (type_name(left), type_name(right));
    Fault::kind(format!("no `{sign}` between {left} and {right}"))
}
