use chrono::{TimeZone, Utc};
use serde_json::{Value, json};

use super::*;
use crate::cases::Cases;

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 21, 13, 14, 15).unwrap()
}

fn read(text: &str) -> Result<String, DateError> {
    parse_date_at(&json!(text), now()).map(zulu)
}

/// The wanted text of a recorded date, to the microsecond.
fn recorded(value: &Value) -> Option<DateTime<Utc>> {
    let text = value.as_str().or_else(|| value["$datetime"].as_str())?;
    let moment = Moment::from_value(&json!({"$datetime": text}))?;
    Some(moment.to_utc())
}

#[test]
fn dates_equal_the_recorded_ones() {
    Cases::of("dates.json").run(|case| {
        // Null and lists are for the coercion of a field.
        let pairs: Vec<(&Value, &Value)> = match &case["input"] {
            Value::Null => vec![],
            Value::Array(items) => {
                let wanted = case["parse"].as_array().ok_or("a list")?;
                let pairs = items.iter().zip(wanted);
                pairs.filter(|(item, _)| !item.is_null()).collect()
            }
            one => vec![(one, &case["parse"])],
        };
        for (input, wanted) in pairs {
            let got = parse_date_at(input, now());
            match (&got, recorded(wanted)) {
                (Ok(got), Some(wanted)) if *got == wanted => {}
                (Err(_), None) if wanted.get("error").is_some() => {}
                _ => return Err(format!("{input}: {got:?}, not {wanted}")),
            }
            let stored = case["stored"].as_str();
            if let (Ok(got), Some(stored)) = (got.map(zulu), stored)
                && got != stored
            {
                return Err(format!("{input}: stored as {got}, not {stored}"));
            }
        }
        Ok(())
    });
}

#[test]
fn free_forms() {
    for (text, wanted) in [
        // Parts that are not named are today's.
        ("10:36", "2026-11-21T10:36:00.000Z"),
        ("May 2003", "2003-05-21T00:00:00.000Z"),
        ("Feb", "2026-02-21T00:00:00.000Z"),
        ("12", "2026-11-12T00:00:00.000Z"),
        ("1999", "1999-11-21T00:00:00.000Z"),
        ("Sat", "2026-11-21T00:00:00.000Z"),
        ("Fri 10:00", "2026-11-27T10:00:00.000Z"),
        // Order.
        ("10-09-03", "2003-10-09T00:00:00.000Z"),
        ("2003-09-25", "2003-09-25T00:00:00.000Z"),
        ("25-09-2003", "2003-09-25T00:00:00.000Z"),
        ("2003.09.25", "2003-09-25T00:00:00.000Z"),
        ("25 Sep 2003", "2003-09-25T00:00:00.000Z"),
        ("Sep 25, 2003", "2003-09-25T00:00:00.000Z"),
        ("Sep-25-2003", "2003-09-25T00:00:00.000Z"),
        ("2003-Sep-25", "2003-09-25T00:00:00.000Z"),
        ("25th of September 2003", "2003-09-25T00:00:00.000Z"),
        ("99-01", "1999-01-21T00:00:00.000Z"),
        ("031014", "2014-03-10T00:00:00.000Z"),
        ("July 4, 1976 12:01:02 am", "1976-07-04T00:01:02.000Z"),
        // Time of day.
        ("20030925T1049", "2003-09-25T10:49:00.000Z"),
        ("20030925T104941.5", "2003-09-25T10:49:41.500Z"),
        ("20030925104941", "2003-09-25T10:49:41.000Z"),
        ("2003-09-25 10h36m28.5s", "2003-09-25T10:36:28.500Z"),
        ("2003-09-25 10h36", "2003-09-25T10:36:00.000Z"),
        ("2003-09-25 10 pm", "2003-09-25T22:00:00.000Z"),
        ("2003-09-25 12pm", "2003-09-25T12:00:00.000Z"),
        ("2003-09-25T10:36:28,123", "2003-09-25T10:36:28.123Z"),
        // Zones.
        ("Thu Sep 25 10:36:28 BRST 2003", "2003-09-25T10:36:28.000Z"),
        (
            "Thu, 25 Sep 2003 10:49:41 -0300",
            "2003-09-25T13:49:41.000Z",
        ),
        (
            "Thu, 25 Sep 2003 10:49:41 -0300 (BRST)",
            "2003-09-25T13:49:41.000Z",
        ),
        ("2003-09-25 10:49 +02", "2003-09-25T08:49:00.000Z"),
        ("2003-09-25 10:49 GMT+3", "2003-09-25T13:49:00.000Z"),
        ("2003-09-25T10:49:41.5-03:00", "2003-09-25T13:49:41.500Z"),
        // Ends in Z, and is read as ISO 8601.
        ("2003-W39-4T10Z", "2003-09-25T10:00:00.000Z"),
        ("2003W394T1049Z", "2003-09-25T10:49:00.000Z"),
        ("2003W39Z", "2003-09-22T00:00:00.000Z"),
        ("2003-09-25_10:49:41,5Z", "2003-09-25T10:49:41.500Z"),
    ] {
        assert_eq!(read(text).as_deref(), Ok(wanted), "{text}");
    }
}

#[test]
fn what_is_no_date() {
    for text in [
        "",
        " ",
        "Z",
        "T",
        "-",
        "garbage",
        "2024-02-30",
        "2024-13-40",
        "25:00",
        "10:60",
        "10:00:60",
        "2024-01-24T05:15:05+25:00",
        "UTC=2024-01-24",
        "pm",
        "13 pm pm",
        "1 2 3 4",
        "Jan Feb",
        "2024 2025",
        "99999999999999999999",
        "2024-01-24T05:15:05+",
        "Jan-",
        "0000-01-01T00:00:00.000Z",
        "2024-1-1-1",
        "nan",
        "inf",
        "1e5x",
        "0001-01-01T00:00:00+01:00",
        "2024-01-24T05:15:05.123456x",
        "é",
        "２０２４-01-24",
    ] {
        assert!(read(text).is_err(), "{text}: {:?}", read(text));
    }
}

#[test]
fn the_stored_form_is_read_back() {
    for text in [
        "0001-01-01T00:00:00.000Z",
        "2024-02-29T23:59:59.999Z",
        "9999-12-31T23:59:59.999Z",
    ] {
        assert_eq!(read(text).as_deref(), Ok(text));
    }
}

proptest::proptest! {
    #[test]
    fn reading_never_panics(text in "[ 0-9a-zA-Z:.,+/()éT-]{0,40}") {
        let _ = parse_date_at(&Value::String(text), now());
    }

    #[test]
    fn every_stored_date_reads_back(millis in -62_135_596_800_000_i64..253_402_300_800_000) {
        let date = DateTime::from_timestamp_millis(millis).unwrap();
        let text = zulu(date);
        proptest::prop_assert_eq!(stored::read(&text), Some(date));
        proptest::prop_assert_eq!(iso::read(text.trim_end_matches('Z')), Some(date.naive_utc()));
        proptest::prop_assert_eq!(free::read(text.trim_end_matches('Z'), now()), Ok(date));
    }
}
