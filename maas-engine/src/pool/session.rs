//! What the engines of one message share.

use std::any::{Any, TypeId};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use maas_model::document::{Document, DocumentId, IndexName};
use tokio::time::Instant;

/// Lives as long as one message is worked on: input documents, each read once, and whatever engines
/// leave for the engines behind them (parsed names), one value per type.
#[derive(Default)]
pub struct Session {
    values: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    inputs: HashMap<IndexName, HashMap<DocumentId, Arc<Document>>>,
    missing: BTreeSet<DocumentId>,
    written: HashMap<IndexName, Instant>,
}

impl Session {
    /// The value of this type; made when it is asked for the first time.
    pub fn value<T: Default + Send + Sync + 'static>(&mut self) -> &mut T {
        self.values
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Box::new(T::default()))
            .downcast_mut()
            .unwrap_or_else(|| unreachable!("values are kept under their own type"))
    }

    /// The value of this type, if an engine left one.
    pub fn peek<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.values.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// Forgets everything but which inputs are missing: what an engine left that panicked may be half done.
    pub(crate) fn forget(&mut self) {
        self.values.clear();
        self.inputs.clear();
    }

    pub(crate) fn input(&self, alias: &IndexName, id: &DocumentId) -> Option<&Arc<Document>> {
        self.inputs.get(alias)?.get(id)
    }

    pub(crate) fn keep_input(&mut self, alias: &IndexName, document: Arc<Document>) {
        self.inputs
            .entry(alias.clone())
            .or_default()
            .insert(document.id.clone(), document);
    }

    /// These are read again when they are asked for again.
    pub(crate) fn forget_inputs<'a>(&mut self, ids: impl IntoIterator<Item = &'a DocumentId>) {
        for id in ids {
            for documents in self.inputs.values_mut() {
                documents.remove(id);
            }
        }
    }

    /// The inputs of this message by what they were read from, those of `ids` or, without any, all; each with
    /// the version that engines saw.
    pub(crate) fn seen(&self, ids: &HashSet<&DocumentId>) -> Vec<(IndexName, Vec<Arc<Document>>)> {
        let wanted = |document: &&Arc<Document>| ids.is_empty() || ids.contains(&document.id);
        let seen = self.inputs.iter().map(|(alias, documents)| {
            let mut documents: Vec<_> = documents.values().filter(wanted).cloned().collect();
            documents.sort_by(|a, b| a.id.cmp(&b.id));
            (alias.clone(), documents)
        });
        let mut seen: Vec<_> = seen
            .filter(|(_, documents)| !documents.is_empty())
            .collect();
        seen.sort_by(|(a, _), (b, _)| a.cmp(b));
        seen
    }

    /// `true` the first time.
    pub(crate) fn miss(&mut self, id: &DocumentId) -> bool {
        self.missing.insert(id.clone())
    }

    /// The inputs that have no document.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &DocumentId> {
        self.missing.iter()
    }

    /// A search of `index` from now on must see what was written until now.
    pub(crate) fn wrote(&mut self, index: &IndexName) {
        self.written.insert(index.clone(), Instant::now());
    }

    /// The last write of this message to `index` or, when it is an alias, to one of its indices.
    pub(crate) fn written(&self, index: &IndexName) -> Option<Instant> {
        let under = |name: &IndexName| name.as_str().starts_with(index.as_str());
        let writes = self.written.iter().filter(|(name, _)| under(name));
        writes.map(|(_, instant)| *instant).max()
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("values", &self.values.len())
            .field("inputs", &self.inputs.len())
            .finish_non_exhaustive()
    }
}
