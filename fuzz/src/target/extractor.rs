//! Files for extractors.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{Cursor, Write};
use std::ops::ControlFlow;

use maas_collector::extract::{BadRecord, Extractor, ExtractorPlugin, Input, Origin, RecordSink};
use maas_model::document::Source;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{choice, says_something};

/// Settings beside the example of each extractor: what the example leaves out.
fn more_settings(name: &str) -> Vec<Value> {
    match name {
        "json" => vec![
            json!({ "records": "$.value", "partial": true, "fields": { "id": "$.Id",
                "cloud": "$.Attributes[?@.Name=='c'].Value", "all": "$..v",
                "made": { "expr": "get('Id') + '!'" } } }),
            json!({ "records": "$", "fields": { "row": { "expr": "record" } } }),
        ],
        "csv" => vec![
            json!({ "header": false, "fields": { "a": 0, "b": 1, "row": { "expr": "row" } } }),
            json!({ "fields": { "a": "a", "b": "b" } }),
        ],
        "xml" => vec![
            json!({ "records": "a/b", "fields": { "x": "x", "y": { "attr": "y" } } }),
            json!({ "fields": { "all": ".//x" } }),
        ],
        "xlsx" => vec![json!({ "header_rows": 0, "fields": { "row": { "expr": "row" } } })],
        "xlsx_columns" => vec![json!({ "header_field": "h", "cell_field": "c" })],
        "archive" => {
            vec![json!({ "extract": { "csv": { "header": false, "fields": { "a": 0 } } } })]
        }
        _ => Vec::new(),
    }
}

thread_local! {
    static MADE: RefCell<HashMap<String, Vec<Box<dyn Extractor>>>> = RefCell::default();
}

/// Extracts a file. The first byte chooses the settings, and whether the rest is the file or something in it.
pub(super) fn extract(name: &str, bytes: &[u8]) {
    let (number, content) = choice(bytes);
    let packed = match (name, number / 16 % 4) {
        ("xlsx" | "xlsx_columns" | "edrs_pass_status" | "anomaly_correlation", 1) => {
            workbook(content, b"<sst><si><t>text</t></si></sst>")
        }
        ("xlsx" | "xlsx_columns" | "edrs_pass_status" | "anomaly_correlation", 2) => {
            workbook(br#"<row r="1"><c r="A1" t="s"><v>0</v></c></row>"#, content)
        }
        ("archive", 1) => zipped(&[("a.csv", content)]),
        _ => content.to_vec(),
    };
    let Ok(file) = file(&packed) else { return };
    MADE.with_borrow_mut(|made| {
        let all = made
            .entry(name.to_owned())
            .or_insert_with(|| extractors(name));
        let Some(extractor) = all.get(number % all.len().max(1)) else {
            return;
        };
        let mut sink = Sink::default();
        let input = Input {
            path: file.path(),
            name: "input",
            folder: None,
        };
        if let Err(error) = extractor.extract(&input, &mut sink) {
            says_something(&error.place);
            says_something(&error.reason);
        }
    });
}

fn extractors(name: &str) -> Vec<Box<dyn Extractor>> {
    let Some(plugin) = ExtractorPlugin::find(name) else {
        return Vec::new();
    };
    let example = serde_yaml::from_str::<Value>(plugin.info().example).ok();
    let settings = example.into_iter().chain(more_settings(name));
    settings
        .map(|settings| match plugin.build(&settings) {
            Ok(extractor) => extractor,
            Err(errors) => unreachable!("settings of `{name}` for fuzzing: {errors:?}"),
        })
        .collect()
}

fn file(bytes: &[u8]) -> std::io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    file.write_all(bytes)?;
    Ok(file)
}

#[derive(Default)]
struct Sink {
    records: usize,
}

impl RecordSink for Sink {
    fn record(&mut self, record: Source, origin: &Origin<'_>) -> ControlFlow<()> {
        // Where a record comes from is made out for wrong ones only.
        if self.records.is_multiple_of(7) {
            judge(&origin.bad(None, "for trial"));
        }
        self.records += 1;
        drop(record);
        ControlFlow::Continue(())
    }

    fn bad(&mut self, bad: BadRecord) -> ControlFlow<()> {
        judge(&bad);
        ControlFlow::Continue(())
    }
}

fn judge(bad: &BadRecord) {
    says_something(&bad.place);
    says_something(&bad.reason);
    assert!(
        bad.raw.len() <= BadRecord::LONGEST * 3,
        "a record is kept whole"
    );
}

/// Files that are no text.
pub(super) fn seeds(name: &str) -> Vec<Vec<u8>> {
    let chosen = |number: u8, bytes: &[u8]| [&[number], bytes].concat();
    let rows = br#"<row r="1"><c r="A1" t="inlineStr"><is><t>day</t></is></c><c r="B1" t="s"><v>0</v></c></row>
        <row r="2"><c r="A2" s="1"><v>45000.5</v></c><c r="B2" t="b"><v>1</v></c><c t="e"><v>#N/A</v></c></row>"#;
    let texts = b"<sst><si><t>LINK SESSIONS DETAILS</t></si><si><r><t>a&amp;</t></r></si></sst>";
    match name {
        "xlsx" | "xlsx_columns" | "edrs_pass_status" | "anomaly_correlation" => vec![
            chosen(0, &workbook(rows, texts)),
            chosen(1, &workbook(rows, texts)),
            chosen(16, rows),
            chosen(17, rows),
            chosen(32, texts),
        ],
        "archive" => vec![
            chosen(1, &zipped(&[("a.csv", b"1,2\n3,4\n"), ("b/c.csv", b"5\n")])),
            chosen(17, b"1,2\n3,4\n"),
        ],
        _ => Vec::new(),
    }
}

/// Not compressed, so that changes reach what is in it.
fn zipped(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, bytes) in members {
        let started = zip.start_file(*name, options);
        if started.is_ok() {
            // Memory takes everything.
            let _ = zip.write_all(bytes);
        }
    }
    zip.finish().map(Cursor::into_inner).unwrap_or_default()
}

/// A workbook of one sheet.
fn workbook(rows: &[u8], texts: &[u8]) -> Vec<u8> {
    let sheet = [
        b"<worksheet><sheetData>",
        rows,
        b"</sheetData></worksheet>".as_slice(),
    ]
    .concat();
    zipped(&[
        (
            "xl/workbook.xml",
            br#"<workbook><sheets><sheet name="Passes" r:id="r1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            br#"<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>"#,
        ),
        ("xl/worksheets/sheet1.xml", &sheet),
        ("xl/sharedStrings.xml", texts),
        (
            "xl/styles.xml",
            br#"<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#,
        ),
    ])
}
