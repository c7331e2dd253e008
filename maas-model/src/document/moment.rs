//! A date-time inside a record, where JSON has no such type.

use chrono::{DateTime, Datelike, NaiveDateTime, Timelike};
use serde_json::{Value, json};

use super::date::local;

/// A date and time of day as an extractor found it, with its offset or without one.
///
/// Spreadsheet cells and the date functions of expressions give it. In a record it stands as the object
/// `{"$datetime": "2024-01-24T05:15:05"}`, so that nothing takes it for a text; composite ids print it as
/// Python does, and [`Model::coerce`](crate::model::Model::coerce) turns it into text: it is never stored
/// in this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    local: NaiveDateTime,
    offset: Option<chrono::FixedOffset>,
}

const KEY: &str = "$datetime";

impl Moment {
    /// A date-time without offset; it counts as UTC.
    pub fn naive(local: NaiveDateTime) -> Self {
        Self {
            local,
            offset: None,
        }
    }

    /// A date-time with its offset.
    pub fn aware(instant: DateTime<chrono::FixedOffset>) -> Self {
        Self {
            local: instant.naive_local(),
            offset: Some(*instant.offset()),
        }
    }

    /// Reads the form it has in a record.
    pub fn from_value(value: &Value) -> Option<Self> {
        let fields = value.as_object().filter(|fields| fields.len() == 1)?;
        let text = fields.get(KEY)?.as_str()?;
        if let Some(local) = without_offset(text) {
            return Some(Self::naive(local));
        }
        let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(Self::naive);
        naive
            .or_else(|_| DateTime::parse_from_rfc3339(text).map(Self::aware))
            .ok()
    }

    /// The form it has in a record.
    pub fn to_value(self) -> Value {
        json!({ KEY: self.iso() })
    }

    /// The instant.
    pub fn to_utc(self) -> DateTime<chrono::Utc> {
        let seconds = self
            .offset
            .map_or(0, |offset| offset.local_minus_utc().into());
        (self.local - chrono::TimeDelta::seconds(seconds)).and_utc()
    }

    /// ISO 8601 as Python writes it: `2024-01-24T05:15:05.120000+00:00`.
    pub fn iso(self) -> String {
        self.print('T')
    }

    /// Python's `str()` of it: `2024-01-24 05:15:05.120000+00:00`.
    pub fn python_str(self) -> String {
        self.print(' ')
    }

    /// Python's `repr()` of it, as it stands in a printed list. The zone is `timezone.utc` or an offset.
    pub fn python_repr(self) -> String {
        let (date, time) = (self.local.date(), self.local.time());
        let mut parts = vec![
            date.year().to_string(),
            date.month().to_string(),
            date.day().to_string(),
            time.hour().to_string(),
            time.minute().to_string(),
        ];
        let micros = time.nanosecond() / 1000;
        if micros > 0 || time.second() > 0 {
            parts.push(time.second().to_string());
        }
        if micros > 0 {
            parts.push(micros.to_string());
        }
        match self.offset.map(|offset| offset.local_minus_utc()) {
            None => {}
            Some(0) => parts.push("tzinfo=datetime.timezone.utc".to_owned()),
            Some(seconds) => parts.push(format!(
                "tzinfo=datetime.timezone(datetime.timedelta(seconds={seconds}))"
            )),
        }
        format!("datetime.datetime({})", parts.join(", "))
    }

    fn print(self, separator: char) -> String {
        let (date, time) = (self.local.date(), self.local.time());
        let mut text = format!(
            "{:04}-{:02}-{:02}{separator}{:02}:{:02}:{:02}",
            date.year(),
            date.month(),
            date.day(),
            time.hour(),
            time.minute(),
            time.second()
        );
        let micros = self.local.nanosecond() / 1000;
        if micros > 0 {
            text.push_str(&format!(".{micros:06}"));
        }
        if let Some(offset) = self.offset {
            text.push_str(&offset.to_string());
        }
        text
    }
}

/// Reads the form that nearly all have: no offset, whole seconds or microseconds.
fn without_offset(text: &str) -> Option<NaiveDateTime> {
    let (seconds, fraction) = text.split_at_checked(19)?;
    let seconds = local(seconds.as_bytes())?;
    if fraction.is_empty() {
        return Some(seconds);
    }
    let digits = fraction
        .strip_prefix('.')
        .filter(|digits| digits.len() == 6)?;
    let micros: u32 = digits.parse().ok().filter(|_| !digits.starts_with('+'))?;
    seconds.with_nanosecond(micros * 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_prints_as_python_does() {
        for (iso, text) in [
            ("2024-01-24T05:15:05", "2024-01-24 05:15:05"),
            ("2024-01-24T05:15:05.120000", "2024-01-24 05:15:05.120000"),
            ("2024-01-24T05:15:05+00:00", "2024-01-24 05:15:05+00:00"),
            (
                "2022-08-30T12:26:17.005000-03:30",
                "2022-08-30 12:26:17.005000-03:30",
            ),
        ] {
            let moment = Moment::from_value(&json!({ KEY: iso })).expect(iso);
            assert_eq!(moment.python_str(), text);
            assert_eq!(moment.to_value(), json!({ KEY: iso }));
        }
    }

    #[test]
    fn other_objects_are_none() {
        for value in [
            json!({}),
            json!({KEY: 1}),
            json!({KEY: "x"}),
            json!({KEY: "2024-01-24T05:15:05", "a": 1}),
        ] {
            assert_eq!(Moment::from_value(&value), None, "{value}");
        }
    }

    #[test]
    fn the_offset_counts() {
        let moment = Moment::from_value(&json!({KEY: "2024-01-24T07:15:05+02:00"})).unwrap();
        assert_eq!(
            crate::document::zulu(moment.to_utc()),
            "2024-01-24T05:15:05.000Z"
        );
    }
}
