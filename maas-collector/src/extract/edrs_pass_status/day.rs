//! Times on a day of the year of a report.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use maas_model::document::Moment;
use serde_json::Value;

use crate::extract::workbook::{Cell, Dates};

/// The year that days are counted in.
pub(super) struct Year {
    first_day: NaiveDateTime,
    /// Whether the Python system knows the zone; it is UTC in any case.
    zoned: bool,
    day_before: Option<i64>,
}

/// One day of a year.
#[derive(Clone, Copy)]
pub(super) struct Day {
    start: NaiveDateTime,
    zoned: bool,
}

/// A time of a day.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Time {
    at: NaiveDateTime,
    zoned: bool,
}

impl Year {
    /// From the cell that names it: a text with a year in it, or a date.
    pub(super) fn read(cell: Cell<'_>) -> Option<Self> {
        let (year, zoned) = match cell {
            Cell::Text(text) => (year_in(text)?, true),
            Cell::Date(date) => (date.moment(Dates::From1900).ok()?.year(), false),
            _ => return None,
        };
        Some(Self {
            first_day: first_day(year)?,
            zoned,
            day_before: None,
        })
    }

    /// A day; the first day of a year behind another one belongs to the next year.
    pub(super) fn day(&mut self, number: i64) -> Day {
        if number == 1
            && self.day_before.is_some_and(|before| before != 1)
            && let Some(first_day) = first_day(self.first_day.year() + 1)
        {
            self.first_day = first_day;
            self.zoned = false;
        }
        self.day_before = Some(number);
        let days = TimeDelta::try_days(number - 1).unwrap_or_default();
        Day {
            start: self
                .first_day
                .checked_add_signed(days)
                .unwrap_or(self.first_day),
            zoned: self.zoned,
        }
    }
}

fn first_day(year: i32) -> Option<NaiveDateTime> {
    Some(NaiveDate::from_ymd_opt(year, 1, 1)?.and_time(NaiveTime::MIN))
}

/// The first `20dd` in a text.
fn year_in(text: &str) -> Option<i32> {
    let digits = text
        .as_bytes()
        .windows(4)
        .find(|four| four.starts_with(b"20") && four.iter().all(u8::is_ascii_digit))?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

impl Day {
    /// The time that a cell shows: a time cell, or `h:m:s`.
    pub(super) fn at(self, cell: Cell<'_>) -> Result<Time, String> {
        let from_midnight = match cell {
            Cell::Date(date) => {
                let moment = date.moment(Dates::From1900)?;
                moment.time() - NaiveTime::MIN
            }
            Cell::Text(text) => {
                let time = NaiveTime::parse_from_str(text.trim(), "%H:%M:%S");
                let time = time.map_err(|_| format!("`{text}` is no time (`h:m:s`)"))?;
                time - NaiveTime::MIN
            }
            Cell::Empty => return Err("it is empty".into()),
            _ => return Err("it is no time".into()),
        };
        let at = self.start.checked_add_signed(from_midnight);
        Ok(Time {
            at: at.ok_or("it is no time of a year")?,
            zoned: self.zoned,
        })
    }
}

impl Time {
    /// This time, or the same on the next day when it is before `other`.
    pub(super) fn not_before(self, other: Self) -> Self {
        match self.at < other.at {
            true => Self {
                at: self.at + TimeDelta::days(1),
                ..self
            },
            false => self,
        }
    }

    /// As it stands in a record.
    pub(super) fn value(self) -> Value {
        let moment = match self.zoned {
            true => Moment::aware(self.at.and_utc().with_timezone(&Utc).fixed_offset()),
            false => Moment::naive(self.at),
        };
        moment.to_value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_ends() {
        let mut year = Year::read(Cell::Text("52-1 / 2023-2024")).unwrap();
        let at = |day: Day| day.at(Cell::Text("1:02:03")).unwrap().at.to_string();
        assert_eq!(at(year.day(365)), "2023-12-31 01:02:03");
        assert_eq!(at(year.day(1)), "2024-01-01 01:02:03");
        assert_eq!(at(year.day(1)), "2024-01-01 01:02:03");
        assert_eq!(at(year.day(2)), "2024-01-02 01:02:03");
        assert!(Year::read(Cell::Text("19999")).is_none());
    }
}
