//! CSV files: settings and extractor.

mod decode;
mod dialect;
mod legacy;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;

use encoding_rs::{Encoding, UTF_8};
use indexmap::IndexMap;
use maas_model::document::Source;
use maas_model::plugin::{SettingError, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::convert::{Convert, Converters};
use super::field::{Expression, FieldError, wrong};
use super::{ExtractError, Extractor, ExtractorConfig, ExtractorPlugin, Input, Origin, RecordSink};
use decode::Decoded;
use dialect::Dialect;
use rows::{Row, Rows};

/// Reads a record from every row of CSV files, of any size in little memory.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CsvConfig {
    /// Whether the first line names the columns. Blank lines count only without a header.
    #[serde(default = "yes")]
    header: bool,
    /// Field by field: the name of a column, its position (from 0), or `value` or `expr`. A cell is always
    /// text; a field by position that a row is too short for is absent.
    #[schemars(with = "BTreeMap<String, CsvField>")]
    fields: IndexMap<String, CsvField>,
    /// Whether a field that cannot be had becomes null. Otherwise a missing column makes the file a broken one,
    /// and anything else costs the record.
    #[serde(default)]
    partial: bool,
    /// Applied to fields of the complete record, in this order.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Convert>")]
    convert: IndexMap<String, Convert>,
    /// `utf-8`, another name known to browsers (`windows-1252`), or `detect`. A byte order mark always wins.
    #[serde(default = "utf_8")]
    encoding: String,
    /// What separates cells; found out from the first line (`,` or `;`) when absent.
    #[serde(default)]
    delimiter: Option<char>,
    /// What quotes cells; found out from the first line (`"` or `'`) when absent.
    #[serde(default)]
    quote: Option<char>,
}

/// Where the value of a field comes from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CsvField {
    /// The name of a column.
    Column(String),
    /// The position of a column, from 0.
    Position(usize),
    /// One of `value`, `expr`.
    Detailed(CsvFieldSource),
}

/// Where the value of a field comes from: one of `value`, `expr`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CsvFieldSource {
    /// The same value in every record.
    #[serde(default)]
    value: Option<Value>,
    /// An expression over `row`: an object by column name, or a list of texts without a header.
    #[serde(default)]
    expr: Option<String>,
}

fn yes() -> bool {
    true
}

fn utf_8() -> String {
    "utf-8".into()
}

impl Settings for CsvConfig {
    const NAME: &'static str = "csv";
    const EXAMPLE: &'static str = "{ fields: { satellite: SatelliteID, duration: 'Duration[msec]', source: { value: MPS } } }";
}

inventory::submit! { ExtractorPlugin::of::<CsvConfig>(module_path!()) }

struct CsvExtractor {
    header: bool,
    fields: Vec<(String, FieldSource)>,
    converters: Converters,
    partial: bool,
    encoding: Option<&'static Encoding>,
    delimiter: Option<u8>,
    quote: Option<u8>,
    /// Whether a field is called like the one that is always set.
    makes_report_name: bool,
}

enum FieldSource {
    Column(String),
    Position(usize),
    Constant(Value),
    Expression(Expression),
}

impl From<Expression> for FieldSource {
    fn from(expression: Expression) -> Self {
        match expression.constant() {
            Some(value) => Self::Constant(value.clone()),
            None => Self::Expression(expression),
        }
    }
}

