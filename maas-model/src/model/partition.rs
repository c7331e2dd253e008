//! How the documents of a model are spread over indices.

use std::fmt::Write as _;

use chrono::Datelike;
use chrono::format::{Item, StrftimeItems};
use serde_json::Value;

use super::FieldType;
use crate::document::date::is_stored;
use crate::document::python_text::python_str;
use crate::document::{IndexName, Source, parse_date};

/// What makes the suffix of the index name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// One field and a strftime format (a format without `%` is literal), or several and a `{name}` template.
    pub fields: Vec<String>,
    /// The format.
    pub format: String,
}

/// Why a document has no index.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("no index for a `{model}`: {reason}")]
pub struct PartitionError {
    /// The model.
    pub model: String,
    /// What is wrong with the partition field.
    pub reason: String,
}

/// A piece of a template: literal text, or a field with the format behind its colon.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Text(&'a str),
    Field(&'a str, &'a str),
}

impl super::Model {
    /// The concrete index of a (coerced) document. It must have its partition fields, even where the
    /// format is literal. Texts are lower-cased.
    pub fn index_of(&self, source: &Source) -> Result<IndexName, PartitionError> {
        let Some(partition) = &self.partition else {
            return Ok(self.alias.clone());
        };
        let error = |reason: String| PartitionError {
            model: self.name.clone(),
            reason,
        };
        let mut name = format!("{}-", self.alias);
        self.suffix(partition, source, &mut name).map_err(error)?;
        IndexName::new(name).map_err(|refused| error(refused.to_string()))
    }

    fn suffix(
        &self,
        partition: &Partition,
        source: &Source,
        name: &mut String,
    ) -> Result<(), String> {
        if !partition.is_template() {
            let [field] = partition.fields.as_slice() else {
                return Err("several partition fields want a template".to_owned());
            };
            let value = value_of(source, field)?;
            return self.print(field, value, &partition.format, name);
        }
        // Without a place in the template a field must be there all the same.
        for field in &partition.fields {
            value_of(source, field)?;
        }
        for piece in pieces(&partition.format)? {
            match piece {
                Piece::Text(text) => name.push_str(text),
                Piece::Field(field, "") => {
                    name.push_str(&python_str(value_of(source, field)?).to_lowercase());
                }
                Piece::Field(field, format) => {
                    self.print(field, value_of(source, field)?, format, name)?;
                }
            }
        }
        Ok(())
    }

    fn print(
        &self,
        field: &str,
        value: &Value,
        format: &str,
        name: &mut String,
    ) -> Result<(), String> {
        if self.is_date(field) {
            if !format.contains('%') {
                name.push_str(format);
                return Ok(());
            }
            if let Some(part) = stored_part(value, format) {
                name.push_str(part);
                return Ok(());
            }
            let date = parse_date(value).map_err(|error| format!("`{field}`: {error}"))?;
            // The C library of the original does not pad years.
            let unpadded =
                (date.year() < 1000).then(|| format.replace("%Y", &date.year().to_string()));
            write!(
                name,
                "{}",
                date.format(unpadded.as_deref().unwrap_or(format))
            )
            .map_err(|_| format!("`{format}` is no date format"))
        } else if let Some(width) = integer_format(format) {
            let number = value
                .as_i64()
                .ok_or_else(|| format!("`{field}` is no whole number"))?;
            let (zeros, width) = width;
            let printed = if zeros {
                write!(name, "{number:0width$}")
            } else {
                write!(name, "{number:width$}")
            };
            printed.map_err(|_| format!("cannot print `{number}`"))
        } else if format.contains(['%', '{']) {
            Err(format!(
                "`{field}` is no date, and `{format}` is a date format"
            ))
        } else {
            name.push_str(format);
            Ok(())
        }
    }

    /// Whether a field holds dates: by declaration, or one that the framework sets.
    pub(super) fn is_date(&self, field: &str) -> bool {
        match self.fields.get(field) {
            Some(field) => field.kind == FieldType::Date,
            None => matches!(field, "ingestionTime" | "updateTime"),
        }
    }
}

/// The part of a stored date that the usual formats print, without reading it.
fn stored_part<'a>(date: &'a Value, format: &str) -> Option<&'a str> {
    let length = match format {
        "%Y" => 4,
        "%Y-%m" => 7,
        "%Y-%m-%d" => 10,
        _ => return None,
    };
    // Years below 1000 are not padded.
    let text = date
        .as_str()
        .filter(|text| !text.starts_with('0') && is_stored(text))?;
    text.get(..length)
}

impl Partition {
    pub(super) fn is_template(&self) -> bool {
        self.fields.len() > 1 || self.format.contains('{')
    }
}

fn value_of<'a>(source: &'a Source, field: &str) -> Result<&'a Value, String> {
    match source.get(field) {
        None | Some(Value::Null) => Err(format!("it lacks `{field}`, which names its index")),
        Some(Value::Array(_) | Value::Object(_)) => Err(format!(
            "`{field}`, which names its index, is no single value"
        )),
        Some(value) => Ok(value),
    }
}

