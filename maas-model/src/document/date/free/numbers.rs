//! What a number is: a day, an hour, a run of digits that holds several.

use super::{Reading, Reason, UNKNOWN, words};

/// A number as it was written: `05`, `19990101`, `12.5`.
struct Number {
    whole: u32,
    /// As sixtieths of a unit, and as millionths.
    sixtieths: u32,
    micros: u32,
    has_fraction: bool,
}

impl Number {
    fn read(word: &str) -> Result<Self, Reason> {
        let (whole, fraction) = word.split_once('.').unwrap_or((word, ""));
        let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
        let micros = words::digits(&digits).ok_or(UNKNOWN)?;
        Ok(Self {
            whole: words::digits(whole).ok_or("it has a number that is too large")?,
            sixtieths: (u64::from(micros) * 60 / 1_000_000) as u32,
            micros,
            has_fraction: micros > 0,
        })
    }
}

impl Reading {
    /// Takes the number at `at` and what belongs to it; gives the place of the last word taken.
    pub(super) fn number(&mut self, at: usize) -> Result<usize, Reason> {
        let word = self.get(at).to_owned();
        let next = self.get(at + 1).to_owned();
        let last = at + 1 >= self.words.len();
        let pointed = word.find('.');
        if let Some(taken) = self.digits_of_time(at, &word)? {
            return Ok(taken);
        }
        if word.len() == 6 || pointed == Some(6) {
            self.six_digits(&word)?;
            return Ok(at);
        }
        if matches!(word.len(), 8 | 12 | 14) {
            self.long_digits(&word)?;
            return Ok(at);
        }
        if let Some(unit_at) = self.unit_of(at) {
            return self.with_unit(at, unit_at, &word);
        }
        if next == ":" && at + 2 < self.words.len() {
            return self.colon_time(at, &word);
        }
        if matches!(next.as_str(), "-" | "/" | ".") {
            return self.marked_date(at, &word, &next);
        }
        if last || words::is_filler(&next) {
            if let Some(afternoon) = words::afternoon(self.get(at + 2)) {
                self.clock.set_half(Number::read(&word)?.whole, afternoon);
                return Ok(at + 2);
            }
            self.day.push_number(Number::read(&word)?.whole)?;
            return Ok(at + 1);
        }
        let number = Number::read(&word)?;
        if let (Some(afternoon), 0..=23) = (words::afternoon(&next), number.whole) {
            self.clock.set_half(number.whole, afternoon);
            return Ok(at + 1);
        }
        if self.day.could_be_day(number.whole) {
            self.day.push_number(number.whole)?;
            return Ok(at);
        }
        Err(UNKNOWN)
    }

    /// `T05`, `T0515` behind a whole date.
    fn digits_of_time(&mut self, at: usize, word: &str) -> Result<Option<usize>, Reason> {
        let next = self.get(at + 1);
        let free = next != ":" && words::unit(next).is_none();
        if !(free && self.day.is_full() && self.clock.hour.is_none() && matches!(word.len(), 2 | 4))
        {
            return Ok(None);
        }
        let number = words::digits(word).ok_or(UNKNOWN)?;
        if word.len() == 2 {
            self.clock.hour = Some(number);
        } else {
            self.clock.hour = Some(number / 100);
            self.clock.minute = Some(number % 100);
        }
        Ok(Some(at))
    }

    /// `YYMMDD` when there is no date yet, else `HHMMSS` with its fraction.
    fn six_digits(&mut self, word: &str) -> Result<(), Reason> {
        if self.day.is_empty() && !word.contains('.') {
            for pair in [0..2, 2..4, 4..6] {
                self.day.push(word.get(pair).unwrap_or(""))?;
            }
            return Ok(());
        }
        let number = Number::read(word)?;
        if word.find('.').is_some_and(|point| point != 6) {
            return Err(UNKNOWN);
        }
        self.clock.hour = Some(number.whole / 10_000);
        self.clock.minute = Some(number.whole / 100 % 100);
        self.clock.second = Some(number.whole % 100);
        self.clock.micros = Some(number.micros);
        Ok(())
    }

