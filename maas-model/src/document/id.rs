//! Document ids, and how they are made from a record.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Source;
use super::moment::Moment;
use super::python_text::python_str;

/// The id of a document within its index: not empty, at most 512 bytes (OpenSearch's limit).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DocumentId(Arc<str>);

/// What an id is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdFields {
    /// The value of one field as it is.
    Field(String),
    /// Lower-case hex MD5 of the concatenated texts of several fields, as the Python system makes it.
    Digest(Vec<String>),
}

/// Why a text or record gives no id.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdError {
    /// The text itself.
    #[error("`{text}` is no document id: {reason}")]
    Text {
        /// The text.
        text: String,
        /// The rule it breaks.
        reason: &'static str,
    },
    /// A field of the id is not in the record.
    #[error("the record lacks `{field}`, which its id is made of")]
    Missing {
        /// The field.
        field: String,
    },
    /// A single-field id is neither text nor number.
    #[error("`{field}` cannot be an id: it is {found}")]
    Kind {
        /// The field.
        field: String,
        /// What it is.
        found: &'static str,
    },
}

impl DocumentId {
    /// Checks `id`.
    pub fn new(id: impl Into<String>) -> Result<Self, IdError> {
        let id = id.into();
        let reason = if id.is_empty() {
            "it is empty"
        } else if id.len() > 512 {
            "it is longer than 512 bytes"
        } else {
            return Ok(Self(id.into()));
        };
        Err(IdError::Text { text: id, reason })
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl IdFields {
    /// The id of a record, from its values before coercion: `...05Z` and `...05.000Z` give different ids.
    ///
    /// The texts of a digest are joined without a separator, as in the original: `("ab", "c")` and
    /// `("a", "bc")` collide, and so do null and the text `None`.
    pub fn id_of(&self, record: &Source) -> Result<DocumentId, IdError> {
        match self {
            Self::Field(field) => DocumentId::new(single(field, value_of(record, field)?)?),
            Self::Digest(fields) => {
                let mut digest = Md5::new();
                for field in fields {
                    digest.update(python_str(value_of(record, field)?).as_bytes());
                }
                // As a number, which is printed in one go.
                let digest = u128::from_be_bytes(digest.finalize().into());
                DocumentId::new(format!("{digest:032x}"))
            }
        }
    }
}

fn value_of<'a>(record: &'a Source, field: &str) -> Result<&'a Value, IdError> {
    record.get(field).ok_or_else(|| IdError::Missing {
        field: field.to_owned(),
    })
}

fn single(field: &str, value: &Value) -> Result<String, IdError> {
    let found = match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => {
            return Ok(python_str(value).into_owned());
        }
        Value::Null => "null",
        Value::Array(_) => "a list",
        Value::Object(_) => match Moment::from_value(value) {
            Some(moment) => return Ok(moment.iso()),
            None => "an object",
        },
    };
    Err(IdError::Kind {
        field: field.to_owned(),
        found,
    })
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl Borrow<str> for DocumentId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DocumentId {
    type Error = IdError;

    fn try_from(id: String) -> Result<Self, IdError> {
        Self::new(id)
    }
}

impl From<DocumentId> for String {
    fn from(id: DocumentId) -> Self {
        id.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cases::Cases;

    fn id_of(fields: &Value, record: Value) -> Result<String, IdError> {
        let fields = match fields {
            Value::String(field) => IdFields::Field(field.clone()),
            list => IdFields::Digest(serde_json::from_value(list.clone()).unwrap()),
        };
        let record: Source = serde_json::from_value(record).unwrap();
        fields.id_of(&record).map(String::from)
    }

    #[test]
    fn ids_equal_the_recorded_ones() {
        Cases::of("ids.json").run(|case| {
            let id = id_of(&case["id_field"], case["record"].clone());
            match (id, case.get("id").and_then(Value::as_str)) {
                (Ok(id), Some(wanted)) if id == wanted => Ok(()),
                (Err(_), None) => Ok(()),
                (got, wanted) => Err(format!("{}: {got:?}, not {wanted:?}", case["note"])),
            }
        });
    }

    #[test]
    fn digests_equal_the_golden_ones() {
        let moment = |text: &str| json!({"$datetime": text});
        for (values, digest) in [
            (
                json!(["L20240101_S1A", false]),
                "d04de1b8be2a2dab368f06244672dd3d",
            ),
            (
                json!(["abc-1", "PRIP_S1A_Serco"]),
                "a874c7c2cc87fa615df98643cd5372c2",
            ),
            (json!(["S1A", null]), "aa4715316671de7e2d9a287f54f6711e"),
            (
                json!(["S2A", 12.0, moment("2022-05-21T12:00:00"), "INS"]),
                "43ab77862954e27f20772bb4da40dff7",
            ),
            (
                json!([["p", "q"], {"k": 1}]),
                "e4a57231c74451c99083536d7e55409a",
            ),
            (
                json!([moment("2022-08-30T12:26:17.005000+00:00"), 1e16]),
                "33305c5a50a00d46f4e9b17dd96843db",
            ),
            (json!(["é", 12]), "318dab173279da201d7f49cb5ce69463"),
        ] {
            let record: Source = values
                .as_array()
                .unwrap()
                .iter()
                .enumerate()
                .map(|(position, value)| (position.to_string(), value.clone()))
                .collect();
            let fields: Vec<String> = record.keys().cloned().collect();
            let id = IdFields::Digest(fields).id_of(&record).unwrap();
            assert_eq!(id.as_str(), digest, "{values}");
        }
    }

    #[test]
    fn a_single_field_must_be_a_plain_value() {
        for (value, id) in [
            (json!(12), Some("12")),
            (json!(12.0), Some("12.0")),
            (json!(true), Some("True")),
            (json!(null), None),
            (json!([1]), None),
            (json!({}), None),
            (json!(""), None),
            (json!("x".repeat(513)), None),
        ] {
            let got = id_of(&json!("a"), json!({"a": value}));
            assert_eq!(got.ok().as_deref(), id, "{value}");
        }
    }
}
