//! JSON values as Python prints them: composite ids and partition names of the Python system are made
//! of these texts.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Number, Value};

use super::moment::Moment;

/// What Python's `str()` gives for a value: `None`, `True`, `36102.0`, `['a', 1]`.
///
/// A [`Moment`] prints as Python's `datetime` does.
pub fn python_str(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Null => Cow::Borrowed("None"),
        Value::Bool(true) => Cow::Borrowed("True"),
        Value::Bool(false) => Cow::Borrowed("False"),
        Value::Number(number) => Cow::Owned(number_text(number)),
        Value::Array(_) => Cow::Owned(python_repr(value)),
        Value::Object(_) => Cow::Owned(match Moment::from_value(value) {
            Some(moment) => moment.python_str(),
            None => python_repr(value),
        }),
    }
}

/// What Python's `repr()` gives: as [`python_str`], with texts quoted.
pub fn python_repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(value, &mut out);
    out
}

fn write_repr(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => write_quoted(text, out),
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push_str(", ");
                }
                write_repr(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            if let Some(moment) = Moment::from_value(value) {
                out.push_str(&moment.python_repr());
                return;
            }
            out.push('{');
            for (position, (key, item)) in fields.iter().enumerate() {
                if position > 0 {
                    out.push_str(", ");
                }
                write_quoted(key, out);
                out.push_str(": ");
                write_repr(item, out);
            }
            out.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&python_str(value)),
    }
}

fn number_text(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float_text(float),
        _ => number.to_string(),
    }
}

/// The shortest digits that read back as the same float, with an exponent below 1e-4 and from 1e16 on.
pub fn float_text(float: f64) -> String {
    if float.is_nan() {
        return "nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        // `{:?}` keeps the `.0` of a whole number, and has no exponent in this range.
        return format!("{float:?}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn write_quoted(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            c => {
                let code = u32::from(c);
                // Writing to a `String` cannot fail.
                let _ = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
}

/// Python prints everything but control, unassigned and separator characters as it is.
fn is_printable(c: char) -> bool {
    static HIDDEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\p{C}\p{Z}]$").ok());
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    let mut buffer = [0; 4];
    let text = c.encode_utf8(&mut buffer);
    HIDDEN.as_ref().is_none_or(|hidden| !hidden.is_match(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_print_as_in_python() {
        for (value, text) in [
            (json!(null), "None"),
            (json!([true, false]), "[True, False]"),
            (json!(1e16), "1e+16"),
            (json!(-1.5e-7), "-1.5e-07"),
            (json!(1e-5), "1e-05"),
            (json!(0.0001), "0.0001"),
            (json!(-0.0), "-0.0"),
            (json!(36102.0), "36102.0"),
            (json!(1234567890123456.0), "1234567890123456.0"),
            (json!(1e22), "1e+22"),
            (json!(5e-324), "5e-324"),
            (json!(1.7976931348623157e308), "1.7976931348623157e+308"),
            (json!(u64::MAX), "18446744073709551615"),
            (json!("it's"), "it's"),
            (json!(["it's"]), r#"["it's"]"#),
            (json!(["it's \"x\""]), r#"['it\'s "x"']"#),
            (json!(["a\\b\n\r\t\u{0}\u{7f}"]), r"['a\\b\n\r\t\x00\x7f']"),
            (json!(["é日😀"]), "['é日😀']"),
            (
                json!(["\u{a0}\u{ad}\u{200b}\u{e0001}"]),
                r"['\xa0\xad\u200b\U000e0001']",
            ),
            (json!({"k": [1, {"l": null}]}), "{'k': [1, {'l': None}]}"),
            (json!([]), "[]"),
            (json!({}), "{}"),
        ] {
            assert_eq!(python_str(&value), text, "{value}");
        }
    }
}
