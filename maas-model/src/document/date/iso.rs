//! ISO 8601 as Python 3.11 reads it.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Weekday};

/// Reads a date and time without zone: extended or compact, by day or by week, any one character between
/// date and time, precision from the hour down. A date alone is its midnight.
pub(super) fn read(text: &str) -> Option<NaiveDateTime> {
    let end = date_end(text.as_bytes())?;
    let date = date(text.get(..end)?)?;
    let mut rest = text.get(end..)?.chars();
    let time = match rest.next() {
        None => NaiveTime::MIN,
        Some(_) => time(rest.as_str())?,
    };
    Some(date.and_time(time))
}

fn date_end(text: &[u8]) -> Option<usize> {
    let digit = |position: usize| text.get(position).is_some_and(u8::is_ascii_digit);
    let dashed = *text.get(4)? == b'-';
    let week = *text.get(if dashed { 5 } else { 4 })? == b'W';
    Some(match (dashed, week) {
        (true, false) => 10,
        // After `2024-W04-` two digits are an hour, one is a weekday.
        (true, true) if text.get(8) == Some(&b'-') && !digit(10) => 10,
        (false, false) => 8,
        (true, true) => 8,
        (false, true) => match (7..).take_while(|&position| digit(position)).count() {
            0 => 7,
            1 => 8,
            digits if digits % 2 == 1 => 7,
            _ => 8,
        },
    })
}

fn date(text: &str) -> Option<NaiveDate> {
    let year: i32 = digits(text.get(..4)?)?.try_into().ok()?;
    let rest = &text[4..];
    let (dashed, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let (main, last) = if let Some(week) = rest.strip_prefix('W') {
        let (week, day) = split_date(week, dashed)?;
        let day = if day.is_empty() { 1 } else { digits(day)? };
        let weekday = Weekday::try_from(u8::try_from(day.checked_sub(1)?).ok()?).ok()?;
        return NaiveDate::from_isoywd_opt(year, digits(week)?, weekday)
            .filter(|date| date.year() >= 1);
    } else {
        split_date(rest, dashed)?
    };
    NaiveDate::from_ymd_opt(year, digits(main)?, digits(last)?).filter(|date| date.year() >= 1)
}

fn split_date(text: &str, dashed: bool) -> Option<(&str, &str)> {
    let (main, last) = text.split_at_checked(2)?;
    match last.strip_prefix('-') {
        Some(last) if dashed => Some((main, last)),
        None if !dashed || last.is_empty() => Some((main, last)),
        _ => None,
    }
}

fn time(text: &str) -> Option<NaiveTime> {
    let (whole, fraction) = match text.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let extended = whole.contains(':');
    let mut parts = [0; 3];
    let mut rest = whole;
    for (position, part) in parts.iter_mut().enumerate() {
        let (number, tail) = rest.split_at_checked(2)?;
        *part = digits(number)?;
        rest = tail;
        if rest.is_empty() {
            break;
        }
        if extended && position < 2 {
            rest = rest.strip_prefix(':')?;
        }
    }
    if !rest.is_empty() {
        return None;
    }
    let micros = match fraction {
        None => 0,
        Some(fraction) => micros(fraction)?,
    };
    NaiveTime::from_hms_micro_opt(parts[0], parts[1], parts[2], micros)
}

/// The first six digits of a fraction; further ones must be digits too.
fn micros(fraction: &str) -> Option<u32> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits(&format!("{fraction:0<6}")[..6])
}

fn digits(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}
