//! The functions: conversions, lengths, types, dates.

use std::borrow::Cow;

use chrono::Utc;
use serde_json::Value;

use super::compare::truth;
use super::error::Fault;
use super::eval::{MAX_TEXT, Part};
use super::strptime::strptime;
use super::syntax::{Function, Type};
use crate::document::python_text::python_str;
use crate::document::{Moment, read_moment};
use crate::model::number;

pub(super) fn call<'a>(function: Function, arguments: &[Part<'a>]) -> Result<Part<'a>, Fault> {
    let Some(first) = arguments.first() else {
        return Err(Fault::kind(format!("`{}` wants a value", function.word())));
    };
    let value = match function {
        Function::Str => match &**first {
            Value::String(_) => return Ok(first.clone()),
            other => Value::String(python_str(other).into_owned()),
        },
        Function::Int => return convert(first, number::integer),
        Function::Float => return convert(first, number::float),
        Function::Bool => Value::Bool(truth(first)),
        Function::Len => match &**first {
            Value::String(text) => text.chars().count().into(),
            Value::Array(items) => items.len().into(),
            Value::Object(fields) if Moment::from_value(first).is_none() => fields.len().into(),
            other => return Err(Fault::kind(format!("{} has no length", type_name(other)))),
        },
        Function::Date => date(first, arguments.get(1).map(|format| &**format))?.to_value(),
    };
    Ok(Cow::Owned(value))
}

fn convert<'a>(
    value: &Part<'a>,
    convert: fn(&Value) -> Result<Option<Value>, String>,
) -> Result<Part<'a>, Fault> {
    match convert(value) {
        Ok(None) => Ok(value.clone()),
        Ok(Some(number)) => Ok(Cow::Owned(number)),
        Err(reason) => {
            let message = format!("cannot convert `{}`: {reason}", shortened(value));
            match &**value {
                Value::String(_) | Value::Number(_) => Err(Fault::value(message)),
                _ => Err(Fault::kind(message)),
            }
        }
    }
}

fn date(value: &Value, format: Option<&Value>) -> Result<Moment, Fault> {
    let Value::String(text) = value else {
        return match Moment::from_value(value) {
            Some(moment) if format.is_none() => Ok(moment),
            _ => Err(Fault::kind(format!("{} is no date text", type_name(value)))),
        };
    };
    match format {
        None => read_moment(text, Utc::now()).map_err(|error| Fault::value(error.to_string())),
        Some(Value::String(format)) => strptime(text, format)
            .map(Moment::naive)
            .map_err(|reason| Fault::value(format!("`{}` is no date: {reason}", shortened(value)))),
        Some(_) => Err(Fault::kind("the format of a date is a text")),
    }
}

pub(super) fn is_instance(value: &Value, kind: Type) -> bool {
    match kind {
        Type::Str => value.is_string(),
        // A boolean is an integer in Python.
        Type::Int => value.is_i64() || value.is_u64() || value.is_boolean(),
        Type::Float => value.is_f64(),
        Type::Bool => value.is_boolean(),
        Type::List => value.is_array(),
        Type::Dict => value.is_object() && Moment::from_value(value).is_none(),
    }
}

/// For messages.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Refuses to make texts larger than any field.
pub(super) fn check_size(bytes: Option<usize>) -> Result<(), Fault> {
    match bytes {
        Some(bytes) if bytes <= MAX_TEXT => Ok(()),
        _ => Err(Fault::too_much()),
    }
}

fn shortened(value: &Value) -> String {
    let text = python_str(value);
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into_owned(),
    }
}
