//! What is stored: a JSON object with an id, in an index, at a version.

pub(crate) mod date;
mod id;
mod index_name;
mod moment;
pub mod python_text;
pub mod view;

pub use date::{DateError, parse_date, parse_date_at, parse_date_text, zulu};
pub(crate) use date::{month_number, read_moment};
pub use id::{DocumentId, IdError, IdFields};
pub use index_name::{IndexName, IndexNameError};
pub use moment::Moment;

use serde_json::{Map, Value};

/// The content of a document. Keeps the order in which fields were set.
pub type Source = Map<String, Value>;

/// One document as read from, or on its way to, a [`DocumentStore`](crate::store::DocumentStore).
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The concrete index that holds it (never an alias).
    pub index: IndexName,
    /// Unique within its index and, by convention, within the alias of its model.
    pub id: DocumentId,
    /// The version that was read; `None` for a document that was never stored.
    pub version: Option<Version>,
    /// The fields.
    pub source: Source,
}

/// The pair that optimistic concurrency compares: a write that names it succeeds only while the
/// stored document still has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    /// Grows with every write of the index.
    pub seq_no: u64,
    /// Grows with every change of the index' owner.
    pub primary_term: u64,
}

impl Document {
    /// A document that was never stored.
    pub fn new(index: IndexName, id: DocumentId, source: Source) -> Self {
        Self {
            index,
            id,
            version: None,
            source,
        }
    }

    /// Whether it was read from the store.
    pub fn is_stored(&self) -> bool {
        self.version.is_some()
    }

    /// A field that holds text; `None` when it is absent, null or of another type.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.source.get(field).and_then(Value::as_str)
    }

    /// Sets `field`; `None` removes it, for absent and null mean the same to the store.
    pub fn set(&mut self, field: &str, value: impl Into<Option<Value>>) {
        match value.into() {
            Some(Value::Null) | None => {
                self.source.shift_remove(field);
            }
            Some(value) => {
                self.source.insert(field.to_owned(), value);
            }
        }
    }
}

/// Removes null, `[]` and `{}` from the top level: they are never stored. `""`, `0` and `false` are.
pub fn drop_empty(source: &mut Source) {
    source.retain(|_, value| match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    });
}

/// Whether writing `new` over `old` would change a field that `new` has.
///
/// Fields of `old` that `new` lacks do not count (a removal alone is no change), numbers are equal
/// across kinds (`1 == 1.0`).
pub fn changes(old: &Source, new: &Source) -> bool {
    new.iter()
        .any(|(field, value)| old.get(field).is_none_or(|before| !same(before, value)))
}

/// Equality of JSON values in which `1`, `1.0` and `true` are the same, as in the original.
pub fn same(a: &Value, b: &Value) -> bool {
    fn number(value: &Value) -> Option<f64> {
        match value {
            Value::Number(n) => n.as_f64(),
            Value::Bool(b) => Some(f64::from(u8::from(*b))),
            _ => None,
        }
    }
    match (a, b) {
        (Value::Number(x), Value::Number(y)) if x == y => true,
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y))
        }
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len()
                && x.iter()
                    .all(|(field, x)| y.get(field).is_some_and(|y| same(x, y)))
        }
        _ => match (number(a), number(b)) {
            (Some(x), Some(y)) => x == y,
            _ => a == b,
        },
    }
}
