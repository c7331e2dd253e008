//! The small query language that every store understands.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::DocumentId;

/// Which documents. Fields are named by their path (`a.b` for a member of an object). A field that
/// holds a list matches when one of its elements does. Dates are compared as instants, in the stored
/// text form or any form that [`parse_date`](crate::document::parse_date) reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
// A range is the big one, and as common as any: a box would cost more than the bytes.
#[allow(clippy::large_enum_variant)]
pub enum Query {
    /// Every document.
    All,
    /// The field equals the value.
    Term {
        /// Path of the field.
        field: String,
        /// Text, number or boolean.
        value: Value,
    },
    /// The field equals one of the values.
    Terms {
        /// Path of the field.
        field: String,
        /// Texts, numbers or booleans; none matches nothing.
        values: Vec<Value>,
    },
    /// The field lies between bounds; an absent bound is open.
    Range {
        /// Path of the field: a number, a date or a text.
        field: String,
        /// Greater than.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gt: Option<Value>,
        /// Greater than or equal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gte: Option<Value>,
        /// Less than.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lt: Option<Value>,
        /// Less than or equal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lte: Option<Value>,
    },
    /// The text starts with this.
    Prefix {
        /// Path of the field.
        field: String,
        /// The first characters.
        value: String,
    },
    /// The field is there and neither null nor an empty list.
    Exists {
        /// Path of the field.
        field: String,
    },
    /// The document has one of these ids.
    Ids(Vec<DocumentId>),
    /// All of them; none is [`Query::All`].
    And(Vec<Query>),
    /// At least one of them; none matches nothing.
    Or(Vec<Query>),
    /// Not this.
    Not(Box<Query>),
}

impl Query {
    /// `field` equals `value`.
    pub fn term(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::Term {
            field: field.into(),
            value: value.into(),
        }
    }

    /// `field` equals one of `values`.
    pub fn terms<V: Into<Value>>(
        field: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        Self::Terms {
            field: field.into(),
            values: values.into_iter().map(Into::into).collect(),
        }
    }

    /// `from <= field <= to`.
    pub fn between(field: impl Into<String>, from: impl Into<Value>, to: impl Into<Value>) -> Self {
        Self::Range {
            field: field.into(),
            gt: None,
            gte: Some(from.into()),
            lt: None,
            lte: Some(to.into()),
        }
    }

    /// The deepest nesting of `and`, `or` and `not` that a store takes.
    pub const DEEPEST: usize = 32;

    /// Why no store takes this query.
    pub fn check(&self) -> Result<(), String> {
        if self.fits_in(Self::DEEPEST) {
            return Ok(());
        }
        let deepest = Self::DEEPEST;
        Err(format!("the query is nested deeper than {deepest} levels"))
    }

    fn fits_in(&self, levels: usize) -> bool {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                levels > 0 && parts.iter().all(|part| part.fits_in(levels - 1))
            }
            Self::Not(part) => levels > 0 && part.fits_in(levels - 1),
            _ => true,
        }
    }

    /// The paths of all fields that it asks for.
    pub fn fields(&self) -> Vec<&str> {
        let mut fields = Vec::new();
        let mut waiting = vec![self];
        while let Some(query) = waiting.pop() {
            match query {
                Self::All | Self::Ids(_) => {}
                Self::Term { field, .. }
                | Self::Terms { field, .. }
                | Self::Range { field, .. }
                | Self::Prefix { field, .. }
                | Self::Exists { field } => fields.push(field.as_str()),
                Self::And(parts) | Self::Or(parts) => waiting.extend(parts.iter().rev()),
                Self::Not(part) => waiting.push(part),
            }
        }
        fields
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::And(vec![self, other])
    }
}

/// A query with order and size.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// Which documents.
    pub query: Query,
    /// In which order; documents that are equal in all of it come in an order of the store's choice,
    /// documents without the field come last.
    pub sort: Vec<Sort>,
    /// At most this many documents (or documents per page), 1 to [`Search::MOST`].
    pub limit: usize,
    /// Only these fields are returned; none means all.
    pub fields: Vec<String>,
}

impl Search {
    /// The most documents one answer may hold: OpenSearch's own window.
    pub const MOST: usize = 10_000;

    /// All that match, unordered, in answers of 1,000.
    pub fn new(query: Query) -> Self {
        Self {
            query,
            sort: Vec::new(),
            limit: 1_000,
            fields: Vec::new(),
        }
    }

    /// Why no store takes this search.
    pub fn check(&self) -> Result<(), String> {
        let (limit, most) = (self.limit, Self::MOST);
        if !(1..=most).contains(&limit) {
            return Err(format!("the limit `{limit}` is not between 1 and {most}"));
        }
        self.query.check()
    }

    /// Adds an order behind those given before.
    #[must_use]
    pub fn sorted(mut self, field: impl Into<String>, order: Order) -> Self {
        self.sort.push(Sort {
            field: field.into(),
            order,
        });
        self
    }

    /// At most this many.
    #[must_use]
    pub fn limited(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

/// One field to sort by. `_id` is the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// Path of the field.
    pub field: String,
    /// Up or down.
    pub order: Order,
}

/// Up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}
