//! Where the fields of a record come from: columns by name or position, constants, expressions.

use std::collections::HashMap;

use indexmap::IndexMap;
use maas_model::document::Source;
use maas_model::plugin::SettingError;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::extract::ExtractError;
use crate::extract::field::{Expression, FieldError, wrong};
use crate::extract::workbook::{Dates, Row, Sheet};

/// Where the value of a field comes from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum XlsxField {
    /// The name of a column.
    Column(String),
    /// The position of a column, from 0.
    Position(usize),
    /// One of `value`, `expr`.
    Detailed(XlsxFieldSource),
}

/// Where the value of a field comes from: one of `value`, `expr`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct XlsxFieldSource {
    /// The same value in every record.
    #[serde(default)]
    value: Option<Value>,
    /// An expression over `row`: an object by column name, or a list of cells without header rows.
    #[serde(default)]
    expr: Option<String>,
}

/// The fields of a record.
pub(in crate::extract) struct Sources {
    fields: Vec<(String, FieldSource)>,
    dates: Dates,
}

enum FieldSource {
    Column(String),
    Position(usize),
    Constant(Value),
    Expression(Expression),
    /// A lambda of an old configuration: over the list of cells, and what it fails at is never null.
    Lambda(Expression),
}

/// The columns of a sheet by name.
#[derive(Debug, Default)]
pub(in crate::extract) struct Headers {
    /// The last of several of one name.
    columns: HashMap<String, usize>,
    /// One for each column.
    names: Vec<Value>,
}

impl XlsxField {
    fn compile(self, setting: &str) -> Result<FieldSource, SettingError> {
        match self {
            Self::Column(name) => Ok(FieldSource::Column(name)),
            Self::Position(at) => Ok(FieldSource::Position(at)),
            Self::Detailed(XlsxFieldSource {
                value: Some(value),
                expr: None,
            }) => Ok(FieldSource::Constant(value)),
            Self::Detailed(XlsxFieldSource {
                value: None,
                expr: Some(text),
            }) => expression(&text, &format!("{setting}.expr")),
            Self::Detailed(_) => Err(wrong(setting, "one of `value` and `expr` is wanted")),
        }
    }
}

fn expression(text: &str, setting: &str) -> Result<FieldSource, SettingError> {
    let expression = Expression::parse(text, "row", setting)?;
    Ok(match expression.constant() {
        Some(value) => FieldSource::Constant(value.clone()),
        None if text.trim_start().starts_with("lambda") => FieldSource::Lambda(expression),
        None => FieldSource::Expression(expression),
    })
}

impl Sources {
    /// Compiles all; what is wrong is added to `errors`.
    pub(in crate::extract) fn compile(
        settings: IndexMap<String, XlsxField>,
        dates: Dates,
        errors: &mut Vec<SettingError>,
    ) -> Self {
        let mut fields = Vec::new();
        for (name, field) in settings {
            match field.compile(&format!("fields.{name}")) {
                Ok(source) => fields.push((name, source)),
                Err(error) => errors.push(error),
            }
        }
        Self { fields, dates }
    }

    /// What days are counted from.
    pub(in crate::extract) fn dates(&self) -> Dates {
        self.dates
    }

    /// Whether any field looks at the names of columns.
    pub(in crate::extract) fn want_headers(&self) -> bool {
        let mut sources = self.fields.iter().map(|(_, source)| source);
        sources.any(|source| matches!(source, FieldSource::Column(_) | FieldSource::Expression(_)))
    }

    /// A column that no row has, as an error names it.
    pub(in crate::extract) fn missing(&self, headers: &Headers, width: usize) -> Option<String> {
        self.fields.iter().find_map(|(_, source)| match source {
            FieldSource::Column(name) if !headers.columns.contains_key(name) => {
                Some(format!("`{name}`"))
            }
            FieldSource::Position(at) if *at >= width => Some(format!("{at}, counted from 0")),
            _ => None,
        })
    }

