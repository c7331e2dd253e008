//! What kinds of documents there are: fields and types, partitions, index template.

mod coerce;
mod field;
pub(crate) mod number;
mod partition;
mod spec;
mod template;

pub use coerce::CoerceError;
pub use field::{Field, FieldType};
pub use partition::{Partition, PartitionError};
pub use spec::{FieldSpec, FullFieldSpec, ModelSpec, PartitionSpec};

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::document::IndexName;

/// One kind of document. Described in YAML under `models`.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// The class named in messages: `PripProduct`.
    pub name: String,
    /// The alias over all its indices, and the prefix of their names: `raw-data-prip-product`.
    pub alias: IndexName,
    /// Declared fields, in their order. Documents may have further ones, which are kept as they are.
    /// Models of collected documents declare `reportName`, `reportFolder` and `ingestionTime` too.
    pub fields: IndexMap<String, Field>,
    /// How documents are spread over indices; `None`: all in one index with the name of the alias.
    pub partition: Option<Partition>,
    /// Settings of the index (`number_of_shards`); the store's defaults where absent.
    pub settings: BTreeMap<String, serde_json::Value>,
}

/// All models of a pipeline, by name.
pub type Models = BTreeMap<String, Arc<Model>>;

impl Model {
    /// Whether a field is declared. One that declares `updateTime` gets it at each write.
    pub fn declares(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// The declared field at a path (`a.b` for a member of an object). Below an object that declares no
    /// members, and below a field with further mappings of its own, that field itself.
    pub fn field(&self, path: &str) -> Option<&Field> {
        let mut names = path.split('.');
        let first = self.fields.get(names.next()?)?;
        names.try_fold(first, |field, name| {
            let open = field.fields.is_empty()
                && (matches!(field.kind, FieldType::Object | FieldType::Nested)
                    || field.parameters.contains_key("fields"));
            field.fields.get(name).or(open.then_some(field))
        })
    }
}
