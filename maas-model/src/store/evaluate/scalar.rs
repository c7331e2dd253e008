//! One value in the form in which it is compared, sorted and grouped.

use std::borrow::Cow;
use std::cmp::Ordering;

use chrono::DateTime;
use serde_json::{Number, Value};

use super::kinds::Class;
use crate::document::{parse_date, zulu};

/// Booleans sort before numbers, numbers before texts; dates are texts in the stored form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scalar<'a> {
    Bool(bool),
    Number(Numeric),
    Text(Cow<'a, str>),
}

/// A number whose integers are exact, whatever their size.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Numeric {
    Int(i128),
    Float(f64),
}

impl<'a> Scalar<'a> {
    /// `None` for what has no scalar form in this class: null, lists, objects, text that is no number.
    pub(crate) fn of(value: &'a Value, class: Class) -> Option<Self> {
        match (class, value) {
            (_, Value::Null | Value::Array(_) | Value::Object(_)) => None,
            (Class::Text, Value::String(text)) => Some(Self::Text(text.as_str().into())),
            (Class::Text, other) => Some(Self::Text(other.to_string().into())),
            (Class::Number | Class::Any, Value::Number(number)) => {
                Some(Self::Number(Numeric::of(number)))
            }
            (Class::Number, Value::String(text)) => Numeric::parse(text).map(Self::Number),
            (Class::Date, Value::Number(millis)) => {
                Some(Self::Text(date_of_millis(millis.as_i64()?)?.into()))
            }
            (Class::Date, Value::String(text)) => date_text(text, value).map(Self::Text),
            (Class::Boolean | Class::Any, Value::Bool(flag)) => Some(Self::Bool(*flag)),
            (Class::Boolean, Value::String(text)) => text.parse().ok().map(Self::Bool),
            (Class::Any, Value::String(text)) => Some(Self::Text(
                begins_like_date(text)
                    .then(|| date_text(text, value))
                    .flatten()
                    .unwrap_or(Cow::Borrowed(text)),
            )),
            (Class::Number | Class::Date, Value::Bool(_)) | (Class::Boolean, Value::Number(_)) => {
                None
            }
        }
    }

    /// The order of two values of one kind; `None` across kinds, which no range spans.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        (std::mem::discriminant(self) == std::mem::discriminant(other)).then(|| self.cmp(other))
    }

    /// As a JSON value; whole floats become integers, so that `1` and `1.0` name one group.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Bool(flag) => flag.into(),
            Self::Text(text) => text.into_owned().into(),
            Self::Number(number) => number.into_value(),
        }
    }

    pub(crate) fn into_owned(self) -> Scalar<'static> {
        match self {
            Self::Bool(flag) => Scalar::Bool(flag),
            Self::Number(number) => Scalar::Number(number),
            Self::Text(text) => Scalar::Text(text.into_owned().into()),
        }
    }

    /// As a number to measure: dates count as milliseconds since the epoch, booleans as 0 and 1.
    pub(crate) fn measured(&self) -> Option<f64> {
        match self {
            Self::Bool(flag) => Some(f64::from(u8::from(*flag))),
            Self::Number(number) => Some(number.as_f64()),
            Self::Text(text) => DateTime::parse_from_rfc3339(text)
                .ok()
                .map(|date| date.timestamp_millis() as f64),
        }
    }
}

impl Numeric {
    fn of(number: &Number) -> Self {
        if let Some(int) = number.as_i64() {
            Self::Int(int.into())
        } else if let Some(int) = number.as_u64() {
            Self::Int(int.into())
        } else {
            Self::Float(number.as_f64().unwrap_or(f64::NAN))
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        text.parse::<i64>()
            .map(|int| Self::Int(int.into()))
            .or_else(|_| text.parse().map(Self::Float))
            .ok()
    }

    pub(crate) fn as_f64(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
        }
    }

    /// The whole number that this is, if it is one.
    pub(crate) fn whole(self) -> Option<i64> {
        match self {
            Self::Int(int) => i64::try_from(int).ok(),
            Self::Float(float) if float.fract() == 0.0 && float.abs() < 9e15 => Some(float as i64),
            Self::Float(_) => None,
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Int(int) if int > i64::MAX.into() => u64::try_from(int).map(Number::from).ok(),
            number => number.whole().map(Number::from),
        }
        .or_else(|| Number::from_f64(self.as_f64()))
        .map_or(Value::Null, Value::Number)
    }
}

impl PartialEq for Numeric {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Numeric {}

impl PartialOrd for Numeric {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Numeric {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            // `+ 0.0` makes the two zeros equal.
            (a, b) => (a.as_f64() + 0.0).total_cmp(&(b.as_f64() + 0.0)),
        }
    }
}

/// Whether `text` is exactly in the stored form `YYYY-MM-DDTHH:MM:SS.mmmZ`.
pub(crate) fn is_stored_date(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00.000Z";
    text.len() == SHAPE.len()
        && text.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
            b'0' => byte.is_ascii_digit(),
            _ => byte == *shape,
        })
}

fn begins_like_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10
        && bytes[..10].iter().enumerate().all(|(at, byte)| match at {
            4 | 7 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

fn date_text<'a>(text: &'a str, value: &Value) -> Option<Cow<'a, str>> {
    if is_stored_date(text) {
        return Some(text.into());
    }
    parse_date(value).ok().map(|date| zulu(date).into())
}

fn date_of_millis(millis: i64) -> Option<String> {
    DateTime::from_timestamp_millis(millis).map(zulu)
}
