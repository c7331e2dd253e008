//! Dates as they stand in names, whole or cut short.

use chrono::{DateTime, Days, NaiveDate, Utc, Weekday};

/// Reads `YYYYMMDDTHHMMSS`, and the other ISO 8601 forms that a name cut short can end with: a year, a
/// day of the year, a day, or a time without seconds or minutes. What is not said is zero.
pub(super) fn date(text: &str) -> Result<DateTime<Utc>, String> {
    whole(text)
        .or_else(|| cut(text))
        .ok_or_else(|| format!("`{text}` is no date"))
}

/// The form that almost all names have.
fn whole(text: &str) -> Option<DateTime<Utc>> {
    let bytes: &[u8; 15] = text.as_bytes().try_into().ok()?;
    if bytes[8] != b'T' {
        return None;
    }
    let part = |from: usize, to: usize| number(&bytes[from..to]);
    NaiveDate::from_ymd_opt(year(bytes)?, part(4, 6)?, part(6, 8)?)?
        .and_hms_opt(part(9, 11)?, part(11, 13)?, part(13, 15)?)
        .map(|date| date.and_utc())
}

fn cut(text: &str) -> Option<DateTime<Utc>> {
    let bytes = text.as_bytes();
    if !text.is_ascii() {
        return None;
    }
    let (day, end) = calendar(bytes).or_else(|| week_or_ordinal(bytes))?;
    match bytes.get(end..)? {
        [] => Some(day.and_hms_opt(0, 0, 0)?.and_utc()),
        // Any character may stand between day and time.
        [_, time @ ..] => clock(day, time),
    }
}

/// Year, month and day, and where they end.
fn calendar(text: &[u8]) -> Option<(NaiveDate, usize)> {
    let year = year(text)?;
    let dashed = text.get(4) == Some(&b'-');
    let (month, day, end) = match (dashed, text.len()) {
        (false, 4) => (1, 1, 4),
        (false, _) => (number(text.get(4..6)?)?, number(text.get(6..8)?)?, 8),
        (true, 7) => (number(text.get(5..7)?)?, 1, 7),
        (true, _) if *text.get(7)? != b'-' => return None,
        (true, _) => (number(text.get(5..7)?)?, number(text.get(8..10)?)?, 10),
    };
    Some((NaiveDate::from_ymd_opt(year, month, day)?, end))
}

/// A week and perhaps its day, or a day of the year, and where they end.
fn week_or_ordinal(text: &[u8]) -> Option<(NaiveDate, usize)> {
    // Eight digits are year, month and day, be they wrong.
    if text.get(..8).is_some_and(|text| number(text).is_some()) {
        return None;
    }
    let year = year(text)?;
    let dashed = usize::from(text.get(4) == Some(&b'-'));
    let start = 4 + dashed;
    if text.get(start) != Some(&b'W') {
        let ordinal = number(text.get(start..start + 3)?)?;
        return Some((NaiveDate::from_yo_opt(year, ordinal)?, start + 3));
    }
    let week = number(text.get(start + 1..start + 3)?)?;
    let monday = NaiveDate::from_isoywd_opt(year, week, Weekday::Mon)?;
    let end = start + 3;
    if text.len() == end {
        return Some((monday, end));
    }
    let digit = end + dashed;
    let day = number(text.get(digit..digit + 1)?)?;
    let days = u64::from(day.checked_sub(1).filter(|days| *days < 7)?);
    Some((monday.checked_add_days(Days::new(days))?, digit + 1))
}

/// Hours, and minutes and seconds where they are said; a last digit may stand alone.
fn clock(day: NaiveDate, text: &[u8]) -> Option<DateTime<Utc>> {
    let text = text.strip_suffix(b"Z").unwrap_or(text);
    let (parts, colons): (Vec<&[u8]>, bool) = if text.contains(&b':') {
        (text.split(|byte| *byte == b':').collect(), true)
    } else {
        (text.chunks(2).collect(), false)
    };
    if parts.is_empty() || parts.len() > 3 || parts[0].len() != 2 {
        return None;
    }
    if colons && parts.iter().any(|part| part.len() > 2) {
        return None;
    }
    let mut numbers = [0; 3];
    for (number_of, part) in numbers.iter_mut().zip(parts) {
        *number_of = number(part)?;
    }
    // Midnight at the end of a day.
    if numbers == [24, 0, 0] {
        return Some(day.succ_opt()?.and_hms_opt(0, 0, 0)?.and_utc());
    }
    let [hour, minute, second] = numbers;
    Some(day.and_hms_opt(hour, minute, second)?.and_utc())
}

fn year(text: &[u8]) -> Option<i32> {
    let year = i32::try_from(number(text.get(..4)?)?).ok()?;
    (year > 0).then_some(year)
}

fn number(digits: &[u8]) -> Option<u32> {
    let digit = |sum: u32, byte: &u8| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + u32::from(byte - b'0'))
    };
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    digits.iter().try_fold(0, digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_cut_short_are_read_as_iso_8601() {
        for (text, expected) in [
            ("20240426T104728", Some("2024-04-26T10:47:28+00:00")),
            ("2024", Some("2024-01-01T00:00:00+00:00")),
            ("20240", None),
            ("202404", None),
            ("2024042", Some("2024-02-11T00:00:00+00:00")),
            ("2024990", None),
            ("20240426", Some("2024-04-26T00:00:00+00:00")),
            ("20240426T", None),
            ("20240426T1", None),
            ("20240426T10", Some("2024-04-26T10:00:00+00:00")),
            ("20240426T104", Some("2024-04-26T10:04:00+00:00")),
            ("20240426T10472", Some("2024-04-26T10:47:02+00:00")),
            ("20240426_104728", Some("2024-04-26T10:47:28+00:00")),
            ("20241326T104728", None),
            ("20240426T250000", None),
            ("20240426T240000", Some("2024-04-27T00:00:00+00:00")),
            ("2024W171", Some("2024-04-22T00:00:00+00:00")),
            ("2024X405T090000", None),
            ("00000101T000000", None),
            ("", None),
        ] {
            let date = date(text).ok().map(|date| date.to_rfc3339());
            assert_eq!(date.as_deref(), expected, "{text}");
        }
    }
}
