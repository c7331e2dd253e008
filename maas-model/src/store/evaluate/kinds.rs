//! How the values of a field are compared: by its declared type, or by what they are.

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::model::{Field, FieldType, Model};

/// The declared types of fields, by path. Without any, values are compared by what they are.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kinds(HashMap<String, FieldType>);

/// What values of a field are turned into before they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// Numbers and booleans become text.
    Text,
    /// Text becomes a number.
    Number,
    /// Text and milliseconds become the stored date form, which sorts like the instants.
    Date,
    /// The texts `true` and `false` become booleans.
    Boolean,
    /// Nothing is declared: values stay what they are, except that a text that begins like a date and
    /// is one takes the stored date form.
    Any,
}

impl Kinds {
    /// The types that `model` declares, members of objects included.
    pub fn of(model: &Model) -> Self {
        let mut kinds = Self::default();
        kinds.declare("", &model.fields);
        kinds
    }

    pub(crate) fn insert(&mut self, path: String, kind: FieldType) {
        self.0.insert(path, kind);
    }

    pub(crate) fn class(&self, path: &str) -> Class {
        match self.0.get(path) {
            None if path == super::ID => Class::Text,
            None
            | Some(
                FieldType::Object | FieldType::Nested | FieldType::GeoPoint | FieldType::GeoShape,
            ) => Class::Any,
            Some(FieldType::Keyword | FieldType::Text | FieldType::Ip | FieldType::Binary) => {
                Class::Text
            }
            Some(FieldType::Date) => Class::Date,
            Some(FieldType::Boolean) => Class::Boolean,
            Some(
                FieldType::Long
                | FieldType::Integer
                | FieldType::Short
                | FieldType::Byte
                | FieldType::Double
                | FieldType::Float
                | FieldType::HalfFloat,
            ) => Class::Number,
        }
    }

    fn declare(&mut self, prefix: &str, fields: &IndexMap<String, Field>) {
        for (name, field) in fields {
            let path = format!("{prefix}{name}");
            if !field.fields.is_empty() {
                self.declare(&format!("{path}."), &field.fields);
            }
            self.insert(path, field.kind);
        }
    }
}
