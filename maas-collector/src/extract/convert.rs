//! Converters: what is done to a field of a complete record.

use indexmap::IndexMap;
use maas_model::document::Source;
use maas_model::pattern::Pattern;
use maas_model::plugin::SettingError;
use regex::Captures;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::field::{Expression, FieldError, wrong};

/// How a field is converted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Convert {
    /// An expression over `value`.
    Expression(String),
    /// The first match of a regular expression.
    Regex(RegexConvert),
}

/// The first match of a regular expression, formatted.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegexConvert {
    /// Searched in the text of the field.
    regex: String,
    /// What becomes of the match: `{}` and `{0}`, `{1}` stand for its groups, or for the whole match
    /// when there are none.
    #[serde(default = "whole")]
    format: String,
}

fn whole() -> String {
    "{}".into()
}

/// The converters of an extractor, in order.
pub(super) struct Converters {
    fields: Vec<(String, Converter)>,
    partial: bool,
}

/// One converter.
pub(super) enum Converter {
    Expression(Expression),
    Regex(Pattern, Vec<Piece>),
}

/// A piece of a format.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Group(usize),
}

impl Converters {
    /// Compiles all; what is wrong is added to `errors`.
    pub(super) fn compile(
        settings: IndexMap<String, Convert>,
        partial: bool,
        errors: &mut Vec<SettingError>,
    ) -> Self {
        let mut fields = Vec::new();
        for (field, convert) in settings {
            match convert.compile(&format!("convert.{field}")) {
                Ok(converter) => fields.push((field, converter)),
                Err(error) => errors.push(error),
            }
        }
        Self { fields, partial }
    }

    /// Converts the fields of a complete record.
    pub(super) fn apply(&self, record: &mut Source) -> Result<(), FieldError> {
        for (field, converter) in &self.fields {
            let converted = match record.get(field) {
                Some(value) => converter.convert(value),
                None => Err("it is absent".into()),
            };
            let value = match converted {
                Ok(value) => value,
                Err(_) if self.partial => Value::Null,
                Err(reason) => return Err(FieldError::new(field, reason)),
            };
            record.insert(field.clone(), value);
        }
        Ok(())
    }
}

impl Convert {
    pub(super) fn compile(self, path: &str) -> Result<Converter, SettingError> {
        match self {
            Self::Expression(text) => {
                Expression::parse(&text, "value", path).map(Converter::Expression)
            }
            Self::Regex(RegexConvert { regex, format }) => {
                let regex = Pattern::new(&regex)
                    .map_err(|error| wrong(format!("{path}.regex"), regex_fault(&error)))?;
                let format_wrong = |message| wrong(format!("{path}.format"), message);
                let groups = regex.regex().captures_len().saturating_sub(1).max(1);
                let pieces = pieces(&format).map_err(format_wrong)?;
                for piece in &pieces {
                    if matches!(piece, Piece::Group(group) if *group >= groups) {
                        return Err(format_wrong(format!(
                            "`{format}` names more groups than the expression has"
                        )));
                    }
                }
                Ok(Converter::Regex(regex, pieces))
            }
        }
    }
}

impl Converter {
    pub(super) fn convert(&self, value: &Value) -> Result<Value, String> {
        match self {
            Self::Expression(expression) => expression.evaluate(value),
            Self::Regex(regex, pieces) => {
                let text = value.as_str().ok_or("it is no text")?;
                let found = regex
                    .captures(text)
                    .map_err(|error| error.to_string())?
                    .ok_or_else(|| format!("nothing in it matches `{}`", regex.regex()))?;
                Ok(Value::from(filled(pieces, &found)))
            }
        }
    }
}

/// What is wrong with a regular expression, in one line. The library draws the place in a picture of
/// several lines, under the expression; one that has lines of its own gets no place.
pub(super) fn regex_fault(error: &regex::Error) -> String {
    const MARGIN: usize = 4;
    let text = error.to_string();
    let picture: Vec<&str> = text.lines().collect();
    let reason = picture.last().copied().unwrap_or_default();
    let reason = reason.strip_prefix("error: ").unwrap_or(reason);
    match picture.as_slice() {
        [_, _, marks, _] => match marks.find('^') {
            Some(column) if column >= MARGIN => {
                format!("{reason} at character {}", column - MARGIN + 1)
            }
            _ => reason.to_owned(),
        },
        _ => reason.to_owned(),
    }
}

fn filled(pieces: &[Piece], found: &Captures<'_>) -> String {
    let shift = usize::from(found.len() > 1);
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Group(group) => found.get(group + shift).map_or("", |group| group.as_str()),
        })
        .collect()
}

/// Reads `{1}-{0}`, `{}`, `{{`.
fn pieces(format: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut next = 0;
    let mut text = String::new();
    let mut rest = format;
    while let Some(place) = rest.find(['{', '}']) {
        text.push_str(&rest[..place]);
        let brace = &rest[place..=place];
        rest = &rest[place + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            text.push_str(brace);
            rest = after;
            continue;
        }
        let end = rest.find('}').filter(|_| brace == "{");
        let end = end.ok_or_else(|| format!("`{format}` has a `{brace}` without partner"))?;
        let group = match &rest[..end] {
            "" => {
                next += 1;
                next - 1
            }
            number => number
                .parse()
                .map_err(|_| format!("`{{{number}}}` names no group"))?,
        };
        pieces.push(Piece::Text(std::mem::take(&mut text)));
        pieces.push(Piece::Group(group));
        rest = &rest[end + 1..];
    }
    text.push_str(rest);
    pieces.push(Piece::Text(text));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn convert(regex: &str, format: &str, value: Value) -> Result<Value, String> {
        let config = RegexConvert {
            regex: regex.into(),
            format: format.into(),
        };
        let converter = Convert::Regex(config).compile("convert.field");
        converter.map_err(|error| error.message)?.convert(&value)
    }

    #[test]
    fn the_first_match_is_formatted() {
        assert_eq!(convert("[0-9]+", "{}", json!("a12b3")), Ok(json!("12")));
        assert_eq!(convert("(a)(b)?", "{1}-{0}", json!("xa")), Ok(json!("-a")));
        assert_eq!(convert("(a)(b)", "{{{}}}", json!("ab")), Ok(json!("{a}")));
    }

    #[test]
    fn what_does_not_fit_is_told() {
        assert!(convert("x", "{}", json!("a")).is_err());
        assert!(convert("x", "{}", json!(1)).is_err());
        assert!(convert("(x)", "{1}", json!("x")).is_err());
        let told = convert("a(x", "{}", json!("x"));
        assert_eq!(told, Err("unclosed group at character 2".into()));
        assert!(convert("x", "{", json!("x")).is_err());
    }
}
