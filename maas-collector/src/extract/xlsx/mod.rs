//! Workbooks row by row: settings and extractor.

pub(super) mod legacy;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use indexmap::IndexMap;
use maas_model::document::Source;
use maas_model::plugin::{SettingError, Settings};
use schemars::JsonSchema;
use serde::Deserialize;

use super::convert::{Convert, Converters};
use super::field::FieldError;
pub use super::workbook::Dates;
use super::workbook::{Row, Sheet, SheetId, Workbook};
use super::{ExtractError, Extractor, ExtractorConfig, ExtractorPlugin, Input, Origin, RecordSink};
pub(super) use source::{Headers, Sources};
pub use source::{XlsxField, XlsxFieldSource};

/// Reads a record from every row of a sheet of a workbook: `.xlsx` or old `.xls`, told apart by content.
///
/// A number is never a whole one (`141.0`), a date is a date when its number format shows one, true and
/// false are 1 and 0, an error is its code (7 for `#DIV/0!`), a formula its value when it was saved. Every
/// row has all columns of the sheet; cells without content are empty texts. At most 64 MiB of file, 512 MiB
/// of it unpacked, 4000000 cells and 64 MiB of text.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct XlsxConfig {
    /// Which sheet: its name, or its position from 0.
    #[serde(default)]
    sheet: SheetName,
    /// How many rows stand above the first record. The name of a column is the texts of its cells in these
    /// rows, with a blank between them: `Group A` above an empty cell and `b2` is `Group A b2`.
    #[serde(default = "one")]
    header_rows: usize,
    /// Field by field: the name of a column, its position (from 0), or `value` or `expr`.
    #[schemars(with = "BTreeMap<String, XlsxField>")]
    fields: IndexMap<String, XlsxField>,
    /// Whether a field that cannot be had becomes null. Otherwise a missing column makes the file a broken one,
    /// and anything else costs the record.
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

/// Which sheet of a workbook.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum SheetName {
    /// By position, from 0.
    Position(usize),
    /// By name.
    Name(String),
}

impl Default for SheetName {
    fn default() -> Self {
        Self::Position(0)
    }
}

impl SheetName {
    pub(super) fn id(&self) -> SheetId<'_> {
        match self {
            Self::Position(position) => SheetId::Position(*position),
            Self::Name(name) => SheetId::Name(name),
        }
    }
}

fn one() -> usize {
    1
}

impl Settings for XlsxConfig {
    const NAME: &'static str = "xlsx";
    const EXAMPLE: &'static str = "{ sheet: Passes, header_rows: 2, fields: { satellite: Satellite, orbit: 4, source: { value: INU } }, convert: { orbit: str(int(value)) } }";
}

inventory::submit! { ExtractorPlugin::of::<XlsxConfig>(module_path!()) }

struct XlsxExtractor {
    sheet: SheetName,
    header_rows: usize,
    sources: Sources,
    converters: Converters,
    partial: bool,
}

impl ExtractorConfig for XlsxConfig {
    fn yields(&self) -> Option<Vec<String>> {
        Some(self.fields.keys().cloned().collect())
    }

    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>> {
        let mut errors = Vec::new();
        let sources = Sources::compile(self.fields, self.dates, &mut errors);
        let converters = Converters::compile(self.convert, self.partial, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Box::new(XlsxExtractor {
            sheet: self.sheet,
            header_rows: self.header_rows,
            sources,
            converters,
            partial: self.partial,
        }))
    }
}

impl XlsxExtractor {
    fn record(&self, row: &Row<'_>, headers: &Headers, name: &str) -> Result<Source, FieldError> {
        let mut record = self.sources.record(row, headers, self.partial)?;
        record.insert("reportName".into(), name.into());
        self.converters.apply(&mut record)?;
        Ok(record)
    }

    /// A column that is not there is missing in every row, so it is told once.
    fn missing_column(&self, sheet: &Sheet, headers: &Headers) -> Result<(), ExtractError> {
        match self.sources.missing(headers, sheet.width()) {
            Some(column) if !self.partial && sheet.height() > self.header_rows => {
                Err(ExtractError {
                    place: format!("sheet `{}`", sheet.name()),
                    reason: format!("there is no column {column}"),
                })
            }
            _ => Ok(()),
        }
    }
}

impl Extractor for XlsxExtractor {
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError> {
        let sheet = Workbook::open(input.path)?.sheet(&self.sheet.id())?;
        let headers = match self.sources.want_headers() {
            true => Headers::read(&sheet, self.header_rows, self.sources.dates())?,
            false => Headers::default(),
        };
        self.missing_column(&sheet, &headers)?;
        for row in sheet.rows().skip(self.header_rows) {
            let place = || place(&sheet, &row);
            let raw = || row.raw();
            let origin = Origin::new(&place, &raw);
            let taken = match self.record(&row, &headers, input.name) {
                Ok(record) => sink.record(record, &origin),
                Err(error) => sink.bad(origin.bad(error.field, error.reason)),
            };
            if taken.is_break() {
                break;
            }
        }
        Ok(())
    }
}

/// Where a record comes from, in words of the workbook.
pub(super) fn place(sheet: &Sheet, row: &Row<'_>) -> String {
    format!("sheet `{}`, row {}", sheet.name(), row.number() + 1)
}
