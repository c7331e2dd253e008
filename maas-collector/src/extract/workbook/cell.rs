//! One cell, and what becomes of it in a record.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use maas_model::document::Moment;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// What stands in a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::extract) enum Cell<'a> {
    /// Nothing; an empty text in a record.
    Empty,
    /// A text.
    Text(&'a str),
    /// A number; never a whole one.
    Number(f64),
    /// A number whose format shows a date.
    Date(Date),
    /// True or false; 1 or 0 in a record.
    Boolean(bool),
    /// The code of an error: 7 is `#DIV/0!`.
    Error(u8),
}

/// Days since the first day of a workbook.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::extract) struct Date {
    /// Days and part of a day.
    pub(in crate::extract) days: f64,
    /// Whether the workbook counts from 1904.
    pub(in crate::extract) since_1904: bool,
}

/// What days are counted from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dates {
    /// From 1900 or from 1904, as the workbook says.
    #[default]
    AsWorkbook,
    /// From 1900 always. Dates of a workbook that counts from 1904 are four years too early; ids made of
    /// them stay those of the Python system.
    From1900,
}

/// Days from one first day to the other.
const DAYS_TO_1904: f64 = 1462.0;
const MILLISECONDS_OF_A_DAY: f64 = 86_400_000.0;

impl<'a> Cell<'a> {
    /// What it is in a record.
    pub(in crate::extract) fn value(self, dates: Dates) -> Result<Value, String> {
        Ok(match self {
            Self::Empty => "".into(),
            Self::Text(text) => text.into(),
            Self::Number(number) => number.into(),
            Self::Date(date) => Moment::naive(date.moment(dates)?).to_value(),
            Self::Boolean(boolean) => u8::from(boolean).into(),
            Self::Error(code) => code.into(),
        })
    }

    /// The text, when it is one.
    pub(in crate::extract) fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Empty => Some(""),
            _ => None,
        }
    }

    /// Whether it is something: no empty text, no zero.
    pub(in crate::extract) fn is_something(self) -> bool {
        match self {
            Self::Empty | Self::Boolean(false) | Self::Error(0) => false,
            Self::Text(text) => !text.is_empty(),
            Self::Number(number) => number != 0.0,
            Self::Date(_) | Self::Boolean(true) | Self::Error(_) => true,
        }
    }
}

impl Date {
    /// The date, to the millisecond. Day 60 is the 29th of February 1900, which there was not: days before
    /// it are counted from one day later.
    pub(in crate::extract) fn moment(self, dates: Dates) -> Result<NaiveDateTime, String> {
        let days = match dates {
            Dates::AsWorkbook if self.since_1904 => self.days + DAYS_TO_1904,
            _ => self.days,
        };
        let first_day = if days < 60.0 { 31 } else { 30 };
        let moment = NaiveDate::from_ymd_opt(1899, 12, first_day).and_then(|first| {
            let whole = days.trunc();
            let rest = ((days - whole) * MILLISECONDS_OF_A_DAY).round_ties_even();
            // No date is further away than this; a larger number would not fit.
            let distance = (whole.abs() < 4e6)
                .then(|| TimeDelta::days(whole as i64) + TimeDelta::milliseconds(rest as i64))?;
            first
                .and_time(chrono::NaiveTime::MIN)
                .checked_add_signed(distance)
        });
        let moment = moment.filter(|moment| (1..=9999).contains(&chrono::Datelike::year(moment)));
        moment.ok_or_else(|| format!("`{}` is shown as a date and is none", self.days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        for (days, since_1904, date) in [
            (45315.0, false, Some("2024-01-24 00:00:00")),
            (45315.21880929398, false, Some("2024-01-24 05:15:05.123")),
            (0.5, false, Some("1899-12-31 12:00:00")),
            (59.0, false, Some("1900-02-28 00:00:00")),
            (60.0, false, Some("1900-02-28 00:00:00")),
            (43853.0, true, Some("2024-01-24 00:00:00")),
            (1e300, false, None),
            (3e6, false, None),
        ] {
            let found = Date { days, since_1904 }.moment(Dates::AsWorkbook);
            assert_eq!(found.ok().map(|date| date.to_string()).as_deref(), date);
        }
        let old = Date {
            days: 43853.0,
            since_1904: true,
        };
        let moment = old.moment(Dates::From1900).unwrap();
        assert_eq!(moment.to_string(), "2020-01-23 00:00:00");
    }
}
