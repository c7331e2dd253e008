//! Log files: settings and extractor.

mod legacy;
mod lines;
mod python_regex;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;

use indexmap::IndexMap;
use maas_model::document::Source;
use maas_model::pattern::Pattern;
use maas_model::plugin::{SettingError, Settings};
use regex::Captures;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::convert::{Convert, Converters};
use super::field::{FieldError, wrong};
use super::{ExtractError, Extractor, ExtractorConfig, ExtractorPlugin, Input, Origin, RecordSink};
use lines::Lines;

/// What is read from the file at a time.
const WINDOW: usize = 256 << 10;

/// Reads a record from every line of log files that a pattern matches; of files of any size, in UTF-8.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// Regular expression as in Python, without look-around and back references, that a line has to match from
    /// its start; other lines are left out. Its named groups `(?P<name>...)` are the fields; a group that
    /// takes no part is null.
    pattern: String,
    /// Applied to fields of the complete record, in this order.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Convert>")]
    convert: IndexMap<String, Convert>,
}

impl Settings for LogConfig {
    const NAME: &'static str = "log";
    const EXAMPLE: &'static str =
        r"{ pattern: '(?P<time>\S+) \[(?P<level>[A-Z]+)\] (?P<text>.*)' }";
}

inventory::submit! { ExtractorPlugin::of::<LogConfig>(module_path!()) }

struct LogExtractor {
    pattern: Pattern,
    converters: Converters,
}

impl LogConfig {
    fn regex(&self) -> Result<Pattern, String> {
        python_regex::compile(&self.pattern)
    }
}

impl ExtractorConfig for LogConfig {
    fn yields(&self) -> Option<Vec<String>> {
        let pattern = self.regex().ok()?;
        let names = pattern.regex().capture_names().flatten();
        Some(names.map(str::to_owned).collect())
    }

    fn build(self) -> Result<Box<dyn Extractor>, Vec<SettingError>> {
        let mut errors = Vec::new();
        let pattern = self.regex();
        let converters = Converters::compile(self.convert, false, &mut errors);
        match pattern {
            Ok(pattern) if errors.is_empty() => Ok(Box::new(LogExtractor {
                pattern,
                converters,
            })),
            Ok(_) => Err(errors),
            Err(reason) => {
                errors.insert(0, wrong("pattern", reason));
                Err(errors)
            }
        }
    }
}

impl LogExtractor {
    fn record(&self, found: &Captures<'_>, name: &str) -> Result<Source, FieldError> {
        let mut record = Source::new();
        for group in self.pattern.regex().capture_names().flatten() {
            let value = found.name(group).map(|text| text.as_str());
            record.insert(group.to_owned(), value.map_or(Value::Null, Value::from));
        }
        self.converters.apply(&mut record)?;
        record
            .entry("reportName")
            .or_insert_with(|| Value::from(name));
        Ok(record)
    }
}

impl Extractor for LogExtractor {
    fn extract(&self, input: &Input<'_>, sink: &mut dyn RecordSink) -> Result<(), ExtractError> {
        let damage = |place: String, error: std::io::Error| ExtractError {
            place,
            reason: error.to_string(),
        };
        let file =
            File::open(input.path).map_err(|error| damage("the whole file".into(), error))?;
        let mut lines = Lines::new(BufReader::with_capacity(WINDOW, file));
        let mut number = 0_u64;
        loop {
            number += 1;
            let place = || format!("line {number}");
            let Some(line) = lines.next().map_err(|error| damage(place(), error))? else {
                return Ok(());
            };
            let raw = || line.bytes.to_vec();
            let origin = Origin::new(&place, &raw);
            let taken = match line.text() {
                Ok(text) => match self.pattern.captures(text) {
                    Ok(None) => continue,
                    Err(error) => sink.bad(origin.bad(None, error.to_string())),
                    Ok(Some(found)) => match self.record(&found, input.name) {
                        Ok(record) => sink.record(record, &origin),
                        Err(error) => sink.bad(origin.bad(error.field, error.reason)),
                    },
                },
                Err(reason) => sink.bad(origin.bad(None, reason)),
            };
            if taken.is_break() {
                return Ok(());
            }
        }
    }

    fn alone(&self, raw: &str, _head: Option<&str>) -> Option<Vec<u8>> {
        Some(raw.as_bytes().to_vec())
    }
}
