//! Workbooks cell by cell: a record for every cell under its header. Settings and extractor.

mod legacy;

use std::collections::BTreeMap;

use indexmap::IndexMap;
use maas_model::document::Source;
use maas_model::plugin::{SettingError, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::convert::{Convert, Converters};
use super::field::FieldError;
use super::workbook::{Dates, Row, Workbook};
use super::xlsx::{Headers, SheetName, Sources, XlsxField, place};
use super::{ExtractError, Extractor, ExtractorConfig, ExtractorPlugin, Input, Origin, RecordSink};

/// Reads a record from every cell of a sheet of a workbook, with the header of its column.
///
/// Cells that are empty, zero or false give none. Kinds of cells and limits are those of `xlsx`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct XlsxColumnsConfig {
    /// The field that the header of the column goes to.
    header_field: String,
    /// The field that the cell goes to.
    cell_field: String,
    /// Which sheet: its name, or its position from 0.
    #[serde(default)]
    sheet: SheetName,
    /// How many rows stand above the first cells; the header of a column is made of them as in `xlsx`.
    #[serde(default = "one")]
    header_rows: usize,
    /// Further fields, from the row of the cell: as in `xlsx`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, XlsxField>")]
    fields: IndexMap<String, XlsxField>,
    /// Whether a field that cannot be had becomes null; otherwise its record is refused.
    #[serde(default)]
    partial: bool,
    /// Applied to fields of the complete record, in this order.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Convert>")]
    convert: IndexMap<String, Convert>,
    /// What days are counted from: `as_workbook` (1900 or 1904, as it says) or `from1900`, always.
    #[serde(default)]
    dates: Dates,
}

fn one() -> usize {
    1
}

impl Settings for XlsxColumnsConfig {
    const NAME: &'static str = "xlsx_columns";
    const EXAMPLE: &'static str =
        "{ header_field: country, cell_field: holiday, fields: { year: { value: 2024 } } }";
}

inventory::submit! { ExtractorPlugin::of::<XlsxColumnsConfig>(module_path!()) }

struct XlsxColumnsExtractor {
    header_field: String,
    cell_field: String,
    sheet: SheetName,
    header_rows: usize,
    sources: Sources,
    converters: Converters,
    partial: bool,
}

impl ExtractorConfig for XlsxColumnsConfig {
    fn yields(&self) -> Option<Vec<String>> {
        let own = [&self.header_field, &self.cell_field].into_iter();
        Some(own.chain(self.fields.keys()).cloned().collect())
    }

    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>> {
        let mut errors = Vec::new();
        let sources = Sources::compile(self.fields, self.dates, &mut errors);
        let converters = Converters::compile(self.convert, self.partial, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Box::new(XlsxColumnsExtractor {
            header_field: self.header_field,
            cell_field: self.cell_field,
            sheet: self.sheet,
            header_rows: self.header_rows,
            sources,
            converters,
            partial: self.partial,
        }))
    }
}

impl XlsxColumnsExtractor {
    fn record(
        &self,
        row: &Row<'_>,
        column: usize,
        headers: &Headers,
        name: &str,
    ) -> Result<Source, FieldError> {
        let dates = self.sources.dates();
        let cell = row.cell(column).value(dates);
        let cell = cell.map_err(|reason| FieldError::new(&self.cell_field, reason))?;
        let mut record = Source::new();
        record.insert(self.header_field.clone(), headers.name(column).clone());
        record.insert(self.cell_field.clone(), cell);
        record.extend(self.sources.record(row, headers, self.partial)?);
        record.insert("reportName".into(), Value::from(name));
        self.converters.apply(&mut record)?;
        Ok(record)
    }
}

impl Extractor for XlsxColumnsExtractor {
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError> {
        let sheet = Workbook::open(input.path)?.sheet(&self.sheet.id())?;
        let headers = Headers::read(&sheet, self.header_rows, self.sources.dates())?;
        for row in sheet.rows().skip(self.header_rows) {
            for column in row.filled() {
                let place = || format!("{}, column {column}", place(&sheet, &row));
                let raw = || row.raw();
                let origin = Origin::new(&place, &raw);
                let taken = match self.record(&row, column, &headers, input.name) {
                    Ok(record) => sink.record(record, &origin),
                    Err(error) => sink.bad(origin.bad(error.field, error.reason)),
                };
                if taken.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
