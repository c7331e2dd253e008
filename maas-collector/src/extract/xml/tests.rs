use std::io::Write;

use serde_json::json;

use super::*;
use crate::extract::testing::{Collected, extractor};

fn extract(settings: Value, text: impl AsRef<[u8]>) -> Collected {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_ref()).unwrap();
    Collected::from(&*extractor("xml", &settings), file.path())
}

fn error_of(text: impl AsRef<[u8]>) -> String {
    let found = extract(json!({"fields": {"a": "."}}), text);
    found
        .error
        .map(|error| error.to_string())
        .unwrap_or_default()
}

#[test]
fn fields_are_texts_attributes_constants_and_expressions() {
    let settings = json!({
        "records": "list/item",
        "fields": {
            "name": "name",
            "id": {"attr": "id"},
            "unit": {"path": "size", "attr": "unit"},
            "tags": {"path": "tags/tag", "all": true},
            "note": {"path": "note", "null_when_empty": true},
            "size": {"path": "size", "default": 0},
            "source": {"value": "MPS"},
            "first": {"expr": "record['tags']['tag'][0] + record['@id']"},
        },
        "partial": true,
        "convert": {"size": "int(value)", "unit": "value.upper()"},
    });
    let text = "<r><list><item id='1'><name>a &lt;b</name><size unit='mb'>7</size><note/>\
        <tags><tag>x</tag><tag>y</tag></tags></item><item id='2'/></list></r>";
    let found = extract(settings, text);
    assert_eq!(
        found.records,
        [
            json!({"reportName": "in", "name": "a <b", "id": "1", "unit": "MB", "tags": ["x", "y"],
                "note": null, "size": 7, "source": "MPS", "first": "x1"}),
            json!({"reportName": "in", "name": null, "id": "2", "unit": null, "tags": [],
                "note": null, "size": 0, "source": "MPS", "first": null}),
        ]
    );
}

#[test]
fn a_bad_record_costs_itself_alone() {
    let settings = json!({"records": ".//i", "fields": {"id": {"attr": "id"}}});
    let found = extract(
        settings,
        "<r>\n<i id='1'/>\n<i n='2'>x</i><x><i id='3'/></x></r>",
    );
    assert_eq!(found.ids(), [json!("1"), json!("3")]);
    let bad = &found.bad[0];
    assert_eq!(
        (bad.place.as_str(), bad.field.as_deref(), bad.raw.as_str()),
        ("record 2, line 3", Some("id"), "<i n='2'>x</i>")
    );
    assert_eq!(bad.reason, "`. @id` leads to nothing");
}

#[test]
fn records_in_records_come_in_the_order_of_the_file() {
    let text = "<r><i id='1'><i id='2'/><x><i id='3'/></x></i><i id='4'/></r>";
    for path in [".//i", "./*/.././/i"] {
        let found = extract(
            json!({"records": path, "fields": {"id": {"attr": "id"}}}),
            text,
        );
        assert_eq!(found.ids(), ["1", "2", "3", "4"].map(Value::from), "{path}");
    }
    let settings = json!({"records": ".//i[@id!='2']", "fields": {"id": {"attr": "id"}}});
    assert_eq!(
        extract(settings, text).ids(),
        ["1", "3", "4"].map(Value::from)
    );
}

#[test]
fn names_have_the_namespaces_that_hold() {
    let settings = json!({
        "records": "item",
        "namespaces": {"": "urn:a", "p": "urn:b"},
        "fields": {"id": "x", "b": {"path": "p:x", "attr": "p:k"}, "any": "{*}y"},
        "partial": true,
    });
    let text = "<r xmlns='urn:a'><item><x>1</x><q:x xmlns:q='urn:b' q:k='2' k='3'/><y xmlns=''>4</y></item></r>";
    let found = extract(settings, text);
    assert_eq!(
        found.records,
        [json!({"reportName": "in", "id": "1", "b": "2", "any": "4"})]
    );
}

#[test]
fn records_before_the_damage_are_given() {
    let settings = json!({"records": "i", "fields": {"id": "."}});
    let found = extract(settings, "<r><i>1</i>\n<i>2</i><i></r>");
    assert_eq!(found.ids(), [json!("1"), json!("2")]);
    let error = found.error.unwrap().to_string();
    assert!(error.starts_with("line 2: "), "{error}");
}

#[test]
fn what_is_no_xml_is_told() {
    for (text, expected) in [
        ("", "holds no element"),
        ("text", "stands outside"),
        (" <?xml version='1.0'?><a/>", "very beginning"),
        ("<a/><b/>", "a second element"),
        ("<a/>x", "stands outside"),
        ("<a", "not closed"),
        ("<a>", "ends inside an element"),
        ("<a></b>", "b"),
        ("</a>", "a"),
        ("<a>&nope;</a>", "`nope` is not declared"),
        ("<a>&amp</a>", ""),
        ("<a b='1' b='2'/>", "duplicated"),
        ("<a b=1/>", "enclosed"),
        ("<a>]]></a>", "`]]>` stands"),
        ("<a><!-- -- --></a>", "--"),
        ("<p:a/>", "prefix `p` is not declared"),
        ("<1a/>", "`1a` is no name"),
        ("<a>\u{0}</a>", "0x00"),
    ] {
        let error = error_of(text);
        assert!(
            error.contains(expected) && !error.is_empty(),
            "{text}: {error}"
        );
    }
}

#[test]
fn what_would_fill_the_memory_is_refused() {
    let deep = "<a>".repeat(2000);
    assert!(error_of(deep).contains("deeper than 1024"));
    let many: String = (0..2000).map(|n| format!(" a{n}=''")).collect();
    assert!(error_of(format!("<a{many}/>")).contains("1024 attributes"));
    let long = "x".repeat(17 << 20);
    assert!(error_of(format!("<a b='{long}'/>")).contains("16 MiB"));
    let name = "long_".repeat(200);
    let names: String = (0..5000).map(|n| format!("<{name}{n}/>")).collect();
    assert!(error_of(format!("<a>{names}</a>")).contains("names together"));
}

#[test]
fn wrong_settings_are_all_told() {
    let settings = json!({
        "records": "/r",
        "fields": {"a": "b[", "b": {"path": "b", "value": 1}, "c": {}, "d": {"path": "x:y"}, "e": {"attr": "a/b"}},
        "convert": {"a": {"regex": "("}, "z": "value"},
    });
    let plugin = ExtractorPlugin::find("xml").unwrap();
    let paths: Vec<String> = (plugin.info().check)(&settings)
        .into_iter()
        .map(|error| error.path)
        .collect();
    assert_eq!(
        paths,
        [
            "records",
            "fields.a",
            "convert.a.regex",
            "fields.b",
            "fields.c",
            "fields.d.path",
            "fields.e.attr",
            "convert.z"
        ]
    );
}
