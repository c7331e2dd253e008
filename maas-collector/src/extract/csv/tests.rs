use std::io::Write;

use serde_json::json;

use super::*;
use crate::extract::testing::{Collected, extractor};

fn extract(settings: Value, text: &[u8]) -> Collected {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text).unwrap();
    Collected::from(&*extractor("csv", &settings), file.path())
}

#[test]
fn columns_are_found_by_name() {
    let settings = json!({"fields": {"a": "A", "b": "B b", "c": {"value": 1}}});
    let found = extract(settings, b"B b;A;X\n1;2;3\n\n\"x;\"\"y\"\"\";;\n4\n");
    assert_eq!(
        found.records,
        [
            json!({"a": "2", "b": "1", "c": 1, "reportName": "in"}),
            json!({"a": "", "b": "x;\"y\"", "c": 1, "reportName": "in"}),
            json!({"a": null, "b": "4", "c": 1, "reportName": "in"}),
        ]
    );
}

#[test]
fn columns_are_found_by_position() {
    let settings = json!({"header": false, "fields": {"a": 0, "b": 2}});
    let found = extract(settings, b"1,2,3\n\n4\n");
    assert_eq!(
        found.records,
        [
            json!({"a": "1", "b": "3", "reportName": "in"}),
            json!({"reportName": "in"}),
            json!({"a": "4", "reportName": "in"}),
        ]
    );
}

#[test]
fn a_missing_column_is_told_once() {
    let found = extract(json!({"fields": {"a": "nope"}}), b"a,b\n1,2\n3,4\n");
    assert!(found.records.is_empty() && found.bad.is_empty());
    assert_eq!(
        found.error.unwrap().to_string(),
        "line 1: there is no column `nope`"
    );
    let partial = json!({"partial": true, "fields": {"a": "nope"}});
    let found = extract(partial, b"a,b\n1,2\n");
    assert_eq!(found.records, [json!({"a": null, "reportName": "in"})]);
}

#[test]
fn other_encodings_are_named_or_detected() {
    let latin = b"id,n\n1,caf\xE9 \xE0 la cr\xE8me\n";
    let settings = |encoding: &str| json!({"encoding": encoding, "fields": {"id": "n"}});
    for encoding in ["detect", "windows-1252"] {
        assert_eq!(
            extract(settings(encoding), latin).ids(),
            [json!("café à la crème")]
        );
    }
    let error = extract(settings("utf-8"), latin).error.unwrap();
    assert!(error.reason.contains("this is no UTF-8"), "{error}");
    let marked = "\u{feff}id,n\n1,é\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes);
    assert_eq!(
        extract(settings("utf-8"), &marked.collect::<Vec<u8>>()).ids(),
        [json!("é")]
    );
}

#[test]
fn a_broken_record_keeps_its_line_and_text() {
    let settings = json!({"fields": {"id": "id"}, "convert": {"id": {"regex": "^[0-9]+$"}}});
    let found = extract(settings, b"id,x\n1,\"a\nb\"\nno,c\n3,d\n");
    assert_eq!(found.ids(), [json!("1"), json!("3")]);
    assert_eq!(found.bad[0].place, "line 4");
    assert_eq!(found.bad[0].raw, "no,c\n");
}