    /// `YYYYMMDD`, `YYYYMMDDHHMM`, `YYYYMMDDHHMMSS`.
    fn long_digits(&mut self, word: &str) -> Result<(), Reason> {
        let part =
            |from: usize, to: usize| word.get(from..to).and_then(words::digits).ok_or(UNKNOWN);
        self.day.push_full_year(part(0, 4)?)?;
        self.day.push(word.get(4..6).unwrap_or(""))?;
        self.day.push(word.get(6..8).unwrap_or(""))?;
        if word.len() > 8 {
            self.clock.hour = Some(part(8, 10)?);
            self.clock.minute = Some(part(10, 12)?);
        }
        if word.len() > 12 {
            self.clock.second = Some(part(12, 14)?);
        }
        Ok(())
    }

    /// Where the unit of the number stands: behind it, or before it as in `h 5`.
    fn unit_of(&self, at: usize) -> Option<usize> {
        let is_unit = |at: usize| words::unit(self.get(at)).is_some();
        if is_unit(at + 1) {
            Some(at + 1)
        } else if self.get(at + 1) == " " && is_unit(at + 2) {
            Some(at + 2)
        } else if at > 0 && is_unit(at - 1) {
            Some(at - 1)
        } else if at > 1 && at + 1 == self.words.len() && self.get(at - 1) == " " && is_unit(at - 2)
        {
            Some(at - 2)
        } else {
            None
        }
    }

    /// `5h`, `15 m`, `5.5s`; `5h15`: the number behind a unit has the next smaller one.
    fn with_unit(&mut self, at: usize, unit_at: usize, word: &str) -> Result<usize, Reason> {
        let unit = words::unit(self.get(unit_at)).ok_or(UNKNOWN)?;
        let (unit, taken) = if unit_at > at {
            (unit, unit_at)
        } else {
            (unit + 1, at)
        };
        let number = Number::read(word)?;
        match unit {
            0 => {
                self.clock.hour = Some(number.whole);
                if number.has_fraction {
                    self.clock.minute = Some(number.sixtieths);
                }
            }
            1 => self.minutes(&number),
            2 => self.seconds(&number),
            _ => {}
        }
        Ok(taken)
    }

    /// `HH:MM`, `HH:MM:SS`, `HH:MM:SS.ffffff`.
    fn colon_time(&mut self, at: usize, word: &str) -> Result<usize, Reason> {
        self.clock.hour = Some(Number::read(word)?.whole);
        let minutes = Number::read(self.need(at + 2)?)?;
        self.minutes(&minutes);
        if self.get(at + 3) == ":" && at + 4 < self.words.len() {
            let seconds = Number::read(self.get(at + 4))?;
            self.seconds(&seconds);
            return Ok(at + 4);
        }
        Ok(at + 2)
    }

    fn minutes(&mut self, number: &Number) {
        self.clock.minute = Some(number.whole);
        if number.has_fraction {
            self.clock.second = Some(number.sixtieths);
        }
    }

    fn seconds(&mut self, number: &Number) {
        self.clock.second = Some(number.whole);
        self.clock.micros = Some(number.micros);
    }

    /// `01-01`, `01/01/99`, `01-Jan-1999`.
    fn marked_date(&mut self, at: usize, word: &str, mark: &str) -> Result<usize, Reason> {
        self.day.push(word)?;
        let second = self.get(at + 2).to_owned();
        if second.is_empty() || words::is_filler(&second) {
            return Ok(at + 1);
        }
        self.day_or_month(&second)?;
        if self.get(at + 3) != mark {
            return Ok(at + 2);
        }
        let third = self.need(at + 4)?.to_owned();
        self.day_or_month(&third)?;
        Ok(at + 4)
    }

    fn day_or_month(&mut self, word: &str) -> Result<(), Reason> {
        match words::month(word) {
            Some(month) => self.day.push_month(month),
            None => self.day.push(word),
        }
    }
}
