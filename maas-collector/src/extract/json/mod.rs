//! JSON files: settings and extractor.

mod elements;
mod legacy;
pub mod path;
mod projection;
#[cfg(test)]
mod tests;
mod weight;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;

use indexmap::IndexMap;
use maas_model::document::Source;
use maas_model::plugin::{SettingError, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::convert::{Convert, Converters};
use super::field::{Expression, FieldError, wrong};
use super::{ExtractError, Extractor, ExtractorConfig, ExtractorPlugin, Input, Origin, RecordSink};
use elements::Elements;
use path::JsonPath;
use projection::Projection;

/// Largest file that is read as one: without `records`, or with a path that is more than member names.
const LARGEST_WHOLE_FILE: u64 = 64 << 20;
/// What is read from the file at a time.
const WINDOW: usize = 256 << 10;

/// Reads records from JSON files.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JsonConfig {
    /// JSONPath of the list of records. Member names alone (`$.value`) let files of any size pass in
    /// little memory. Without it the whole file is one record.
    #[serde(default)]
    records: Option<String>,
    /// Field by field: a JSONPath within the record, or `path`, `value` or `expr`. A path that leads to
    /// several values gives a list.
    #[schemars(with = "BTreeMap<String, JsonField>")]
    fields: IndexMap<String, JsonField>,
    /// Whether a field that cannot be had becomes null; otherwise its record is refused.
    #[serde(default)]
    partial: bool,
    /// Applied to fields of the complete record, in this order.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Convert>")]
    convert: IndexMap<String, Convert>,
}

/// Where the value of a field comes from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum JsonField {
    /// A JSONPath within the record: `$.Id`.
    Path(String),
    /// One of `path`, `value`, `expr`.
    Detailed(JsonFieldSource),
}

/// Where the value of a field comes from: one of `path`, `value`, `expr`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JsonFieldSource {
    /// A JSONPath within the record.
    #[serde(default)]
    path: Option<String>,
    /// What the field becomes when the path leads to nothing.
    #[serde(default)]
    default: Option<Value>,
    /// The same value in every record.
    #[serde(default)]
    value: Option<Value>,
    /// An expression over `record`.
    #[serde(default)]
    expr: Option<String>,
}

impl Settings for JsonConfig {
    const NAME: &'static str = "json";
    const EXAMPLE: &'static str =
        "{ records: $.value, fields: { product_id: $.Id, interface_name: { value: PRIP_S1A } } }";
}

inventory::submit! { ExtractorPlugin::of::<JsonConfig>(module_path!()) }

struct JsonExtractor {
    records: Option<JsonPath>,
    fields: Vec<(String, FieldSource)>,
    converters: Converters,
    partial: bool,
    projection: Projection,
}

enum FieldSource {
    Path(JsonPath, Option<Value>),
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

impl ExtractorConfig for JsonConfig {
    fn yields(&self) -> Option<Vec<String>> {
        Some(self.fields.keys().cloned().collect())
    }

    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>> {
        let mut errors = Vec::new();
        let records = self.records.and_then(|text| {
            JsonPath::parse(&text)
                .map_err(|error| errors.push(wrong("records", error)))
                .ok()
        });
        let mut fields = Vec::new();
        for (name, field) in self.fields {
            match field.compile(&format!("fields.{name}")) {
                Ok(source) => fields.push((name, source)),
                Err(error) => errors.push(error),
            }
        }
        let converters = Converters::compile(self.convert, self.partial, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let projection = Projection::of(fields.iter().map(|(_, source)| source.roots()));
        Ok(Box::new(JsonExtractor {
            records,
            fields,
            converters,
            partial: self.partial,
            projection,
        }))
    }
}

impl JsonField {
    fn compile(self, setting: &str) -> Result<FieldSource, SettingError> {
        let parse = |text: &str, setting: &str| {
            JsonPath::parse(text).map_err(|error| wrong(setting, error))
        };
        match self {
            Self::Path(text) => Ok(FieldSource::Path(parse(&text, setting)?, None)),
            Self::Detailed(JsonFieldSource {
                path: Some(text),
                default,
                value: None,
                expr: None,
            }) => Ok(FieldSource::Path(
                parse(&text, &format!("{setting}.path"))?,
                default,
            )),
            Self::Detailed(JsonFieldSource {
                path: None,
                default: None,
                value: Some(value),
                expr: None,
            }) => Ok(FieldSource::Constant(value)),
            Self::Detailed(JsonFieldSource {
                path: None,
                default: None,
                value: None,
                expr: Some(text),
            }) => Expression::parse(&text, "record", &format!("{setting}.expr"))
                .map(FieldSource::from),
            Self::Detailed(_) => Err(wrong(
                setting,
                "one of `path` (with or without `default`), `value` and `expr` is wanted",
            )),
        }
    }
}

impl FieldSource {
    /// The members of a record that it reads; `None`: any.
    fn roots(&self) -> Option<Vec<&str>> {
        match self {
            Self::Path(path, _) => path.roots(),
            Self::Constant(_) => Some(Vec::new()),
            Self::Expression(_) => None,
        }
    }