/// Takes a `{field}-{other:format}` template apart; `{{` and `}}` are braces.
pub(super) fn pieces(template: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        let (text, tail) = rest.split_at(at);
        if tail.starts_with("{{") || tail.starts_with("}}") {
            pieces.push(Piece::Text(&rest[..=at]));
            rest = &tail[2..];
            continue;
        }
        let (field, tail) = tail
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
            .ok_or_else(|| format!("`{template}` has a brace without its partner"))?;
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        let (field, format) = field.split_once(':').unwrap_or((field, ""));
        pieces.push(Piece::Field(field, format));
        rest = tail;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// `03`, `3`, `03d`: whether zeros fill it, and how wide it is.
pub(super) fn integer_format(format: &str) -> Option<(bool, usize)> {
    let digits = format.strip_suffix('d').unwrap_or(format);
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((digits.starts_with('0'), digits.parse().ok()?))
}

/// Whether every directive of a date format is known.
pub(super) fn is_date_format(format: &str) -> bool {
    StrftimeItems::new(format).all(|item| !matches!(item, Item::Error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Field, Model};

    fn index_of(fields: &[&str], format: &str, record: Value) -> Result<String, String> {
        let kinds = [
            ("d", FieldType::Date),
            ("k", FieldType::Keyword),
            ("l", FieldType::Keyword),
            ("n", FieldType::Integer),
        ];
        let model = Model {
            name: "Test".to_owned(),
            alias: IndexName::new("cds-test").unwrap(),
            fields: kinds
                .into_iter()
                .map(|(name, kind)| (name.to_owned(), Field::new(kind)))
                .collect(),
            partition: (!fields.is_empty()).then(|| Partition {
                fields: fields.iter().map(|field| (*field).to_owned()).collect(),
                format: format.to_owned(),
            }),
            settings: Default::default(),
        };
        let source: Source = serde_json::from_value(record).unwrap();
        match model.index_of(&source) {
            Ok(name) => Ok(name.as_str().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_name_is_made_of_the_fields() {
        let date = "2024-03-30T12:47:25.806Z";
        for (fields, format, record, name) in [
            (&[][..], "", json!({}), "cds-test"),
            (&["d"][..], "%Y-%m", json!({"d": date}), "cds-test-2024-03"),
            (
                &["d"][..],
                "%Y",
                json!({"d": "0099-03-30T12:47:25.806Z"}),
                "cds-test-99",
            ),
            (&["d"][..], "static", json!({"d": date}), "cds-test-static"),
            (
                &["ingestionTime"][..],
                "%Y",
                json!({"ingestionTime": date}),
                "cds-test-2024",
            ),
            (&["k"][..], "{k}", json!({"k": "S1A"}), "cds-test-s1a"),
            (&["k"][..], "conf", json!({"k": "S1A"}), "cds-test-conf"),
            (
                &["k", "l"][..],
                "{k}-{l}",
                json!({"k": "S1A", "l": "PRIP_X"}),
                "cds-test-s1a-prip_x",
            ),
            (
                &["k", "n", "d"][..],
                "{k}-{n:03}-{d:%Y-%m}",
                json!({"k": "A", "n": 7, "d": date}),
                "cds-test-a-007-2024-03",
            ),
        ] {
            assert_eq!(
                index_of(fields, format, record),
                Ok(name.to_owned()),
                "{format}"
            );
        }
    }

    #[test]
    fn what_has_no_name_is_refused() {
        for (fields, format, record, reason) in [
            (&["d"][..], "%Y", json!({}), "it lacks `d`"),
            (&["d"][..], "static", json!({"d": null}), "it lacks `d`"),
            (&["k"][..], "%Y", json!({"k": "x"}), "`k` is no date"),
            (&["k"][..], "{k}", json!({"k": ["x"]}), "no single value"),
            (&["k"][..], "{k}", json!({"k": "a b"}), "no index name"),
            (&["k", "n"][..], "{k}", json!({"k": "a"}), "it lacks `n`"),
            (&["k", "n"][..], "{k", json!({"k": "a", "n": 1}), "brace"),
            (&["n"][..], "{n:03}", json!({"n": "x"}), "no whole number"),
        ] {
            let error = index_of(fields, format, record).unwrap_err();
            assert!(
                error.starts_with("no index for a `Test`: ") && error.contains(reason),
                "{error}"
            );
        }
    }

    #[test]
    fn templates_come_apart() {
        assert_eq!(
            pieces("a{b}{{c}}{d:%Y}"),
            Ok(vec![
                Piece::Text("a"),
                Piece::Field("b", ""),
                Piece::Text("{"),
                Piece::Text("c}"),
                Piece::Field("d", "%Y"),
            ])
        );
        for wrong in ["{", "}", "{a", "a}"] {
            assert!(pieces(wrong).is_err(), "{wrong}");
        }
    }
}
