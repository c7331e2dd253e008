//! The stored form. Every document has several, so it is read and printed by hand.

use chrono::{
    DateTime, Datelike, NaiveDate, NaiveDateTime, SecondsFormat, SubsecRound, TimeDelta, Timelike,
    Utc,
};

/// The stored text form; milliseconds are truncated.
pub fn zulu(instant: DateTime<Utc>) -> String {
    let local = instant.naive_utc();
    let (date, time) = (local.date(), local.time());
    let Ok(year @ 0..=9999) = u32::try_from(date.year()) else {
        return instant
            .trunc_subsecs(3)
            .to_rfc3339_opts(SecondsFormat::Millis, true);
    };
    let mut text = *b"0000-00-00T00:00:00.000Z";
    put(&mut text[0..4], year);
    put(&mut text[5..7], date.month());
    put(&mut text[8..10], date.day());
    put(&mut text[11..13], time.hour());
    put(&mut text[14..16], time.minute());
    put(&mut text[17..19], time.second());
    // A leap second counts on from 1,000 ms; Python has none.
    put(&mut text[20..23], (time.nanosecond() / 1_000_000).min(999));
    String::from_utf8_lossy(&text).into_owned()
}

fn put(digits: &mut [u8], mut number: u32) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Reads the stored form and nothing else.
pub(super) fn read(text: &str) -> Option<DateTime<Utc>> {
    let bytes: &[u8; 24] = text.as_bytes().try_into().ok()?;
    if (bytes[19], bytes[23]) != (b'.', b'Z') {
        return None;
    }
    let milliseconds = TimeDelta::milliseconds(number(&bytes[20..23])?.into());
    Some((local(&bytes[..19])? + milliseconds).and_utc())
}

/// Whether a text is in the stored form already.
pub(crate) fn is_stored(text: &str) -> bool {
    read(text).is_some()
}

/// Reads `2024-01-24T05:15:05`.
pub(crate) fn local(text: &[u8]) -> Option<NaiveDateTime> {
    let text: &[u8; 19] = text.try_into().ok()?;
    if [text[4], text[7], text[10], text[13], text[16]] != *b"--T::" {
        return None;
    }
    let year = number(&text[0..4])?;
    if year == 0 {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(
        i32::try_from(year).ok()?,
        number(&text[5..7])?,
        number(&text[8..10])?,
    )?;
    date.and_hms_opt(
        number(&text[11..13])?,
        number(&text[14..16])?,
        number(&text[17..19])?,
    )
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u32::from(digit - b'0'))
    })
}
