//! The methods of texts and objects.

use std::borrow::Cow;

use serde_json::Value;

use super::error::{EvalErrorKind, Fault};
use super::eval::Part;
use super::functions::{check_size, type_name};
use super::item;
use super::syntax::Method;
use crate::document::Moment;
use crate::model::number::digit;

/// Whether a value has a method; found out before its arguments are.
pub(super) fn check(receiver: &Value, method: Method) -> Result<(), Fault> {
    let on_object = matches!(method, Method::Get | Method::Keys | Method::Values);
    let has = match receiver {
        Value::Object(_) => on_object && Moment::from_value(receiver).is_none(),
        Value::String(_) => !on_object,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
    };
    if has {
        Ok(())
    } else {
        Err(no_method(receiver, method))
    }
}

pub(super) fn call<'a>(
    receiver: Part<'a>,
    method: Method,
    arguments: Vec<Part<'a>>,
) -> Result<Part<'a>, Fault> {
    match &*receiver {
        Value::Object(_) if Moment::from_value(&receiver).is_none() => {
            on_object(receiver, method, arguments)
        }
        Value::String(text) => on_text(text, method, &arguments).map(Cow::Owned),
        _ => Err(no_method(&receiver, method)),
    }
}

fn on_object<'a>(
    receiver: Part<'a>,
    method: Method,
    mut arguments: Vec<Part<'a>>,
) -> Result<Part<'a>, Fault> {
    match method {
        Method::Get => {
            let default = (arguments.len() > 1).then(|| arguments.swap_remove(1));
            let found = match arguments.first().map(|key| &**key) {
                Some(Value::String(key)) => item::get(receiver, key),
                Some(key @ (Value::Array(_) | Value::Object(_))) => {
                    return Err(Fault::kind(format!("{} is no key", type_name(key))));
                }
                _ => None,
            };
            Ok(found.or(default).unwrap_or(Cow::Owned(Value::Null)))
        }
        Method::Keys => {
            item::items(receiver).map(|keys| list(keys.into_iter().map(Cow::into_owned)))
        }
        Method::Values => match receiver.into_owned() {
            Value::Object(fields) => Ok(list(fields.into_iter().map(|(_, value)| value))),
            other => Err(no_method(&other, method)),
        },
        _ => Err(no_method(&receiver, method)),
    }
}

