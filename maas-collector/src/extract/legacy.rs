//! Extractor settings of the Python system, as settings of ours.

use serde_json::{Map, Value, json};

use super::json::path::{Dialect, LegacyPathError, from_legacy};

/// An extractor of ours and its settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Translated {
    /// The name of the plugin.
    pub plugin: &'static str,
    /// Its settings.
    pub settings: Value,
}

/// Why old settings cannot be translated.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LegacyError {
    /// No extractor of ours does its work.
    #[error("no extractor stands for `{0}`")]
    Class(String),
    /// An argument that is unknown or of a wrong kind.
    #[error("`{argument}`: {reason}")]
    Argument {
        /// Its name.
        argument: String,
        /// What is wrong.
        reason: String,
    },
    /// A path.
    #[error(transparent)]
    Path(#[from] LegacyPathError),
}

/// Translates the `extractor` object of a collector configuration: `class`, `args`, `converter_map`.
pub fn translate(extractor: &Value) -> Result<Translated, LegacyError> {
    let class = extractor["class"].as_str().unwrap_or_default();
    let arguments = Arguments::new(extractor)?;
    match class {
        "JSONExtractor" => arguments.json(Dialect::Standard),
        "JSONExtractorExtended" => arguments.json(Dialect::Extended),
        "CSVExtractor" => arguments.csv(),
        other => Err(LegacyError::Class(other.to_owned())),
    }
}

struct Arguments {
    arguments: Map<String, Value>,
}

impl Arguments {
    fn new(extractor: &Value) -> Result<Self, LegacyError> {
        let mut arguments = match extractor.get("args") {
            None => Map::new(),
            Some(Value::Object(arguments)) => arguments.clone(),
            Some(_) => return Err(wrong("args", "it is no object")),
        };
        // The one beside `args` replaces the one within.
        if let Some(converters) = extractor.get("converter_map") {
            arguments.insert("converter_map".into(), converters.clone());
        }
        Ok(Self { arguments })
    }

    fn json(mut self, dialect: Dialect) -> Result<Translated, LegacyError> {
        let mut settings = Map::new();
        match self.take("iterate_nodes") {
            Value::Null => {}
            Value::String(path) => {
                settings.insert("records".into(), from_legacy(&path, dialect)?.into());
            }
            _ => return Err(wrong("iterate_nodes", "it is no text")),
        }
        let Value::Object(fields) = self.take("attr_map") else {
            return Err(wrong("attr_map", "an object is wanted"));
        };
        let fields = fields.into_iter().map(|(field, source)| {
            let source = match &source {
                Value::String(path) => Value::from(from_legacy(path, dialect)?),
                _ => lambda(&field, &source)?,
            };
            Ok((field, source))
        });
        let fields: Map<_, _> = fields.collect::<Result<_, LegacyError>>()?;
        settings.insert("fields".into(), fields.into());
        self.finish("json", settings)
    }

    fn csv(mut self) -> Result<Translated, LegacyError> {
        let mut settings = Map::new();
        let fields = match self.take("attr_map") {
            Value::Object(fields) => columns(fields)?,
            Value::Array(entries) => {
                settings.insert("header".into(), false.into());
                positions(entries)?
            }
            _ => return Err(wrong("attr_map", "an object or a list is wanted")),
        };
        settings.insert("fields".into(), fields.into());
        if is_true(&self.take("autodetect_encoding")) {
            settings.insert("encoding".into(), "detect".into());
        }
        self.finish("csv", settings)
    }

    fn take(&mut self, argument: &str) -> Value {
        self.arguments.shift_remove(argument).unwrap_or_default()
    }

    /// What both have in common; nothing may be left.
    fn finish(
        mut self,
        plugin: &'static str,
        mut settings: Map<String, Value>,
    ) -> Result<Translated, LegacyError> {
        if is_true(&self.take("allow_partial")) {
            settings.insert("partial".into(), true.into());
        }
        match self.take("converter_map") {
            Value::Null => {}
            Value::Object(converters) => {
                let converters = converters
                    .iter()
                    .map(|(field, converter)| Ok((field.clone(), convert(field, converter)?)));
                let converters: Map<_, _> = converters.collect::<Result<_, LegacyError>>()?;
                settings.insert("convert".into(), converters.into());
            }
            _ => return Err(wrong("converter_map", "it is no object")),
        }
        match self.arguments.keys().next() {
            Some(unknown) => Err(wrong(unknown, "it is unknown")),
            None => Ok(Translated {
                plugin,
                settings: settings.into(),
            }),
        }
    }
}

fn columns(fields: Map<String, Value>) -> Result<Map<String, Value>, LegacyError> {
    let fields = fields.into_iter().map(|(field, source)| {
        let source = match source {
            Value::String(_) => source,
            _ => lambda(&field, &source)?,
        };
        Ok((field, source))
    });
    fields.collect()
}

/// Names take cells in order, lambdas take none.
fn positions(entries: Vec<Value>) -> Result<Map<String, Value>, LegacyError> {
    let mut fields = Map::new();
    let mut position = 0_u64;
    for entry in entries {
        if let Value::String(field) = entry {
            fields.insert(field, position.into());
            position += 1;
        } else if entry.get("python").is_some() {
            let field = entry["field"].as_str();
            let field = field.ok_or_else(|| wrong("attr_map", "a lambda without `field`"))?;
            fields.insert(field.to_owned(), lambda(field, &entry)?);
        }
    }
    Ok(fields)
}

fn lambda(field: &str, source: &Value) -> Result<Value, LegacyError> {
    match source.get("python").and_then(Value::as_str) {
        Some(text) => Ok(json!({"expr": as_lambda(text)})),
        None => Err(wrong(field, "a text or an object with `python` is wanted")),
    }
}

fn convert(field: &str, converter: &Value) -> Result<Value, LegacyError> {
    let text = |key: &str| {
        let text = converter.get(key).and_then(Value::as_str);
        text.ok_or_else(|| wrong(field, &format!("`{key}` is missing or no text")))
    };
    match text("type")? {
        "python" => Ok(as_lambda(text("python")?).into()),
        "regex" => {
            let mut regex = json!({"regex": text("expression")?});
            if converter.get("format").is_some() {
                regex["format"] = text("format")?.into();
            }
            Ok(regex)
        }
        other => Err(wrong(field, &format!("`{other}` is no type of converter"))),
    }
}

/// A lambda as it is; the name of a function as a call of it.
fn as_lambda(text: &str) -> String {
    if text.trim_start().starts_with("lambda") {
        text.to_owned()
    } else {
        format!("lambda value: {text}(value)")
    }
}

fn is_true(value: &Value) -> bool {
    value == &Value::Bool(true)
}

fn wrong(argument: &str, reason: &str) -> LegacyError {
    LegacyError::Argument {
        argument: argument.to_owned(),
        reason: reason.to_owned(),
    }
}
