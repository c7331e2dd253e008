//! Fields and their types.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// One declared field.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its type.
    pub kind: FieldType,
    /// Further mapping parameters (`format`, `ignore_malformed`), given to the store as they are.
    pub parameters: serde_json::Map<String, serde_json::Value>,
    /// Declared members of an object.
    pub fields: IndexMap<String, Field>,
}

/// The types of fields, named as in an index mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum FieldType {
    Keyword,
    Text,
    Date,
    Long,
    Integer,
    Short,
    Byte,
    Double,
    Float,
    HalfFloat,
    Boolean,
    Object,
    Nested,
    GeoPoint,
    GeoShape,
    Ip,
    Binary,
}
