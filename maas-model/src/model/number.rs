//! Numbers as Python's `int()` and `float()` read them.

use serde_json::Value;

/// The value as a whole number: floats are cut toward zero, `true` is 1, texts may have blanks around,
/// a sign and `_` between digits. `None`: it is one already.
pub(crate) fn integer(value: &Value) -> Result<Option<Value>, String> {
    match value {
        Value::Number(number) if !number.is_f64() => Ok(None),
        Value::Number(number) => match number.as_f64().map(f64::trunc) {
            // Both bounds are exact floats; beyond them the number is no 64-bit integer.
            Some(whole) if (-(2f64.powi(63))..2f64.powi(63)).contains(&whole) => {
                Ok(Some(Value::from(whole as i64)))
            }
            _ => Err("it does not fit in 64 bits".to_owned()),
        },
        Value::Bool(flag) => Ok(Some(Value::from(i64::from(*flag)))),
        Value::String(text) => integer_text(text).map(Some),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(no_number(value)),
    }
}

/// The value as a float. `None`: it is one already.
pub(crate) fn float(value: &Value) -> Result<Option<Value>, String> {
    let float = match value {
        Value::Number(number) if number.is_f64() => return Ok(None),
        Value::Number(number) => number.as_f64().ok_or_else(|| no_number(value))?,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::String(text) => float_text(text)?,
        Value::Null | Value::Array(_) | Value::Object(_) => return Err(no_number(value)),
    };
    if float.is_finite() {
        Ok(Some(Value::from(float)))
    } else {
        Err("JSON has no such number".to_owned())
    }
}

fn integer_text(text: &str) -> Result<Value, String> {
    let text = text.trim();
    // Nearly all are plain.
    if let Ok(number) = text.parse::<i64>() {
        return Ok(Value::from(number));
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = plain_digits(digits).ok_or_else(|| not_whole(text))?;
    if negative {
        format!("-{digits}").parse::<i64>().map(Value::from)
    } else {
        digits.parse::<u64>().map(Value::from)
    }
    .map_err(|_| "it does not fit in 64 bits".to_owned())
}

fn not_whole(text: &str) -> String {
    if text.is_empty() {
        "it is empty".to_owned()
    } else {
        "it is no whole number".to_owned()
    }
}

fn float_text(text: &str) -> Result<f64, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    let unsigned = text.trim_start_matches(['+', '-']);
    let known = unsigned.starts_with(|c: char| c == '.' || digit(c).is_some());
    let plain: Option<String> = joined(text);
    let named = matches!(
        unsigned.to_ascii_lowercase().as_str(),
        "nan" | "inf" | "infinity"
    );
    match plain.filter(|_| known || named) {
        Some(plain) => plain.parse().map_err(|_| "it is no number".to_owned()),
        None => Err("it is no number".to_owned()),
    }
}

/// Decimal digits of any script as ASCII, without the `_` between them; at least one.
fn plain_digits(text: &str) -> Option<String> {
    let plain = joined(text)?;
    let digits = !plain.is_empty() && plain.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some(plain)
}

/// Removes each `_` that has a digit on both sides, and writes digits in ASCII.
fn joined(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut after_digit = false;
    while let Some(c) = chars.next() {
        match digit(c) {
            Some(number) => plain.push(char::from(b'0' + number)),
            None if c == '_' => {
                let before_digit = chars.peek().is_some_and(|next| digit(*next).is_some());
                if !(after_digit && before_digit) {
                    return None;
                }
            }
            None => plain.push(c),
        }
        after_digit = digit(c).is_some();
    }
    Some(plain)
}

/// The value of a decimal digit. Of the other scripts, those whose digits stand in order from a known
/// zero: what spreadsheets and web pages hold.
pub(crate) fn digit(c: char) -> Option<u8> {
    const ZEROS: [u32; 18] = [
        0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66,
        0xe50, 0xed0, 0xf20, 0x1040, 0xff10,
    ];
    let code = u32::from(c);
    ZEROS
        .iter()
        .find(|&&zero| (zero..zero + 10).contains(&code))
        .map(|zero| (code - zero) as u8)
}

fn no_number(value: &Value) -> String {
    let found = match value {
        Value::Null => "null",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
        _ => "another type",
    };
    format!("it is {found}")
}
