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

impl Field {
    /// A field without parameters and members.
    pub fn new(kind: FieldType) -> Self {
        Self {
            kind,
            parameters: serde_json::Map::new(),
            fields: IndexMap::new(),
        }
    }
}

impl FieldType {
    /// All types.
    pub const ALL: [Self; 17] = [
        Self::Keyword,
        Self::Text,
        Self::Date,
        Self::Long,
        Self::Integer,
        Self::Short,
        Self::Byte,
        Self::Double,
        Self::Float,
        Self::HalfFloat,
        Self::Boolean,
        Self::Object,
        Self::Nested,
        Self::GeoPoint,
        Self::GeoShape,
        Self::Ip,
        Self::Binary,
    ];

    /// The word for it in a mapping and in YAML.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Text => "text",
            Self::Date => "date",
            Self::Long => "long",
            Self::Integer => "integer",
            Self::Short => "short",
            Self::Byte => "byte",
            Self::Double => "double",
            Self::Float => "float",
            Self::HalfFloat => "half_float",
            Self::Boolean => "boolean",
            Self::Object => "object",
            Self::Nested => "nested",
            Self::GeoPoint => "geo_point",
            Self::GeoShape => "geo_shape",
            Self::Ip => "ip",
            Self::Binary => "binary",
        }
    }

    /// The type of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether its values are numbers.
    pub fn is_number(self) -> bool {
        use FieldType::{Byte, Double, Float, HalfFloat, Integer, Long, Short};
        matches!(
            self,
            Long | Integer | Short | Byte | Double | Float | HalfFloat
        )
    }

    /// Whether its values are objects.
    pub fn is_object(self) -> bool {
        matches!(self, Self::Object | Self::Nested)
    }
}

impl std::fmt::Display for FieldType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
