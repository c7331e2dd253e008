//! Year, month and day, told apart by size and place.

use chrono::{DateTime, Datelike, NaiveDate, Utc};

use super::{Reason, UNKNOWN, words};

/// Up to three numbers of which it is not yet known what they are.
#[derive(Default)]
pub(super) struct DayParts {
    numbers: Vec<u32>,
    year_at: Option<usize>,
    month_at: Option<usize>,
    century: bool,
}

/// What they are.
#[derive(Default)]
pub(super) struct Day {
    pub(super) year: Option<i32>,
    pub(super) month: Option<u32>,
    pub(super) day: Option<u32>,
}

impl Day {
    pub(super) fn is_empty(&self) -> bool {
        self.year.is_none() && self.month.is_none() && self.day.is_none()
    }
}

impl DayParts {
    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.numbers.len() == 3
    }

    /// A word that may also be a month name.
    pub(super) fn push(&mut self, word: &str) -> Result<(), Reason> {
        let number = words::digits(word).ok_or(UNKNOWN)?;
        if word.len() > 2 {
            self.push_full_year(number)
        } else {
            self.push_number(number)
        }
    }

    /// A number of unknown meaning; more than 100 can only be a year.
    pub(super) fn push_number(&mut self, number: u32) -> Result<(), Reason> {
        if number > 100 {
            return self.push_year(number);
        }
        self.add(number)
    }

    pub(super) fn push_year(&mut self, year: u32) -> Result<(), Reason> {
        self.century |= year > 100;
        if self.year_at.is_some() {
            return Err("it has two years");
        }
        self.year_at = Some(self.numbers.len());
        self.add(year)
    }

    /// A year of more than two digits: `0024` is not 2024.
    pub(super) fn push_full_year(&mut self, year: u32) -> Result<(), Reason> {
        self.century = true;
        self.push_year(year)
    }

    pub(super) fn push_month(&mut self, month: u32) -> Result<(), Reason> {
        if self.month_at.is_some() {
            return Err("it has two months");
        }
        self.month_at = Some(self.numbers.len());
        self.add(month)
    }

    fn add(&mut self, number: u32) -> Result<(), Reason> {
        if self.is_full() {
            return Err("it has more than year, month and day");
        }
        self.numbers.push(number);
        Ok(())
    }

    /// Whether a number of a still unknown meaning can be the day.
    pub(super) fn could_be_day(&self, number: u32) -> bool {
        let limit = match (self.month_at, self.year_at) {
            (None, _) => 31,
            (Some(month), None) => days_in(2000, self.numbers[month]),
            (Some(month), Some(year)) => days_in(
                self.numbers[year].try_into().unwrap_or(2000),
                self.numbers[month],
            ),
        };
        (1..=limit).contains(&number)
    }

    pub(super) fn resolve(&self, now: DateTime<Utc>) -> Result<Day, Reason> {
        let (year, month, day) = self.places();
        let number =
            |place: Option<usize>| place.and_then(|place| self.numbers.get(place).copied());
        let year = number(year).map(|year| {
            let year = i32::try_from(year).unwrap_or(i32::MAX);
            if self.century {
                year
            } else {
                nearest_century(year, now.year())
            }
        });
        Ok(Day {
            year,
            month: number(month),
            day: number(day),
        })
    }

    /// The places of year, month and day. Month before day, unless the numbers forbid it.
    fn places(&self) -> (Option<usize>, Option<usize>, Option<usize>) {
        let big = |place: usize| self.numbers[place] > 31;
        let (y, m, d) = match (self.numbers.len(), self.year_at, self.month_at) {
            (0, _, _) => return (None, None, None),
            (1, Some(_), None) => return (Some(0), None, None),
            (1, None, Some(_)) => return (None, Some(0), None),
            (1, _, _) if big(0) => return (Some(0), None, None),
            (1, _, _) => return (None, None, Some(0)),
            (2, year, Some(month)) => {
                let other = 1 - month;
                return if year.is_some() || big(other) {
                    (Some(other), Some(month), None)
                } else {
                    (None, Some(month), Some(other))
                };
            }
            (2, _, None) if big(0) => return (Some(0), Some(1), None),
            (2, _, None) if big(1) => return (Some(1), Some(0), None),
            (2, _, None) => return (None, Some(0), Some(1)),
            (_, Some(year), Some(month)) => (year, month, 3 - year - month),
            (_, None, Some(0)) if big(1) => (1, 0, 2),
            (_, None, Some(0)) => (2, 0, 1),
            (_, None, Some(1)) if big(0) => (0, 1, 2),
            (_, None, Some(1)) => (2, 1, 0),
            (_, None, Some(_)) if big(1) => (1, 2, 0),
            (_, None, Some(_)) => (0, 2, 1),
            (_, year, None) if big(0) || year == Some(0) => (0, 1, 2),
            (_, _, None) if self.numbers[0] > 12 => (2, 1, 0),
            (_, _, None) => (2, 0, 1),
        };
        (Some(y), Some(m), Some(d))
    }
}

/// A year of two digits is the one nearest to now.
fn nearest_century(year: i32, now: i32) -> i32 {
    if year >= 100 {
        return year;
    }
    let year = year + now / 100 * 100;
    if year >= now + 50 {
        year - 100
    } else if year < now - 50 {
        year + 100
    } else {
        year
    }
}

/// How many days a month has; 31 where there is no such month.
pub(super) fn days_in(year: i32, month: u32) -> u32 {
    NaiveDate::from_ymd_opt(year, month, 1).map_or(31, |first| u32::from(first.num_days_in_month()))
}