impl ExtractorConfig for CsvConfig {
    fn yields(&self) -> Option<Vec<String>> {
        Some(self.fields.keys().cloned().collect())
    }

    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>> {
        let mut errors = Vec::new();
        let mut fields = Vec::new();
        for (name, field) in self.fields {
            match field.compile(self.header, &format!("fields.{name}")) {
                Ok(source) => fields.push((name, source)),
                Err(error) => errors.push(error),
            }
        }
        let converters = Converters::compile(self.convert, self.partial, &mut errors);
        let encoding = match self.encoding.as_str() {
            "detect" => None,
            name => Some(Encoding::for_label(name.as_bytes()).unwrap_or_else(|| {
                errors.push(wrong("encoding", format!("`{name}` is no encoding")));
                UTF_8
            })),
        };
        let mut sign = |path: &str, sign: Option<char>| {
            sign.and_then(|sign| match u8::try_from(sign) {
                Ok(sign) if sign.is_ascii() && !matches!(sign, b'\r' | b'\n') => Some(sign),
                _ => {
                    errors.push(wrong(path, "one ASCII character is wanted"));
                    None
                }
            })
        };
        let delimiter = sign("delimiter", self.delimiter);
        let quote = sign("quote", self.quote);
        if !errors.is_empty() {
            return Err(errors);
        }
        let makes_report_name = fields.iter().any(|(field, _)| field == "reportName");
        Ok(Box::new(CsvExtractor {
            header: self.header,
            fields,
            makes_report_name,
            converters,
            partial: self.partial,
            encoding,
            delimiter,
            quote,
        }))
    }
}

impl CsvField {
    fn compile(self, header: bool, setting: &str) -> Result<FieldSource, SettingError> {
        match self {
            Self::Column(_) if !header => Err(wrong(
                setting,
                "without a header columns have positions, not names",
            )),
            Self::Column(name) => Ok(FieldSource::Column(name)),
            Self::Position(at) => Ok(FieldSource::Position(at)),
            Self::Detailed(CsvFieldSource {
                value: Some(value),
                expr: None,
            }) => Ok(FieldSource::Constant(value)),
            Self::Detailed(CsvFieldSource {
                value: None,
                expr: Some(text),
            }) => {
                Expression::parse(&text, "row", &format!("{setting}.expr")).map(FieldSource::from)
            }
            Self::Detailed(_) => Err(wrong(setting, "one of `value` and `expr` is wanted")),
        }
    }
}

/// Columns by name; the last of several of one name.
type Columns = HashMap<String, usize>;

/// What is the same for all rows of a file.
struct Layout {
    columns: Columns,
    /// The column of each field; `None` where it has none.
    places: Vec<Option<usize>>,
    /// A record with all fields. Filling in a copy is quicker than inserting one field after the other.
    template: Source,
}

impl CsvExtractor {
    fn layout(&self, columns: Columns, name: &str) -> Layout {
        let places = self.fields.iter().map(|(_, source)| match source {
            FieldSource::Column(column) => columns.get(column).copied(),
            FieldSource::Position(at) => Some(*at),
            FieldSource::Constant(_) | FieldSource::Expression(_) => None,
        });
        let places = places.collect();
        let fields = self.fields.iter().map(|(field, source)| match source {
            FieldSource::Constant(value) => (field.clone(), value.clone()),
            _ => (field.clone(), Value::Null),
        });
        let mut template: Source = fields.collect();
        template.insert("reportName".into(), name.into());
        Layout {
            columns,
            places,
            template,
        }
    }

    fn record(&self, row: &Row, layout: &Layout, name: &str) -> Result<Source, FieldError> {
        let mut record = layout.template.clone();
        let mut whole = None;
        let mut has_gaps = false;
        let fields = self.fields.iter().zip(&layout.places);
        for (((field, source), place), value) in fields.zip(record.values_mut()) {
            let cell = place.and_then(|at| row.cell(at));
            match source {
                FieldSource::Column(_) => *value = cell.map_or(Value::Null, Value::from),
                FieldSource::Position(_) => match cell {
                    Some(cell) => *value = cell.into(),
                    None => has_gaps = true,
                },
                FieldSource::Constant(_) => {}
                FieldSource::Expression(expression) => {
                    let row = whole.get_or_insert_with(|| self.whole(row, &layout.columns));
                    match expression.evaluate(row) {
                        Ok(made) => *value = made,
                        Err(_) if self.partial => {}
                        Err(reason) => return Err(FieldError::new(field, reason)),
                    }
                }
            }
        }
        if has_gaps {
            self.remove_gaps(row, &mut record);
        }
        if self.makes_report_name {
            record.insert("reportName".into(), name.into());
        }
        self.converters.apply(&mut record)?;
        Ok(record)
    }