fn on_text(text: &str, method: Method, arguments: &[Part<'_>]) -> Result<Value, Fault> {
    let argument = |at: usize| text_of(method, arguments.get(at).map(|value| &**value));
    Ok(match method {
        Method::Replace => {
            return replace(
                text,
                argument(0)?,
                argument(1)?,
                count(method, arguments.get(2))?,
            );
        }
        Method::Split => return split(text, arguments),
        Method::Join => return join(text, arguments),
        Method::Strip => strip(text, arguments, true, true)?.into(),
        Method::LeftStrip => strip(text, arguments, true, false)?.into(),
        Method::RightStrip => strip(text, arguments, false, true)?.into(),
        Method::Lower => text.to_lowercase().into(),
        Method::Upper => text.to_uppercase().into(),
        Method::IsDigit => (!text.is_empty() && text.chars().all(is_digit)).into(),
        Method::IsAlpha => (!text.is_empty() && text.chars().all(char::is_alphabetic)).into(),
        Method::StartsWith => any_of(method, arguments, |part| text.starts_with(part))?.into(),
        Method::EndsWith => any_of(method, arguments, |part| text.ends_with(part))?.into(),
        Method::Find => match text.find(argument(0)?) {
            Some(at) => text[..at].chars().count().into(),
            None => Value::from(-1),
        },
        Method::ZeroFill => return zero_fill(text, count(method, arguments.first())?),
        Method::Get | Method::Keys | Method::Values => {
            return Err(no_method(&Value::String(String::new()), method));
        }
    })
}

fn list<'a>(items: impl Iterator<Item = Value>) -> Part<'a> {
    Cow::Owned(Value::Array(items.collect()))
}

fn no_method(value: &Value, method: Method) -> Fault {
    let message = format!("{} has no `{}`", type_name(value), method.word());
    Fault(EvalErrorKind::Attribute, message)
}

fn text_of(method: Method, value: Option<&Value>) -> Result<&str, Fault> {
    match value {
        Some(Value::String(text)) => Ok(text),
        other => {
            let found = other.map_or("nothing", type_name);
            Err(Fault::kind(format!(
                "`{}` wants a text, not {found}",
                method.word()
            )))
        }
    }
}

/// A count; negative or absent is no limit.
fn count(method: Method, value: Option<&Part<'_>>) -> Result<Option<usize>, Fault> {
    let Some(value) = value else { return Ok(None) };
    match item::bound(value)? {
        Some(count) => Ok(usize::try_from(count).ok()),
        None => Err(Fault::kind(format!(
            "`{}` wants a count, not null",
            method.word()
        ))),
    }
}

fn replace(text: &str, old: &str, new: &str, limit: Option<usize>) -> Result<Value, Fault> {
    let limit = limit.unwrap_or(usize::MAX);
    let hits = text.matches(old).take(limit).count();
    let grown = hits
        .checked_mul(new.len())
        .and_then(|grown| grown.checked_add(text.len()));
    check_size(grown)?;
    Ok(text.replacen(old, new, limit).into())
}

fn split(text: &str, arguments: &[Part<'_>]) -> Result<Value, Fault> {
    let limit = count(Method::Split, arguments.get(1))?;
    let limit = limit.map_or(usize::MAX, |limit| limit.saturating_add(1));
    let parts: Vec<Value> = match arguments.first().map(|separator| &**separator) {
        None | Some(Value::Null) => split_blanks(text, limit),
        separator => {
            let separator = text_of(Method::Split, separator)?;
            if separator.is_empty() {
                return Err(Fault::value("`split` wants a separator that is not empty"));
            }
            text.splitn(limit, separator).map(Value::from).collect()
        }
    };
    Ok(Value::Array(parts))
}

/// Splits on any run of blanks, and drops what is empty.
fn split_blanks(text: &str, limit: usize) -> Vec<Value> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start_matches(is_blank);
    while !rest.is_empty() {
        let end = match rest.find(is_blank) {
            Some(end) if parts.len() + 1 < limit => end,
            // The last part keeps its blanks.
            _ => {
                parts.push(rest.into());
                return parts;
            }
        };
        parts.push(rest[..end].into());
        rest = rest[end..].trim_start_matches(is_blank);
    }
    parts
}

fn join(separator: &str, arguments: &[Part<'_>]) -> Result<Value, Fault> {
    let items = match arguments.first().map(|list| &**list) {
        Some(Value::Array(items)) => items,
        _ => return Err(Fault::kind("`join` wants a list")),
    };
    let mut size = 0usize;
    let mut texts = Vec::with_capacity(items.len());
    for item in items {
        let text = text_of(Method::Join, Some(item))?;
        size = size
            .saturating_add(text.len())
            .saturating_add(separator.len());
        texts.push(text);
    }
    check_size(Some(size))?;
    Ok(texts.join(separator).into())
}

fn strip<'t>(
    text: &'t str,
    arguments: &[Part<'_>],
    left: bool,
    right: bool,
) -> Result<&'t str, Fault> {
    let chars = match arguments.first().map(|chars| &**chars) {
        None | Some(Value::Null) => None,
        given => Some(text_of(Method::Strip, given)?),
    };
    let goes = |c: char| chars.map_or_else(|| is_blank(c), |chars| chars.contains(c));
    let mut kept = text;
    if left {
        kept = kept.trim_start_matches(goes);
    }
    if right {
        kept = kept.trim_end_matches(goes);
    }
    Ok(kept)
}

/// `startswith` and `endswith` take one text or several.
fn any_of(
    method: Method,
    arguments: &[Part<'_>],
    test: impl Fn(&str) -> bool,
) -> Result<bool, Fault> {
    match arguments.first().map(|value| &**value) {
        Some(Value::Array(parts)) => {
            for part in parts {
                if test(text_of(method, Some(part))?) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        part => text_of(method, part).map(test),
    }
}

fn zero_fill(text: &str, width: Option<usize>) -> Result<Value, Fault> {
    let length = text.chars().count();
    let missing = width.unwrap_or(0).saturating_sub(length);
    check_size(missing.checked_add(text.len()))?;
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => text.split_at(text.len() - digits.len()),
        None => ("", text),
    };
    Ok(format!("{sign}{}{digits}", "0".repeat(missing)).into())
}

/// Blanks as Python knows them: also the four separators of ASCII.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

fn is_digit(c: char) -> bool {
    digit(c).is_some() || matches!(c, '²' | '³' | '¹' | '⁰' | '⁴'..='⁹' | '₀'..='₉')
}
