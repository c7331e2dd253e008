use serde_json::{Value, json};

use crate::extract::testing::{Collected, extractor};
use crate::extract::workbook::testing::{file, workbook};

const SHARED: &[u8] = b"<sst uniqueCount=\"999999999999\"><si/><si><t>day</t></si>\
    <si><r><t>b</t></r><rPh><t>x</t></rPh><r><t xml:space=\"preserve\"> &lt;_x0041_</t></r></si></sst>";

fn extract(settings: Value, rows: &str) -> Collected {
    let file = file(&workbook(rows, SHARED));
    Collected::from(&*extractor("xlsx", &settings), file.path())
}

#[test]
fn cells_have_the_kinds_of_the_original() {
    let rows = r#"<row r="1"><c r="A1" t="s"><v>1</v></c><c t="s"><v>2</v></c><c r="E1" t="str"><v> e </v></c></row>
        <row><c s="1"><v>1</v></c><c><v>2</v></c><c t="b"><v>1</v></c><c t="e"><v>#DIV/0!</v></c></row>
        <row r="4"><c r="E4" t="inlineStr"><is><t>x</t></is></c><c r="A4" s="2"><v>0.25</v></c></row>"#;
    let settings =
        json!({"fields": {"id": "day", "b": "b <A", "c": 2, "d": 3, "e": "e", "k": {"value": 0}}});
    let found = extract(settings, rows);
    assert_eq!(
        found.records,
        [
            json!({"id": {"$datetime": "1904-01-02T00:00:00"}, "b": 2.0, "c": 1, "d": 7, "e": "", "k": 0, "reportName": "in"}),
            json!({"id": "", "b": "", "c": "", "d": "", "e": "", "k": 0, "reportName": "in"}),
            json!({"id": {"$datetime": "1904-01-01T06:00:00"}, "b": "", "c": "", "d": "", "e": "x", "k": 0, "reportName": "in"}),
        ]
    );
}

#[test]
fn an_expression_sees_the_row() {
    let rows = r#"<row><c t="s"><v>1</v></c></row><row><c><v>3</v></c></row>"#;
    let settings = json!({"fields": {"id": {"expr": "str(int(row['day']))"}}});
    assert_eq!(extract(settings, rows).ids(), [json!("3")]);
    let settings = json!({"header_rows": 0, "fields": {"id": {"expr": "row[0]"}}});
    assert_eq!(extract(settings, rows).ids(), [json!("day"), json!(3.0)]);
}

#[test]
fn what_is_missing_is_told_with_its_place() {
    let rows = r#"<row><c t="s"><v>1</v></c></row><row><c t="e"><v>#N/A</v></c></row>"#;
    for (settings, told) in [
        (
            json!({"fields": {"a": "nope"}}),
            "sheet `S`: there is no column `nope`",
        ),
        (
            json!({"fields": {"a": 7}}),
            "sheet `S`: there is no column 7, counted from 0",
        ),
        (
            json!({"sheet": "T", "fields": {"a": 0}}),
            "the whole file: there is no sheet `T`; there are `S`",
        ),
        (
            json!({"header_rows": 3, "fields": {"a": "day"}}),
            "sheet `S`: it has less than 3 header rows",
        ),
    ] {
        let found = extract(settings, rows);
        assert_eq!(found.error.unwrap().to_string(), told);
        assert!(found.records.is_empty());
    }
    let settings = json!({"fields": {"id": "day"}, "convert": {"id": "value[0]"}});
    let found = extract(settings, rows);
    assert_eq!(found.bad[0].place, "sheet `S`, row 2");
    assert_eq!(found.bad[0].raw, "error 42");
}

#[test]
fn a_broken_cell_is_told_with_its_place() {
    for (rows, told) in [
        (
            r#"<row r="2"><c r="B2"><v>x</v></c></row>"#,
            "part `xl/worksheets/s.xml`, cell B2: `x` is no number",
        ),
        (
            r#"<row><c t="s"><v>9</v></c></row>"#,
            "part `xl/worksheets/s.xml`, cell A1: it refers to a text that is not there",
        ),
    ] {
        let found = extract(json!({"fields": {"a": 0}}), rows);
        assert_eq!(found.error.unwrap().to_string(), told);
    }
}
