//! Dates by a format of Python's `strptime`.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// Reads `text`, which must follow `format` whole. Absent parts are those of 1900-01-01 00:00:00.
pub(super) fn strptime(text: &str, format: &str) -> Result<NaiveDateTime, String> {
    let mut parts = Parts::default();
    let mut rest = text;
    let mut format = format.chars();
    while let Some(c) = format.next() {
        rest = match c {
            '%' => {
                let directive = format.next().ok_or("its format ends in `%`")?;
                parts.take(directive, rest)?
            }
            c if c.is_whitespace() => rest.trim_start(),
            c => rest
                .strip_prefix(c)
                .ok_or_else(|| format!("it lacks the `{c}` of its format"))?,
        };
    }
    if !rest.is_empty() {
        return Err("it goes on behind its format".to_owned());
    }
    parts.finish()
}

#[derive(Default)]
struct Parts {
    year: Option<u32>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    hour: Option<u32>,
    minute: Option<u32>,
    second: Option<u32>,
    micros: Option<u32>,
    afternoon: Option<bool>,
}

impl Parts {
    fn take<'t>(&mut self, directive: char, text: &'t str) -> Result<&'t str, String> {
        let (part, most) = match directive {
            'Y' => (&mut self.year, 4),
            'm' => (&mut self.month, 2),
            'd' => (&mut self.day, 2),
            'j' => (&mut self.day_of_year, 3),
            'H' | 'I' => (&mut self.hour, 2),
            'M' => (&mut self.minute, 2),
            'S' => (&mut self.second, 2),
            'f' => {
                let (digits, rest) = digits(text, 6)?;
                self.micros = format!("{digits:0<6}").parse().ok();
                return Ok(rest);
            }
            'y' => {
                let (digits, rest) = digits(text, 2)?;
                // POSIX: 69 to 99 are of the last century.
                let year: u32 = digits.parse().map_err(|_| "its year is no number")?;
                self.year = Some(if year < 69 { 2000 + year } else { 1900 + year });
                return Ok(rest);
            }
            'b' | 'B' => return self.month_name(text),
            'p' => return self.half(text),
            '%' => {
                return text
                    .strip_prefix('%')
                    .ok_or_else(|| "it lacks a `%`".to_owned());
            }
            other => return Err(format!("`%{other}` is not known in a date format")),
        };
        let (digits, rest) = digits(text, most)?;
        if directive == 'Y' && digits.len() != 4 {
            return Err("its year has not four digits".to_owned());
        }
        *part = digits.parse().ok();
        Ok(rest)
    }

    fn month_name<'t>(&mut self, text: &'t str) -> Result<&'t str, String> {
        let end = text
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        let month = crate::document::month_number(word).ok_or("its month is not known")?;
        self.month = Some(month);
        Ok(rest)
    }

    fn half<'t>(&mut self, text: &'t str) -> Result<&'t str, String> {
        let (word, rest) = text.split_at_checked(2).ok_or("it lacks `AM` or `PM`")?;
        self.afternoon = Some(match word.to_ascii_lowercase().as_str() {
            "am" => false,
            "pm" => true,
            _ => return Err("it lacks `AM` or `PM`".to_owned()),
        });
        Ok(rest)
    }

    fn finish(self) -> Result<NaiveDateTime, String> {
        let year = self.year.unwrap_or(1900);
        let year = i32::try_from(year).map_err(|_| "there is no such year")?;
        let date = match self.day_of_year {
            Some(day) => NaiveDate::from_yo_opt(year, day),
            None => NaiveDate::from_ymd_opt(year, self.month.unwrap_or(1), self.day.unwrap_or(1)),
        };
        let hour = self.hour.unwrap_or(0);
        let hour = match self.afternoon {
            Some(true) if hour < 12 => hour + 12,
            Some(false) if hour == 12 => 0,
            _ => hour,
        };
        let (minute, second) = (self.minute.unwrap_or(0), self.second.unwrap_or(0));
        let time = NaiveTime::from_hms_micro_opt(hour, minute, second, self.micros.unwrap_or(0));
        match (date, time) {
            (Some(date), Some(time)) => Ok(date.and_time(time)),
            _ => Err("there is no such day or time".to_owned()),
        }
    }
}

fn digits(text: &str, most: usize) -> Result<(&str, &str), String> {
    let length = text
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    if length == 0 {
        return Err("it lacks digits where its format has some".to_owned());
    }
    Ok(text.split_at(length))
}
