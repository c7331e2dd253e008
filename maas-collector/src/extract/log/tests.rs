use std::io::Write;

use serde_json::json;

use super::*;
use crate::extract::testing::{Collected, extractor};

fn extract(settings: Value, text: &[u8]) -> Collected {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text).unwrap();
    Collected::from(&*extractor("log", &settings), file.path())
}

#[test]
fn lines_that_match_from_their_start_are_records() {
    let settings = json!({"pattern": r"id=(?P<id>\d+)(?: user=(?P<user>\w+))?", "convert": {"id": "int(value)"}});
    let found = extract(settings, b"id=1 user=a\r\n id=2\nid=3\n");
    assert_eq!(
        found.records,
        [
            json!({"id": 1, "user": "a", "reportName": "in"}),
            json!({"id": 3, "user": null, "reportName": "in"}),
        ]
    );
}

#[test]
fn a_bad_line_costs_itself_alone() {
    let settings = json!({"pattern": "(?P<id>.*)", "convert": {"id": "int(value)"}});
    let found = extract(settings, b"1\n\xFF\nx\n4");
    assert_eq!(found.ids(), [json!(1), json!(4)]);
    let places: Vec<&str> = found.bad.iter().map(|bad| bad.place.as_str()).collect();
    assert_eq!(places, ["line 2", "line 3"]);
    assert!(found.error.is_none());
}

#[test]
fn a_wrong_pattern_is_told() {
    let plugin = ExtractorPlugin::find("log").unwrap();
    let errors = (plugin.info().check)(&json!({"pattern": "(?P<a", "convert": {"a": "("}}));
    let paths: Vec<&str> = errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(paths, ["pattern", "convert.a"]);
}
