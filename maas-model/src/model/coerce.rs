//! Values as the declared types want them.

use indexmap::IndexMap;
use serde_json::Value;

use super::number::{float, integer};
use super::{Field, FieldType};
use crate::document::date::is_stored;
use crate::document::{Moment, Source, drop_empty, parse_date, zulu};

/// Why a value does not fit its field.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("field `{field}` ({kind}) cannot take `{value}`: {reason}")]
pub struct CoerceError {
    /// Path of the field.
    pub field: String,
    /// Its type.
    pub kind: String,
    /// The value, shortened.
    pub value: String,
    /// What is wrong.
    pub reason: String,
}

impl super::Model {
    /// Brings every declared field into the form of its type and drops what is empty (null, `[]`, `{}`;
    /// not `""`, `0`, `false`). Lists are coerced item by item, null stays null. All errors of the record.
    ///
    /// After an error the record is partly coerced and not fit to be stored.
    pub fn coerce(&self, source: &mut Source) -> Result<(), Vec<CoerceError>> {
        let mut errors = Vec::new();
        coerce_fields(&self.fields, source, "", &mut errors);
        for value in source.values_mut() {
            print_moments(value);
        }
        drop_empty(source);
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }
}

fn coerce_fields(
    fields: &IndexMap<String, Field>,
    source: &mut Source,
    path: &str,
    errors: &mut Vec<CoerceError>,
) {
    // Most fields take any value: to look them up would be most of the work.
    for (name, field) in fields.iter().filter(|(_, field)| !takes_any(field.kind)) {
        let Some(value) = source.get_mut(name) else {
            continue;
        };
        let coerced = match value {
            Value::Array(items) => items.iter_mut().try_for_each(|item| match item {
                Value::Null => Ok(()),
                item => coerce_value(field, item, || join(path, name), errors),
            }),
            Value::Null => Ok(()),
            one => coerce_value(field, one, || join(path, name), errors),
        };
        if let Err((value, reason)) = coerced {
            errors.push(CoerceError {
                field: join(path, name),
                kind: field.kind.name().to_owned(),
                value: shortened(&value),
                reason,
            });
        }
    }
}

/// Whether the type leaves every value as it is.
fn takes_any(kind: FieldType) -> bool {
    matches!(
        kind,
        FieldType::Keyword
            | FieldType::Text
            | FieldType::GeoPoint
            | FieldType::GeoShape
            | FieldType::Ip
            | FieldType::Binary
    )
}

fn coerce_value(
    field: &Field,
    value: &mut Value,
    path: impl Fn() -> String,
    errors: &mut Vec<CoerceError>,
) -> Result<(), (Value, String)> {
    let coerced = match field.kind {
        FieldType::Long | FieldType::Integer | FieldType::Short | FieldType::Byte => integer(value),
        FieldType::Double | FieldType::Float | FieldType::HalfFloat => float(value),
        FieldType::Boolean => Ok(Some(Value::Bool(truth(value)))),
        FieldType::Date => date(value),
        FieldType::Object | FieldType::Nested => match value {
            Value::Object(members) => {
                if !field.fields.is_empty() {
                    coerce_fields(&field.fields, members, &path(), errors);
                }
                members.values_mut().for_each(print_moments);
                drop_empty(members);
                Ok(None)
            }
            _ => Err("it is no object".to_owned()),
        },
        _ => Ok(None),
    };
    match coerced {
        Ok(Some(new)) => *value = new,
        Ok(None) => {}
        Err(reason) => return Err((value.clone(), reason)),
    }
    Ok(())
}

/// `None`: it has the right form already.
fn date(value: &Value) -> Result<Option<Value>, String> {
    if value.as_str().is_some_and(is_stored) {
        return Ok(None);
    }
    let date = parse_date(value).map_err(|error| error.reason)?;
    let text = zulu(date);
    Ok((value.as_str() != Some(&text)).then_some(Value::String(text)))
}

/// Truth as in Python, except that the text `false` is false. `False` and `no` are true.
fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty() && text != "false",
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// A date-time that is no date by type is stored as text, in the form of the Python client.
fn print_moments(value: &mut Value) {
    match value {
        Value::Object(_) => {
            if let Some(moment) = Moment::from_value(value) {
                *value = Value::String(moment.iso());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(print_moments),
        _ => {}
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// Enough of a value to find it again; a record may hold megabytes.
fn shortened(value: &Value) -> String {
    const LIMIT: usize = 120;
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests;