    fn value(&self, node: &Value) -> Result<Value, String> {
        match self {
            Self::Path(path, default) => path
                .value(node)?
                .or_else(|| default.clone())
                .ok_or_else(|| format!("`{}` leads to nothing", path.as_str())),
            Self::Constant(value) => Ok(value.clone()),
            Self::Expression(expression) => expression.evaluate(node),
        }
    }
}

impl JsonExtractor {
    fn record(&self, node: &Value, name: &str) -> Result<Source, FieldError> {
        let mut record = Source::with_capacity(self.fields.len() + 2);
        record.insert("reportName".into(), name.into());
        for (field, source) in &self.fields {
            let value = match source.value(node) {
                Ok(value) => value,
                Err(_) if self.partial => Value::Null,
                Err(reason) => return Err(FieldError::new(field, reason)),
            };
            record.insert(field.clone(), value);
        }
        self.converters.apply(&mut record)?;
        Ok(record)
    }

    /// Gives one record, or what is wrong with it, to the sink.
    fn give(
        &self,
        node: Result<&Value, String>,
        origin: &Origin<'_>,
        input: &Input<'_>,
        sink: &mut dyn RecordSink,
    ) -> ControlFlow<()> {
        let made = node
            .map_err(FieldError::whole)
            .and_then(|node| self.record(node, input.name));
        match made {
            Ok(record) => sink.record(record, origin),
            Err(error) => sink.bad(origin.bad(error.field, error.reason)),
        }
    }

    fn stream(
        &self,
        file: File,
        members: &[&str],
        input: &Input<'_>,
        sink: &mut dyn RecordSink,
    ) -> Result<(), ExtractError> {
        let members: Vec<String> = members.iter().map(|name| (*name).to_owned()).collect();
        let reader = BufReader::with_capacity(WINDOW, file);
        let mut elements = Elements::find(reader, &members)?;
        let mut number = 0_u64;
        while let Some((text, line)) = elements.next()? {
            number += 1;
            let node = weight::check(text).and_then(|()| {
                let read = self.projection.read(text);
                read.map_err(|error| error.to_string())
            });
            let node = node.as_ref().map_err(Clone::clone);
            let place = || format!("record {number}, line {line}");
            let raw = || text.to_vec();
            if self
                .give(node, &Origin::new(&place, &raw), input, sink)
                .is_break()
            {
                return Ok(());
            }
        }
        Ok(())
    }

    fn whole(
        &self,
        file: File,
        input: &Input<'_>,
        sink: &mut dyn RecordSink,
    ) -> Result<(), ExtractError> {
        let root = read_whole(file)?;
        let Some(path) = &self.records else {
            let raw = || serde_json::to_vec(&root).unwrap_or_default();
            let place = || "record 1".to_owned();
            let _ = self.give(Ok(&root), &Origin::new(&place, &raw), input, sink);
            return Ok(());
        };
        let nodes = match path.find(&root).first() {
            Some(Value::Array(nodes)) => nodes,
            Some(_) => return Err(damage(format!("`{}` leads to no list", path.as_str()))),
            None => return Err(damage(format!("`{}` leads to nothing", path.as_str()))),
        };
        for (number, node) in nodes.iter().enumerate() {
            let raw = || serde_json::to_vec(node).unwrap_or_default();
            let place = || format!("record {}", number + 1);
            if self
                .give(Ok(node), &Origin::new(&place, &raw), input, sink)
                .is_break()
            {
                break;
            }
        }
        Ok(())
    }
}

impl Extractor for JsonExtractor {
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError> {
        let file = File::open(input.path).map_err(|error| damage(error.to_string()))?;
        match self.records.as_ref().and_then(JsonPath::members) {
            Some(members) => self.stream(file, &members, input, sink),
            None => self.whole(file, input, sink),
        }
    }

    fn alone(&self, raw: &str, _head: Option<&str>) -> Option<Vec<u8>> {
        let Some(records) = &self.records else {
            return Some(raw.as_bytes().to_vec());
        };
        let mut file = format!("[{raw}]");
        for name in records.members()?.iter().rev() {
            file = format!("{{{}:{file}}}", Value::from(*name));
        }
        Some(file.into_bytes())
    }
}

fn read_whole(file: File) -> Result<Value, ExtractError> {
    let mut bytes = Vec::new();
    file.take(LARGEST_WHOLE_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| damage(error.to_string()))?;
    if bytes.len() as u64 > LARGEST_WHOLE_FILE {
        return Err(damage(
            "it is larger than 64 MiB and has to be read whole; name the list of records by members alone (`$.value`)",
        ));
    }
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    weight::check(text).map_err(damage)?;
    serde_json::from_slice(text).map_err(|error| ExtractError {
        place: format!("line {}, column {}", error.line(), error.column()),
        reason: error.to_string(),
    })
}

fn damage(reason: impl Into<String>) -> ExtractError {
    ExtractError {
        place: "the whole file".into(),
        reason: reason.into(),
    }
}
