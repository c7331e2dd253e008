use std::io::Write;

use serde_json::json;

use super::*;
use crate::extract::testing::{Collected, extractor};

fn extract(settings: Value, text: &str) -> Collected {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    Collected::from(&*extractor("json", &settings), file.path())
}

#[test]
fn fields_are_paths_constants_and_defaults() {
    let settings = json!({
        "records": "$.value",
        "fields": {
            "id": "$.Id",
            "cloud": "$.Attributes[?@.Name=='cloud'].Value",
            "from": {"value": "PRIP"},
            "size": {"path": "$.Size", "default": 0},
        },
    });
    let text = r#"{"value": [
        {"Id": "a", "Attributes": [{"Name": "x", "Value": 0}, {"Name": "cloud", "Value": 7.5}], "Other": [[1]]},
        {"Id": "b", "Attributes": [{"Name": "cloud", "Value": 1}, {"Name": "cloud", "Value": 2}], "Size": 3}
    ]}"#;
    let found = extract(settings, text);
    assert_eq!(
        found.records,
        [
            json!({"reportName": "in", "id": "a", "cloud": 7.5, "from": "PRIP", "size": 0}),
            json!({"reportName": "in", "id": "b", "cloud": [1, 2], "from": "PRIP", "size": 3}),
        ]
    );
}

#[test]
fn a_broken_record_costs_itself_alone() {
    let settings = json!({"records": "$", "fields": {"id": "$.id"}});
    let found = extract(
        settings,
        "[{\"id\": 1},\n {\"id\": tru},\n {\"no\": 2},\n {\"id\": 4}]",
    );
    assert_eq!(found.ids(), [json!(1), json!(4)]);
    let bad: Vec<_> = found
        .bad
        .iter()
        .map(|bad| (bad.place.as_str(), bad.field.as_deref(), bad.raw.as_str()))
        .collect();
    assert_eq!(
        bad,
        [
            ("record 2, line 2", None, "{\"id\": tru}"),
            ("record 3, line 3", Some("id"), "{\"no\": 2}"),
        ]
    );
    assert!(found.error.is_none());
}

#[test]
fn records_before_the_damage_are_given() {
    let settings = json!({"records": "$.value", "fields": {"id": "$.id"}});
    let found = extract(settings, "{\"value\": [{\"id\": 1}, {\"id\": 2}, {\"id\"");
    assert_eq!(found.ids(), [json!(1), json!(2)]);
    let error = found.error.unwrap().to_string();
    assert_eq!(error, "line 1, column 39: the file ends inside a value");
}

#[test]
fn partial_makes_null_of_what_is_missing() {
    let settings = json!({
        "records": "$",
        "partial": true,
        "fields": {"id": "$.id", "x": "$.x.y"},
        "convert": {"x": {"regex": "[0-9]+"}},
    });
    let found = extract(settings, r#"[{"id": 1}, {"id": 2, "x": {"y": "n12"}}]"#);
    assert_eq!(
        found.records,
        [
            json!({"reportName": "in", "id": 1, "x": null}),
            json!({"reportName": "in", "id": 2, "x": "12"}),
        ]
    );
}

#[test]
fn the_whole_file_is_one_record_without_a_path() {
    let found = extract(json!({"fields": {"a": "$.a"}}), "\u{feff}{\"a\": [1, 2]}");
    assert_eq!(found.records, [json!({"reportName": "in", "a": [1, 2]})]);
}

#[test]
fn a_path_with_more_than_members_reads_the_file_whole() {
    let settings = json!({"records": "$.pages[1].items", "fields": {"a": "$.a"}});
    let text = r#"{"pages": [{"items": []}, {"items": [{"a": 1}, {}]}]}"#;
    let found = extract(settings, text);
    assert_eq!(found.records, [json!({"reportName": "in", "a": 1})]);
    assert_eq!(found.bad[0].place, "record 2");
}

#[test]
fn wrong_settings_are_all_told() {
    let settings = json!({
        "records": "value",
        "fields": {"a": "$.", "b": {"path": "$.b", "value": 1}, "c": {}},
        "convert": {"a": {"regex": "("}},
    });
    let plugin = ExtractorPlugin::find("json").unwrap();
    let paths: Vec<String> = (plugin.info().check)(&settings)
        .into_iter()
        .map(|error| error.path)
        .collect();
    assert_eq!(
        paths,
        [
            "records",
            "fields.a",
            "fields.b",
            "fields.c",
            "convert.a.regex"
        ]
    );
}

#[test]
fn the_settings_on_the_page_about_expressions_are_right() {
    let page = include_str!("../../../../docs/expressions.md");
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let mut settings: Value = serde_yaml::from_str(example).unwrap();
    settings["fields"]["satellite_id"] = json!("$.Satellite");
    settings["fields"]["start_date"] = json!("$.Start");
    settings["records"] = json!("$.value");
    let text = r#"{"value": [{ "Name": "S2A_OPER_MSI_L1C_DS_2APS", "GeoFootprint": 1, "AcquisitionID": "x",
        "Satellite": "SENTINEL-2A", "Start": "20240124T051505" }]}"#;
    let found = extract(settings, text);
    assert!(found.bad.is_empty(), "{:?}", found.bad);
    let record = &found.records[0];
    assert_eq!(record["footprint"], 1);
    assert_eq!(record["acquisition"], "x");
    assert_eq!(record["satellite_id"], "S2A");
    assert_eq!(record["start_date"]["$datetime"], "2024-01-24T05:15:05");
}
