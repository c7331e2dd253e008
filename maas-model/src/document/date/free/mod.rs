//! Dates as people and mail programs write them, read as the Python library `dateutil` reads them.
//!
//! One pass over the words of the text: each says what it is (a year, a month name, an hour, an offset),
//! numbers without a name are collected and told apart at the end. A word that means nothing is an error.

mod clock;
mod day;
mod numbers;
mod words;

use chrono::{DateTime, Datelike, Days, FixedOffset, NaiveDate, NaiveTime, Utc, Weekday};

use clock::Clock;
use day::DayParts;
pub(crate) use words::month as month_number;

use crate::document::Moment;

/// Why a text is no date.
pub(super) type Reason = &'static str;

const UNKNOWN: Reason = "its form is not known";

/// Reads `text`; what it does not name is taken from `now`, without an offset it is UTC.
pub(super) fn read(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Reason> {
    read_moment(text, now).map(Moment::to_utc)
}

/// As [`read`], with the offset as it is in the text.
pub(super) fn read_moment(text: &str, now: DateTime<Utc>) -> Result<Moment, Reason> {
    let mut reading = Reading {
        words: words::split(text),
        day: DayParts::default(),
        clock: Clock::default(),
        weekday: None,
        zone: None,
        offset: None,
    };
    let mut at = 0;
    while at < reading.words.len() {
        at = reading.word(at)? + 1;
    }
    reading.finish(now)
}

struct Reading {
    words: Vec<String>,
    day: DayParts,
    clock: Clock,
    weekday: Option<Weekday>,
    zone: Option<String>,
    offset: Option<i64>,
}

impl Reading {
    fn get(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    fn need(&self, at: usize) -> Result<&str, Reason> {
        self.words
            .get(at)
            .map(String::as_str)
            .ok_or("it ends too early")
    }

    /// Takes the word at `at` and those that belong to it; gives the place of the last one taken.
    fn word(&mut self, at: usize) -> Result<usize, Reason> {
        let word = self.get(at).to_owned();
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            return self.number(at);
        }
        if let Some(weekday) = words::weekday(&word) {
            self.weekday = Some(weekday);
            return Ok(at);
        }
        if let Some(month) = words::month(&word) {
            return self.month(at, month);
        }
        if let Some(afternoon) = words::afternoon(&word) {
            self.clock.half(afternoon)?;
            return Ok(at);
        }
        if self.may_be_zone(&word) {
            return Ok(self.zone(at, word));
        }
        if self.clock.hour.is_some() && matches!(word.as_str(), "+" | "-") {
            return self.offset(at, if word == "+" { 1 } else { -1 });
        }
        if words::is_filler(&word) {
            Ok(at)
        } else {
            Err(UNKNOWN)
        }
    }

    /// `Jan`, `Jan-01`, `Jan-01-99`, `Jan of 01`.
    fn month(&mut self, at: usize, month: u32) -> Result<usize, Reason> {
        self.day.push_month(month)?;
        let mark = self.get(at + 1).to_owned();
        if matches!(mark.as_str(), "-" | "/") {
            let next = self.need(at + 2)?.to_owned();
            self.day.push(&next)?;
            if self.get(at + 3) == mark {
                let last = self.need(at + 4)?.to_owned();
                self.day.push(&last)?;
                return Ok(at + 4);
            }
            return Ok(at + 2);
        }
        let year = self.get(at + 4);
        if mark == " "
            && self.get(at + 2).eq_ignore_ascii_case("of")
            && self.get(at + 3) == " "
            && !year.is_empty()
        {
            if let Some(year) = words::digits(year) {
                self.day.push_year(year)?;
            }
            return Ok(at + 4);
        }
        Ok(at)
    }

    fn may_be_zone(&self, word: &str) -> bool {
        let named = matches!(word, "UTC" | "GMT" | "Z" | "z")
            || word.len() <= 5 && word.bytes().all(|byte| byte.is_ascii_uppercase());
        self.clock.hour.is_some() && self.zone.is_none() && self.offset.is_none() && named
    }

    /// A zone name; of the names only that of UTC has a meaning. `GMT+3` says "my time plus 3 is GMT".
    fn zone(&mut self, at: usize, name: String) -> usize {
        let utc = words::is_utc(&name);
        self.offset = utc.then_some(0);
        self.zone = Some(name);
        if let Some(sign) = self
            .words
            .get_mut(at + 1)
            .filter(|word| *word == "+" || *word == "-")
        {
            *sign = if sign == "+" { "-" } else { "+" }.to_owned();
            self.offset = None;
            if utc {
                self.zone = None;
            }
        }
        at
    }

    /// `+0200`, `+02:00`, `+2`, also followed by ` (CEST)`.
    fn offset(&mut self, at: usize, sign: i64) -> Result<usize, Reason> {
        let text = self.need(at + 1)?.to_owned();
        let number = |text: &str| words::digits(text).ok_or("its offset is no number");
        let (hours, minutes, mut last) = if text.len() == 4 {
            let both = number(&text)?;
            (both / 100, both % 100, at + 1)
        } else if self.get(at + 2) == ":" {
            (number(&text)?, number(self.need(at + 3)?)?, at + 3)
        } else if text.len() <= 2 {
            (number(&text)?, 0, at + 1)
        } else {
            return Err("its offset is neither hours nor hours and minutes");
        };
        self.offset = Some(sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60));
        let named = words::is_filler(self.get(last + 1))
            && self.get(last + 2) == "("
            && self.get(last + 4) == ")"
            && self.get(last + 3).len() >= 3
            && self.zone.is_none()
            && self.get(last + 3).len() <= 5
            && self
                .get(last + 3)
                .bytes()
                .all(|byte| byte.is_ascii_uppercase());
        if named {
            self.zone = Some(self.get(last + 3).to_owned());
            last += 4;
        }
        Ok(last)
    }

    fn finish(self, now: DateTime<Utc>) -> Result<Moment, Reason> {
        let parts = self.day.resolve(now)?;
        let nothing = parts.is_empty()
            && self.clock.is_empty()
            && self.weekday.is_none()
            && self.zone.is_none()
            && self.offset.is_none();
        if nothing {
            return Err("it names no part of a date");
        }
        let today = now.date_naive();
        let year = parts.year.unwrap_or(today.year());
        let month = parts.month.unwrap_or(today.month());
        // The current day may be more than the month has; a named day may not.
        let day = parts
            .day
            .unwrap_or_else(|| today.day().min(day::days_in(year, month)));
        let mut date = NaiveDate::from_ymd_opt(year, month, day).ok_or("there is no such day")?;
        if let (Some(weekday), None) = (self.weekday, parts.day) {
            let ahead =
                (7 + weekday.num_days_from_monday() - date.weekday().num_days_from_monday()) % 7;
            date = date
                .checked_add_days(Days::new(ahead.into()))
                .ok_or("there is no such day")?;
        }
        let time: NaiveTime = self.clock.time()?;
        let local = date.and_time(time);
        let offset = match self.zone.as_deref() {
            Some(name) if words::is_utc(name) => Some(0),
            _ => self.offset,
        };
        let Some(offset) = offset else {
            return Ok(Moment::naive(local));
        };
        let offset = i32::try_from(offset).ok().and_then(FixedOffset::east_opt);
        let offset = offset.ok_or("its offset is a day or more")?;
        let aware = local.and_local_timezone(offset).single();
        aware.map(Moment::aware).ok_or("there is no such day")
    }
}
