//! Anomaly impact workbooks: settings and extractor.

use maas_model::document::Source;
use maas_model::plugin::{SettingError, Settings, Translation};
use md5::{Digest, Md5};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::legacy::{Arguments, old_class};
use super::workbook::{Cell, Dates, Row, Sheet, SheetId, Workbook};
use super::{ExtractError, Extractor, ExtractorConfig, ExtractorPlugin, Input, Origin, RecordSink};

/// Reads anomaly impact workbooks: one record for each.
///
/// Behind the cover: a sheet with the issue, its origin and its description in `B3` to `B5`, and one each for
/// datatakes, passes (four columns) and products from the third row on. `correlation_id` is a digest of
/// the record, so that the same workbook always has the same one.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnomalyCorrelationConfig {}

impl Settings for AnomalyCorrelationConfig {
    const NAME: &'static str = "anomaly_correlation";
    const EXAMPLE: &'static str = "{}";
}

inventory::submit! { ExtractorPlugin::of::<AnomalyCorrelationConfig>(module_path!()) }
inventory::submit! { old_class("AnomalyCorrelationExtractor", translate) }

fn translate(old: &Value) -> Result<Translation, Vec<SettingError>> {
    let mut arguments = Arguments::of(old);
    arguments.ignore(&["converter_map", "allow_partial"]);
    arguments.finish("anomaly_correlation")
}

/// Texts of the sheet behind the cover: field and row; column B.
const TEXTS: [(&str, usize); 3] = [("cams_issue", 2), ("origin", 3), ("description", 4)];
/// Lists of the sheets behind it: field, sheet, number of columns.
const LISTS: [(&str, usize, usize); 3] = [
    ("datatake_ids", 2, 1),
    ("acquisition_pass", 3, 4),
    ("products", 4, 1),
];
/// Rows above the entries of a list.
const HEADER_ROWS: usize = 2;

impl ExtractorConfig for AnomalyCorrelationConfig {
    fn yields(&self) -> Option<Vec<String>> {
        let texts = TEXTS.iter().map(|(field, _)| *field);
        let lists = LISTS.iter().map(|(field, ..)| *field);
        let all = texts.chain(lists).chain(["correlation_id"]);
        Some(all.map(str::to_owned).collect())
    }

    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>> {
        Ok(Box::new(AnomalyCorrelationExtractor))
    }
}

struct AnomalyCorrelationExtractor;

impl Extractor for AnomalyCorrelationExtractor {
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError> {
        let mut workbook = Workbook::open(input.path)?;
        let mut record = Source::new();
        let sheet = workbook.sheet(&SheetId::Position(1))?;
        for (field, row) in TEXTS {
            record.insert(field.into(), text(&sheet, row)?);
        }
        for (field, position, columns) in LISTS {
            let sheet = workbook.sheet(&SheetId::Position(position))?;
            record.insert(field.into(), entries(&sheet, columns)?);
        }
        record.insert("reportName".into(), input.name.into());
        let digest = Md5::digest(Value::Object(record.clone()).to_string());
        record.insert("correlation_id".into(), hex::encode(digest).into());
        let place = || "the whole file".to_owned();
        let raw = || Value::Object(record.clone()).to_string().into_bytes();
        let _ = sink.record(record.clone(), &Origin::new(&place, &raw));
        Ok(())
    }
}

/// The text in column B of a row.
fn text(sheet: &Sheet, row: usize) -> Result<Value, ExtractError> {
    let found = sheet.rows().nth(row).filter(|row| row.width() > 1);
    let text = found.and_then(|row| row.cell(1).text());
    let text = text.ok_or_else(|| ExtractError {
        place: format!("sheet `{}`, cell B{}", sheet.name(), row + 1),
        reason: "there is no text".into(),
    })?;
    Ok(text.trim().into())
}

/// The entries of a list; none when the sheet has too few columns.
fn entries(sheet: &Sheet, columns: usize) -> Result<Value, ExtractError> {
    if sheet.width() < columns {
        return Ok(Value::Array(Vec::new()));
    }
    let rows = sheet.rows().skip(HEADER_ROWS);
    let filled = rows.filter(|row| (0..columns).any(|at| row.cell(at).is_something()));
    let entries = filled.map(|row| {
        let entry = match columns {
            1 => value(row.cell(0)),
            columns => list(&row, columns),
        };
        entry.map_err(|reason| ExtractError {
            place: format!("sheet `{}`, row {}", sheet.name(), row.number() + 1),
            reason,
        })
    });
    entries.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn list(row: &Row<'_>, columns: usize) -> Result<Value, String> {
    let values = (0..columns).map(|at| value(row.cell(at)));
    values.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn value(cell: Cell<'_>) -> Result<Value, String> {
    match cell.text() {
        Some(text) => Ok(text.trim().into()),
        None => cell.value(Dates::AsWorkbook),
    }
}
