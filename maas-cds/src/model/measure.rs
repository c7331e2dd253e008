//! Dates of documents and the time between them.

use chrono::{DateTime, Timelike, Utc};
use maas_model::document::{Document, parse_date};

/// A date field; `None` where it is absent or no date.
pub fn date_of(document: &Document, field: &str) -> Option<DateTime<Utc>> {
    document
        .source
        .get(field)
        .and_then(|value| parse_date(value).ok())
}

/// The time between two instants in microseconds, never negative.
///
/// Computed by way of seconds, as in the original: the whole number that is stored of it may be one less.
pub fn microseconds_between(a: Option<DateTime<Utc>>, b: Option<DateTime<Utc>>) -> Option<f64> {
    let microseconds = (a? - b?).num_microseconds()?.abs();
    // Below 2^53 for 285 years, so nothing is lost here.
    Some(microseconds as f64 / 1e6 * 1e6)
}

/// A date as the original writes it into fields that no model declares: `2024-04-05T08:30:00.512000+00:00`,
/// without fraction where that is zero.
pub fn iso_text(date: DateTime<Utc>) -> String {
    let format = if date.nanosecond() < 1_000 {
        "%Y-%m-%dT%H:%M:%S+00:00"
    } else {
        "%Y-%m-%dT%H:%M:%S%.6f+00:00"
    };
    date.format(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn the_order_of_two_dates_does_not_matter() {
        let (early, late) = (at("2024-04-05T08:00:00Z"), at("2024-04-05T08:00:01.5Z"));
        assert_eq!(
            microseconds_between(Some(early), Some(late)),
            Some(1_500_000.0)
        );
        assert_eq!(
            microseconds_between(Some(late), Some(early)),
            Some(1_500_000.0)
        );
        assert_eq!(microseconds_between(None, Some(early)), None);
        let odd = microseconds_between(
            Some(at("2024-03-30T13:11:34.155Z")),
            Some(at("2024-03-30T12:00:00Z")),
        );
        assert_eq!(odd.map(f64::trunc), Some(4_294_154_999.0));
    }

    #[test]
    fn a_fraction_is_written_in_full_or_not_at_all() {
        assert_eq!(
            iso_text(at("2024-04-05T08:30:00.512Z")),
            "2024-04-05T08:30:00.512000+00:00"
        );
        assert_eq!(
            iso_text(at("2024-04-05T08:30:00Z")),
            "2024-04-05T08:30:00+00:00"
        );
    }
}
