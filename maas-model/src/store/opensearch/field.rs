//! How a field can be searched: asked of the cluster, once per field.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use opensearch::http::Method;
use serde::Deserialize;

use super::OpenSearchStore;
use super::client::Body;
use crate::document::IndexName;
use crate::model::FieldType;
use crate::store::evaluate::{Class, Kinds};
use crate::store::{Query, StoreError};

/// A field as the cluster knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// The path to search by: for text that was never declared the exact one, `PATH.keyword`.
    pub path: String,
    /// How its values are compared.
    pub class: Class,
}

/// The fields of one question, by the path it uses.
#[derive(Debug, Default)]
pub(super) struct Fields(HashMap<String, Field>);

/// What is known of fields, by index and path. Types never change while an index lives.
#[derive(Debug, Default)]
pub(super) struct KnownFields(Mutex<HashMap<IndexName, HashMap<String, Field>>>);

impl Fields {
    /// A field that no document has is searched all the same: in vain.
    pub(super) fn get(&self, path: &str) -> Field {
        self.0.get(path).cloned().unwrap_or_else(|| Field {
            path: path.to_owned(),
            class: Class::Any,
        })
    }
}

impl KnownFields {
    /// To be called when the types of fields may change.
    pub(super) fn forget(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn look_up(&self, index: &IndexName, path: &str) -> Option<Field> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(index)?.get(path).cloned()
    }

    fn learn(&self, index: &IndexName, path: &str, field: &Field) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fields = known.entry(index.clone()).or_default();
        fields.insert(path.to_owned(), field.clone());
    }
}

#[derive(Default, Deserialize)]
struct Capabilities {
    /// The indices whose shards answered; the others are left out without a word.
    #[serde(default)]
    indices: Vec<IndexName>,
    #[serde(default)]
    fields: HashMap<String, HashMap<String, serde::de::IgnoredAny>>,
}

impl OpenSearchStore {
    /// What there is to know of `paths`. What no document has yet is asked for again the next time.
    pub(super) async fn fields(
        &self,
        index: &IndexName,
        paths: BTreeSet<&str>,
    ) -> Result<Fields, StoreError> {
        let mut fields = HashMap::new();
        let mut unknown = Vec::new();
        for path in paths {
            match self.known_fields.look_up(index, path) {
                Some(field) => drop(fields.insert(path.to_owned(), field)),
                None if path == "_id" => {}
                None => unknown.push(path),
            }
        }
        if unknown.is_empty() {
            return Ok(Fields(fields));
        }
        let capabilities = self.capabilities(index, &unknown).await?;
        for path in unknown {
            if let Some(field) = capabilities.field(path) {
                self.known_fields.learn(index, path, &field);
                fields.insert(path.to_owned(), field);
            }
        }
        Ok(Fields(fields))
    }

    async fn capabilities(
        &self,
        index: &IndexName,
        paths: &[&str],
    ) -> Result<Capabilities, StoreError> {
        let indices = self.indices_of(index).await?;
        if indices.is_empty() {
            return Ok(Capabilities::default());
        }
        let names: Vec<String> = paths
            .iter()
            .flat_map(|path| [(*path).to_owned(), format!("{path}.keyword")])
            .collect();
        let names = names.join(",");
        let query = [("fields", names.as_str())];
        let path = format!("/{index}/_field_caps");
        let found: Option<Capabilities> = self
            .client
            .find(Method::Get, &path, &query, Body::None)
            .await?;
        // Without an answer it was dropped a moment ago, or the node is beginning.
        let found = found.unwrap_or_default();
        match indices.iter().find(|name| !found.indices.contains(name)) {
            Some(silent) => Err(self.in_part(format!("`{silent}` did not tell its fields"))),
            None => Ok(found),
        }
    }
}

impl Capabilities {
    fn field(&self, path: &str) -> Option<Field> {
        let kinds = self.fields.get(path)?;
        let exact = format!("{path}.keyword");
        if kinds.contains_key("text") && self.fields.contains_key(&exact) {
            return Some(Field {
                path: exact,
                class: Class::Text,
            });
        }
        Some(Field {
            path: path.to_owned(),
            class: class(kinds.keys().map(String::as_str)),
        })
    }
}

/// `Any` for a field whose type differs between indices.
fn class<'a>(kinds: impl Iterator<Item = &'a str>) -> Class {
    let mut classes = kinds.map(|kind| {
        let kind: Option<FieldType> = serde_json::from_value(kind.into()).ok();
        let mut kinds = Kinds::default();
        if let Some(kind) = kind {
            kinds.insert(String::new(), kind);
        }
        kinds.class("")
    });
    let Some(first) = classes.next() else {
        return Class::Any;
    };
    if classes.all(|class| class == first) {
        first
    } else {
        Class::Any
    }
}

/// The paths that a query names.
pub(super) fn paths(query: &Query) -> BTreeSet<&str> {
    let mut paths = BTreeSet::new();
    collect(query, &mut paths);
    paths
}

fn collect<'a>(query: &'a Query, paths: &mut BTreeSet<&'a str>) {
    match query {
        Query::All | Query::Ids(_) => {}
        Query::Term { field, .. }
        | Query::Terms { field, .. }
        | Query::Range { field, .. }
        | Query::Prefix { field, .. }
        | Query::Exists { field } => {
            paths.insert(field);
        }
        Query::And(parts) | Query::Or(parts) => {
            for part in parts {
                collect(part, paths);
            }
        }
        Query::Not(part) => collect(part, paths),
    }
}
