//! Items and slices of lists, texts and objects.

use std::borrow::Cow;

use serde_json::Value;

use super::error::{EvalErrorKind, Fault};
use super::eval::Part;
use super::functions::type_name;

/// `of[index]`
pub(super) fn item<'a>(of: Part<'a>, index: &Value) -> Result<Part<'a>, Fault> {
    match &*of {
        Value::Object(_) => {
            let key = index.as_str().map(str::to_owned);
            let key = key.ok_or_else(|| missing(&index.to_string()))?;
            pick(of, |value| value.get(&key), |value| take_key(value, &key))
                .ok_or_else(|| missing(&key))
        }
        Value::Array(items) => {
            let place = position(index, items.len())?;
            pick(
                of,
                |value| value.get(place),
                |value| take_place(value, place),
            )
            .ok_or_else(|| Fault::index("the list has no such item"))
        }
        Value::String(text) => {
            let length = text.chars().count();
            let place = position(index, length)?;
            let c = text.chars().nth(place);
            c.map(|c| Cow::Owned(Value::String(c.to_string())))
                .ok_or_else(|| Fault::index("the text has no such character"))
        }
        other => Err(Fault::kind(format!("{} has no items", type_name(other)))),
    }
}

/// A part of a value, borrowed when the whole is.
fn pick<'a>(
    of: Part<'a>,
    borrow: impl FnOnce(&'a Value) -> Option<&'a Value>,
    take: impl FnOnce(Value) -> Option<Value>,
) -> Option<Part<'a>> {
    match of {
        Cow::Borrowed(value) => borrow(value).map(Cow::Borrowed),
        Cow::Owned(value) => take(value).map(Cow::Owned),
    }
}

fn take_key(value: Value, key: &str) -> Option<Value> {
    match value {
        Value::Object(mut fields) => fields.swap_remove(key),
        _ => None,
    }
}

fn take_place(value: Value, place: usize) -> Option<Value> {
    match value {
        Value::Array(mut items) if place < items.len() => Some(items.swap_remove(place)),
        _ => None,
    }
}

/// `of.get(key)`; `None` when the object lacks it.
pub(super) fn get<'a>(of: Part<'a>, key: &str) -> Option<Part<'a>> {
    pick(of, |value| value.get(key), |value| take_key(value, key))
}

fn missing(key: &str) -> Fault {
    Fault(EvalErrorKind::Key, format!("the object has no `{key}`"))
}

/// A place counted from the start, or from the end when it is negative.
fn position(index: &Value, length: usize) -> Result<usize, Fault> {
    let index = bound(index)?.ok_or_else(|| Fault::kind("a position is no null"))?;
    let length = length as i64;
    let place = if index < 0 { index + length } else { index };
    if (0..length).contains(&place) {
        Ok(place as usize)
    } else {
        Err(Fault::index(format!(
            "there is no item {index} of {length}"
        )))
    }
}

/// The number of a bound; null is none.
pub(super) fn bound(value: &Value) -> Result<Option<i64>, Fault> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(flag) => Ok(Some(i64::from(*flag))),
        // Beyond this nothing is so long.
        Value::Number(number) if number.is_u64() || number.is_i64() => {
            let far = i64::from(i32::MAX);
            Ok(Some(number.as_i64().unwrap_or(far).clamp(-far, far)))
        }
        other => Err(Fault::kind(format!("{} is no position", type_name(other)))),
    }
}

/// `of[from:to:step]`; never fails on a text or list of any length.
pub(super) fn slice<'a>(of: &Value, [from, to, step]: [Option<i64>; 3]) -> Result<Part<'a>, Fault> {
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(Fault::value("the step of a slice is zero"));
    }
    let value = match of {
        Value::String(text) if text.is_ascii() && step == 1 => {
            let range = range(text.len(), from, to);
            Value::String(text.get(range).unwrap_or("").to_owned())
        }
        Value::String(text) => {
            let chars: Vec<char> = text.chars().collect();
            Value::String(
                places(chars.len(), from, to, step)
                    .map(|place| chars[place])
                    .collect(),
            )
        }
        Value::Array(items) => {
            let picked = places(items.len(), from, to, step).map(|place| items[place].clone());
            Value::Array(picked.collect())
        }
        other => return Err(Fault::kind(format!("{} has no slices", type_name(other)))),
    };
    Ok(Cow::Owned(value))
}

fn range(length: usize, from: Option<i64>, to: Option<i64>) -> std::ops::Range<usize> {
    let length = length as i64;
    let clamp = |bound: i64| {
        if bound < 0 {
            (bound + length).max(0)
        } else {
            bound.min(length)
        }
    };
    let from = from.map_or(0, clamp);
    let to = to.map_or(length, clamp).max(from);
    from as usize..to as usize
}

/// The places that a slice takes, in its order; all are below `length`.
fn places(
    length: usize,
    from: Option<i64>,
    to: Option<i64>,
    step: i64,
) -> impl Iterator<Item = usize> {
    let length = length as i64;
    let (low, high) = if step > 0 {
        (0, length)
    } else {
        (-1, length - 1)
    };
    let clamp = |bound: i64| (if bound < 0 { bound + length } else { bound }).clamp(low, high);
    let (first, last) = if step > 0 { (low, high) } else { (high, low) };
    let from = from.map_or(first, clamp);
    let to = to.map_or(last, clamp);
    let going = move |place: &i64| if step > 0 { *place < to } else { *place > to };
    std::iter::successors(Some(from), move |place| Some(place + step))
        .take_while(going)
        .map(|place| place as usize)
}

/// What a comprehension walks over: items, keys or characters.
pub(super) fn items<'a>(of: Part<'a>) -> Result<Vec<Part<'a>>, Fault> {
    let text = |text: String| Cow::Owned(Value::String(text));
    match of {
        Cow::Borrowed(Value::Array(items)) => Ok(items.iter().map(Cow::Borrowed).collect()),
        Cow::Owned(Value::Array(items)) => Ok(items.into_iter().map(Cow::Owned).collect()),
        other => match &*other {
            Value::Object(fields) => Ok(fields.keys().cloned().map(text).collect()),
            Value::String(chars) => Ok(chars.chars().map(|c| text(c.to_string())).collect()),
            other => Err(Fault::kind(format!("{} has no items", type_name(other)))),
        },
    }
}
