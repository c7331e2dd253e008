//! XML files: settings and extractor.

mod entities;
mod field;
mod input;
pub(super) mod known;
pub(super) mod legacy;
mod names;
mod path;
mod read;
mod records;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;

use indexmap::IndexMap;
use maas_model::document::Source;
use maas_model::plugin::{SettingError, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::convert::{Convert, Converter};
use super::field::{FieldError, wrong};
use super::{ExtractError, Extractor, ExtractorConfig, ExtractorPlugin, Input, RecordSink};
use field::FieldSource;
use names::Names;
use path::Path;
use read::{RecordPath, each};
use tree::{NodeId, Tree};

/// Reads records from XML files.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct XmlConfig {
    /// Path of the elements that are records. Children of children (`list/item`), or `.//item` at the end,
    /// let files of any size pass in little memory; with any other path, or without one, when the whole file
    /// is one record, the file has to fit into 64 MiB of text and a million elements.
    #[serde(default)]
    records: Option<String>,
    /// Field by field: the path of an element below the record, whose text is taken (`a/b`, `.//b`,
    /// `a[@kind='x']/b`, `a[1]`, `.` for the record itself), or `path`, `attr`, `value` or `expr`.
    #[schemars(with = "BTreeMap<String, XmlField>")]
    fields: IndexMap<String, XmlField>,
    /// Namespaces by the prefix that paths use; the empty prefix is that of names without one. In full
    /// a name is `{namespace}name`; `{*}name` is one of any namespace.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    namespaces: IndexMap<String, String>,
    /// Whether a field that cannot be had becomes null; otherwise its record is refused.
    #[serde(default)]
    partial: bool,
    /// Applied to fields as they are read; one that cannot be had is not converted.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Convert>")]
    convert: IndexMap<String, Convert>,
}

/// Where the value of a field comes from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum XmlField {
    /// The path of an element: the text before its first child.
    Path(String),
    /// `path`, `attr` or both, or one of `value`, `expr`.
    Detailed(XmlFieldSource),
}

/// Where the value of a field comes from: `path`, `attr` or both, or one of `value`, `expr`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct XmlFieldSource {
    /// The path of an element below the record; the first that it leads to counts.
    #[serde(default)]
    path: Option<String>,
    /// The attribute to take instead of the text; without `path` one of the record itself.
    #[serde(default)]
    attr: Option<String>,
    /// Whether all elements count that the path leads to: the field is a list.
    #[serde(default)]
    all: bool,
    /// Whether an empty text is null.
    #[serde(default)]
    null_when_empty: bool,
    /// What the field becomes when there is no such element or attribute.
    #[serde(default)]
    default: Option<Value>,
    /// The same value in every record.
    #[serde(default)]
    value: Option<Value>,
    /// An expression over `record`: an object with `@attribute`, the names of children (a text, an object or
    /// a list of those) and `#text`.
    #[serde(default)]
    expr: Option<String>,
}

impl Settings for XmlConfig {
    const NAME: &'static str = "xml";
    const EXAMPLE: &'static str = "{ records: .//Product, fields: { name: { attr: name }, size: Size, start: Period/Start, source: { value: MPS } } }";
}

inventory::submit! { ExtractorPlugin::of::<XmlConfig>(module_path!()) }

/// Reads records as [`XmlConfig`] says.
pub(super) struct XmlExtractor {
    records: Option<RecordPath>,
    fields: Vec<Column>,
    partial: bool,
    names: Names,
}

/// A field of every record.
struct Column {
    name: String,
    source: FieldSource,
    converter: Option<Converter>,
}

impl ExtractorConfig for XmlConfig {
    fn yields(&self) -> Option<Vec<String>> {
        Some(self.fields.keys().cloned().collect())
    }

    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>> {
        self.compile().map(|extractor| Box::new(extractor) as _)
    }
}

impl XmlConfig {
    /// Whether records have a field of this name.
    pub(super) fn has_field(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    pub(super) fn compile(self) -> Result<XmlExtractor, Vec<SettingError>> {
        let mut errors = Vec::new();
        let mut names = Names::default();
        let records = self.records.and_then(|text| {
            Path::parse(&text, &self.namespaces, &mut names)
                .map_err(|error| errors.push(wrong("records", error)))
                .ok()
        });
        let mut converters = self.convert;
        let mut fields = Vec::new();
        for (name, field) in self.fields {
            let setting = format!("fields.{name}");
            let source = field.compile(&setting, &self.namespaces, &mut names);
            let convert = converters.shift_remove(&name);
            let converter = convert.map(|convert| convert.compile(&format!("convert.{name}")));
            match (source, converter.transpose()) {
                (Ok(source), Ok(converter)) => fields.push(Column {
                    name,
                    source,
                    converter,
                }),
                (source, converter) => {
                    errors.extend(source.err().into_iter().chain(converter.err()))
                }
            }
        }
        let unknown = converters.keys();
        errors
            .extend(unknown.map(|name| wrong(format!("convert.{name}"), "there is no such field")));
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(XmlExtractor {
            records: records.map(RecordPath::from),
            fields,
            partial: self.partial,
            names,
        })
    }
}

impl XmlExtractor {
    fn record(&self, tree: &Tree, node: NodeId, name: &str) -> Result<Source, FieldError> {
        let mut record = Source::with_capacity(self.fields.len() + 2);
        record.insert("reportName".into(), name.into());
        for field in &self.fields {
            let value = match (field.source.value(tree, node), &field.converter) {
                (Ok(value), Some(converter)) => converter.convert(&value),
                (value, _) => value,
            };
            let value = match value {
                Ok(value) => value,
                Err(_) if self.partial => Value::Null,
                Err(reason) => return Err(FieldError::new(&field.name, reason)),
            };
            record.insert(field.name.clone(), value);
        }
        Ok(record)
    }

    /// Gives every record to `sink`, changed by `change`.
    pub(super) fn extract_with(
        &self,
        input: &Input<'_>,
        sink: &mut dyn RecordSink,
        change: &dyn Fn(&mut Source) -> Result<(), FieldError>,
    ) -> Result<(), ExtractError> {
        each(
            input,
            &self.names,
            self.records.as_ref(),
            &mut |tree, node, origin| {
                let made = self.record(tree, node, input.name);
                let made = made.and_then(|mut record| change(&mut record).map(|()| record));
                match made {
                    Ok(record) => sink.record(record, origin),
                    Err(error) => sink.bad(origin.bad(error.field, error.reason)),
                }
            },
        )
    }
}

impl Extractor for XmlExtractor {
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError> {
        self.extract_with(input, sink, &|_| Ok(()))
    }
}
