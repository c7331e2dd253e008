//! Reads of a record only the members that its fields look at.
//!
//! A product of an OData page has a footprint of hundreds of numbers that most interfaces do not store:
//! leaving them out halves the time per record.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

/// The members that matter.
#[derive(Debug)]
pub(super) enum Projection {
    All,
    Members(BTreeSet<Box<str>>),
}

impl Projection {
    /// From what each field looks at; `None` is everything.
    pub(super) fn of<'a>(fields: impl Iterator<Item = Option<Vec<&'a str>>>) -> Self {
        let mut members = BTreeSet::new();
        for field in fields {
            match field {
                Some(names) => members.extend(names.into_iter().map(Box::from)),
                None => return Self::All,
            }
        }
        Self::Members(members)
    }

    /// Reads one record. What is left out is checked all the same.
    pub(super) fn read(&self, text: &[u8]) -> serde_json::Result<Value> {
        match self {
            Self::Members(members) if text.first() == Some(&b'{') => {
                let mut reader = serde_json::Deserializer::from_slice(text);
                let value = Members(members).deserialize(&mut reader)?;
                reader.end()?;
                Ok(value)
            }
            _ => serde_json::from_slice(text),
        }
    }
}

struct Members<'a>(&'a BTreeSet<Box<str>>);

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut kept = Map::with_capacity(self.0.len());
        while let Some(name) = members.next_key::<std::borrow::Cow<'_, str>>()? {
            if self.0.contains(name.as_ref()) {
                kept.insert(name.into_owned(), members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Value::Object(kept))
    }
}