    /// Removes the fields by position that the row is too short for.
    fn remove_gaps(&self, row: &Row, record: &mut Source) {
        for (field, source) in &self.fields {
            if matches!(source, FieldSource::Position(at) if *at >= row.len()) {
                record.shift_remove(field);
            }
        }
    }

    /// The row as an expression sees it.
    fn whole(&self, row: &Row, columns: &Columns) -> Value {
        if !self.header {
            return row.cells().collect();
        }
        let named = columns.iter().map(|(name, at)| {
            let cell = row.cell(*at).map_or(Value::Null, Value::from);
            (name.clone(), cell)
        });
        Value::Object(named.collect())
    }

    /// Reads the header: its columns, and its text. A column that is not there is missing in every row, so it is told once.
    fn columns<R: std::io::Read>(
        &self,
        rows: &mut Rows<R>,
    ) -> Result<Option<(Columns, String)>, ExtractError> {
        let Some(header) = rows.next()? else {
            return Ok(None);
        };
        let names = header.cells().enumerate();
        let columns = names.map(|(at, name)| (name.to_owned(), at)).collect();
        let head = String::from_utf8_lossy(&header.raw).into_owned();
        Ok(Some((columns, head)))
    }

    fn missing_column(&self, columns: &HashMap<String, usize>) -> Option<&str> {
        self.fields.iter().find_map(|(_, source)| match source {
            FieldSource::Column(name) if !columns.contains_key(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

impl Extractor for CsvExtractor {
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError> {
        let file = File::open(input.path).map_err(|error| ExtractError {
            place: "the whole file".into(),
            reason: error.to_string(),
        })?;
        let mut text = Decoded::new(file, self.encoding)?;
        let mut dialect = Dialect::sniff(&text.first_line()?);
        dialect.delimiter = self.delimiter.unwrap_or(dialect.delimiter);
        dialect.quote = self.quote.unwrap_or(dialect.quote);
        let mut rows = Rows::new(text, dialect);
        let (columns, head) = match self.header {
            true => match self.columns(&mut rows)? {
                Some((columns, head)) => (columns, Some(head)),
                None => return Ok(()),
            },
            false => (Columns::new(), None),
        };
        let missing = self.missing_column(&columns).filter(|_| !self.partial);
        let layout = self.layout(columns, input.name);
        while let Some(row) = rows.next()? {
            if self.header && row.len() == 0 {
                continue;
            }
            if let Some(name) = missing {
                return Err(ExtractError {
                    place: "line 1".into(),
                    reason: format!("there is no column `{name}`"),
                });
            }
            let place = || format!("line {}", row.line);
            let raw = || row.raw.clone();
            let origin = Origin::new(&place, &raw).under(head.as_deref());
            let taken = match self.record(row, &layout, input.name) {
                Ok(record) => sink.record(record, &origin),
                Err(error) => sink.bad(origin.bad(error.field, error.reason)),
            };
            if taken.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn alone(&self, raw: &str, head: Option<&str>) -> Option<Vec<u8>> {
        // Without its header, or the line by which the dialect was found, it would be read another way.
        if self.header != head.is_some() || (head.is_none() && self.delimiter.is_none()) {
            return None;
        }
        let text = format!(
            "{}\n{raw}",
            head.unwrap_or_default().trim_end_matches(['\r', '\n'])
        );
        let text = text.trim_start_matches('\n');
        let encoding = self.encoding.unwrap_or(UTF_8);
        if encoding.output_encoding() != encoding {
            return None;
        }
        let (bytes, _, lost) = encoding.encode(text);
        (!lost).then(|| bytes.into_owned())
    }
}