    /// The fields of a row. `partial`: what cannot be had is null.
    pub(in crate::extract) fn record(
        &self,
        row: &Row<'_>,
        headers: &Headers,
        partial: bool,
    ) -> Result<Source, FieldError> {
        let mut record = Source::with_capacity(self.fields.len() + 2);
        for (field, source) in &self.fields {
            let value = match self.value(source, row, headers) {
                Ok(value) => value,
                Err(_) if partial && !matches!(source, FieldSource::Lambda(_)) => Value::Null,
                Err(reason) => return Err(FieldError::new(field, reason)),
            };
            record.insert(field.clone(), value);
        }
        Ok(record)
    }

    fn value(
        &self,
        source: &FieldSource,
        row: &Row<'_>,
        headers: &Headers,
    ) -> Result<Value, String> {
        match source {
            FieldSource::Column(name) => match headers.columns.get(name) {
                Some(at) => row.cell(*at).value(self.dates),
                None => Err("the column is missing".into()),
            },
            FieldSource::Position(at) if *at >= row.width() => Err("the column is missing".into()),
            FieldSource::Position(at) => row.cell(*at).value(self.dates),
            FieldSource::Constant(value) => Ok(value.clone()),
            FieldSource::Expression(expression) if headers.names.is_empty() => {
                expression.evaluate(&self.list(row)?)
            }
            FieldSource::Expression(expression) => expression.evaluate(&self.object(row, headers)?),
            FieldSource::Lambda(expression) => expression.evaluate(&self.list(row)?),
        }
    }

    fn list(&self, row: &Row<'_>) -> Result<Value, String> {
        let cells = row.cells().map(|cell| cell.value(self.dates));
        cells.collect::<Result<Vec<_>, _>>().map(Value::Array)
    }

    fn object(&self, row: &Row<'_>, headers: &Headers) -> Result<Value, String> {
        let cells = headers.columns.iter().map(|(name, at)| {
            let value = row.cell(*at).value(self.dates)?;
            Ok((name.clone(), value))
        });
        cells.collect::<Result<Map<_, _>, _>>().map(Value::Object)
    }
}

impl Headers {
    /// Reads the names of the columns from the first `rows` rows of a sheet.
    pub(in crate::extract) fn read(
        sheet: &Sheet,
        rows: usize,
        dates: Dates,
    ) -> Result<Self, ExtractError> {
        let wrong = |reason| ExtractError {
            place: format!("sheet `{}`", sheet.name()),
            reason,
        };
        if sheet.height() < rows {
            return Err(wrong(format!("it has less than {rows} header rows")));
        }
        let above: Vec<Row<'_>> = sheet.rows().take(rows).collect();
        let mut headers = Self::default();
        for column in 0..sheet.width() {
            let name = match above.as_slice() {
                [] => break,
                [row] => row.cell(column).value(dates).map_err(wrong)?,
                [first, others @ ..] => {
                    let joined = joined(first, others, column);
                    joined
                        .map(Value::from)
                        .ok_or_else(|| wrong(format!("a header of column {column} is no text")))?
                }
            };
            if let Value::String(name) = &name {
                headers.columns.insert(name.clone(), column);
            }
            headers.names.push(name);
        }
        Ok(headers)
    }

    /// The header of a column.
    pub(in crate::extract) fn name(&self, column: usize) -> &Value {
        self.names.get(column).unwrap_or(&Value::Null)
    }
}

/// The header of a column from several rows. An empty one in the first row leaves its blank; others that
/// are empty leave nothing.
fn joined(first: &Row<'_>, others: &[Row<'_>], column: usize) -> Option<String> {
    let mut name = first.cell(column).text()?.to_owned();
    for row in others {
        let cell = row.cell(column);
        if cell.is_something() {
            name.push(' ');
            name.push_str(cell.text()?);
        }
    }
    Some(name)
}
