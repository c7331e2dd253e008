//! Documents in memory, for simulations and tests of what stands around a store: every effect is a plain call,
//! nothing waits, nothing is random. It differs between what is executed, what is synced and what is visible to
//! searches, so that a crash loses what a real store may lose.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::evaluate::{SortKeys, Tally, compare, select, sort_keys};
use super::rule::{self, Rule};
use super::{
    Aggregation, Bucket, IndexInfo, Kinds, Query, Search, WriteAction, WriteOp, WriteOutcome,
    matches,
};
use crate::document::{Document, DocumentId, IndexName, Source, Version};
use crate::message::text_matches;
use crate::model::Model;

/// All indices of a store.
#[derive(Debug, Default)]
pub struct Documents {
    models: BTreeMap<String, Installed>,
    indices: BTreeMap<IndexName, Index>,
    crashes: u64,
}

#[derive(Debug, Default)]
struct Installed {
    partitioned: bool,
    rules: BTreeMap<String, Rule>,
    kinds: Arc<Kinds>,
}

#[derive(Debug, Default)]
struct Index {
    sequence: u64,
    live: Shelf,
    visible: Shelf,
    /// Nothing was written since the last refresh.
    is_fresh: bool,
    /// What was before writes that are not synced, in the order of the writes.
    unsynced: Vec<(Call, DocumentId, Option<Stored>)>,
}

type Shelf = BTreeMap<DocumentId, Stored>;

#[derive(Debug, Clone)]
struct Stored {
    source: Arc<Source>,
    version: Version,
}

/// Names one call of a client, whose writes are synced together.
pub type Call = u64;

impl Documents {
    /// As [`DocumentStore::get_many`](super::DocumentStore::get_many).
    pub fn get_many(&self, index: &IndexName, ids: &[DocumentId]) -> Vec<Option<Document>> {
        let indices = self.behind(index);
        let find = |id: &DocumentId| {
            let mut places = indices.iter().rev();
            places.find_map(|(name, index)| Some(index.live.get(id)?.document(name, id)))
        };
        ids.iter().map(find).collect()
    }

    /// Executes one action. It is seen by reads by id; a crash may lose it until [`sync`](Self::sync).
    pub fn write(&mut self, call: Call, action: WriteAction) -> WriteOutcome {
        let WriteAction { index, id, op } = action;
        if self.is_alias(&index) {
            let reason = format!("`{index}` is an alias: write to one of its indices");
            return WriteOutcome::Refused {
                field: None,
                reason,
            };
        }
        if let WriteOp::Create(source) | WriteOp::Index(source, _) = &op {
            let model = self.model_of(index.as_str());
            if let Some(refused) = rule::refusal(model.map(|model| &model.rules), source) {
                return refused;
            }
        }
        let makes = matches!(op, WriteOp::Create(_) | WriteOp::Index(_, None));
        let term = self.crashes + 1;
        match self.indices.get_mut(&index) {
            Some(index) => index.write(call, term, id, op),
            None if makes => (self.indices.entry(index).or_default()).write(call, term, id, op),
            None if op == WriteOp::Delete(None) => WriteOutcome::NotFound,
            None => WriteOutcome::Conflict,
        }
    }

    /// What this call wrote, and what was written before it, survives a crash.
    pub fn sync(&mut self, call: Call) {
        for index in self.indices.values_mut() {
            let last = index.unsynced.iter().rposition(|(of, ..)| *of == call);
            if let Some(last) = last {
                index.unsynced.drain(..=last);
            }
        }
    }

    /// Ends and comes back. `kept` is told how many writes of an index were not synced and says how many of
    /// them, oldest first, are there all the same. Names the documents that are as before.
    pub fn crash(&mut self, mut kept: impl FnMut(usize) -> usize) -> Vec<(IndexName, DocumentId)> {
        self.crashes += 1;
        let mut lost = Vec::new();
        for (name, index) in &mut self.indices {
            let kept = kept(index.unsynced.len()).min(index.unsynced.len());
            let undone = index.unsynced.split_off(kept);
            index.unsynced.clear();
            for (_, id, before) in undone.into_iter().rev() {
                lost.push((name.clone(), id.clone()));
                index.put(id, before);
            }
            index.visible = index.live.clone();
        }
        lost
    }

    /// As [`DocumentStore::refresh`](super::DocumentStore::refresh).
    pub fn refresh(&mut self, name: &IndexName) {
        let names: Vec<IndexName> = self.behind(name).into_keys().cloned().collect();
        for name in names {
            if let Some(index) = self.indices.get_mut(&name) {
                index.visible = index.live.clone();
                index.is_fresh = true;
            }
        }
    }

    /// Refreshes everything, as a real store does by itself from time to time.
    pub fn refresh_all(&mut self) {
        for index in self.indices.values_mut() {
            if !index.is_fresh {
                index.visible = index.live.clone();
                index.is_fresh = true;
            }
        }
    }

    /// As [`DocumentStore::search`](super::DocumentStore::search), without a limit.
    pub fn search(&self, index: &IndexName, search: &Search) -> Result<Vec<Document>, String> {
        search.check()?;
        search.query.check()?;
        let kinds = self.kinds_of(index);
        let mut found: Vec<(SortKeys, Document)> = self
            .visible(index, &search.query, &kinds)
            .map(|(name, id, stored)| {
                let keys = sort_keys(id, &stored.source, &search.sort, &kinds);
                (keys, stored.document(name, id))
            })
            .collect();
        found.sort_by(|(a, _), (b, _)| compare(a, b, &search.sort));
        let fields = |(_, document): (SortKeys, Document)| Document {
            source: select(document.source, &search.fields),
            ..document
        };
        Ok(found.into_iter().map(fields).collect())
    }

    /// As [`DocumentStore::count`](super::DocumentStore::count).
    pub fn count(&self, index: &IndexName, query: &Query) -> Result<u64, String> {
        query.check()?;
        let kinds = self.kinds_of(index);
        Ok(self.visible(index, query, &kinds).count() as u64)
    }

    /// As [`DocumentStore::aggregate`](super::DocumentStore::aggregate).
    pub fn aggregate(
        &self,
        index: &IndexName,
        aggregation: &Aggregation,
    ) -> Result<Vec<Bucket>, String> {
        aggregation.query.check()?;
        let kinds = self.kinds_of(index);
        let mut tally = Tally::new(aggregation, &kinds);
        for (_, id, stored) in self.visible(index, &aggregation.query, &kinds) {
            tally.add(id, &stored.source);
        }
        Ok(tally.finish())
    }

    /// As [`DocumentStore::install`](super::DocumentStore::install).
    pub fn install(&mut self, model: &Model) {
        let installed = self.models.entry(model.alias.to_string()).or_default();
        installed.partitioned = model.partition.is_some();
        installed.rules.extend(rule::rules(&model.fields));
        installed.kinds = Arc::new(rule::kinds(&installed.rules));
    }

    /// The aliases that were installed.
    pub fn installed(&self) -> Vec<String> {
        self.models.keys().cloned().collect()
    }

    /// As [`DocumentStore::indices`](super::DocumentStore::indices); a document counts as one byte.
    pub fn indices(&self, pattern: &str) -> Vec<IndexInfo> {
        let named = self.indices.iter();
        let named = named.filter(|(name, _)| text_matches(pattern, name.as_str()));
        named
            .map(|(name, index)| IndexInfo {
                name: name.clone(),
                aliases: self.aliases_of(name),
                documents: index.visible.len() as u64,
                bytes: index.live.len() as u64,
            })
            .collect()
    }

    /// As [`DocumentStore::drop_index`](super::DocumentStore::drop_index).
    pub fn drop_index(&mut self, index: &IndexName) -> Result<(), String> {
        if self.is_alias(index) {
            return Err(format!("`{index}` is an alias: name one of its indices"));
        }
        self.indices.remove(index);
        Ok(())
    }

    /// Everything that is stored, by index and id.
    pub fn all(&self) -> impl Iterator<Item = (&IndexName, &DocumentId, &Source)> {
        self.indices.iter().flat_map(|(name, index)| {
            let live = index.live.iter();
            live.map(move |(id, stored)| (name, id, &*stored.source))
        })
    }

    /// The indices that a name stands for.
    fn behind(&self, name: &IndexName) -> BTreeMap<&IndexName, &Index> {
        let alias = self.is_alias(name);
        let prefix = format!("{name}-");
        let named = |index: &IndexName| {
            index == name || (alias && index.as_str().starts_with(prefix.as_str()))
        };
        self.indices
            .iter()
            .filter(|(index, _)| named(index))
            .collect()
    }

    fn visible<'a>(
        &'a self,
        index: &IndexName,
        query: &'a Query,
        kinds: &'a Kinds,
    ) -> impl Iterator<Item = (&'a IndexName, &'a DocumentId, &'a Stored)> {
        let documents = self.behind(index).into_iter().flat_map(|(name, index)| {
            let visible = index.visible.iter();
            visible.map(move |(id, stored)| (name, id, stored))
        });
        documents.filter(|(_, id, stored)| matches(query, id, &stored.source, kinds))
    }

    fn is_alias(&self, name: &IndexName) -> bool {
        let model = self.models.get(name.as_str());
        model.is_some_and(|model| model.partitioned)
    }

    fn aliases_of(&self, index: &IndexName) -> Vec<IndexName> {
        let models = self.models.iter();
        let covering = models
            .filter(|(alias, model)| model.partitioned && model.covers(alias, index.as_str()));
        covering
            .filter_map(|(alias, _)| IndexName::new(alias.as_str()).ok())
            .collect()
    }

    fn model_of(&self, name: &str) -> Option<&Installed> {
        let models = self.models.iter();
        let covering = models.filter(|(alias, model)| model.covers(alias, name));
        covering
            .max_by_key(|(alias, _)| alias.len())
            .map(|(_, model)| model)
    }

    fn kinds_of(&self, name: &IndexName) -> Arc<Kinds> {
        let model = self.model_of(name.as_str());
        model
            .map(|model| Arc::clone(&model.kinds))
            .unwrap_or_default()
    }
}

impl Installed {
    fn covers(&self, alias: &str, index: &str) -> bool {
        let rest = index.strip_prefix(alias);
        rest.is_some_and(|rest| rest.is_empty() || (self.partitioned && rest.starts_with('-')))
    }
}

impl Index {
    fn write(&mut self, call: Call, term: u64, id: DocumentId, op: WriteOp) -> WriteOutcome {
        let before = self.live.get(&id).cloned();
        let stored = before.as_ref().map(|stored| stored.version);
        let fits = match &op {
            WriteOp::Create(_) => stored.is_none(),
            WriteOp::Index(_, None) => true,
            WriteOp::Index(_, wanted) => *wanted == stored,
            WriteOp::Delete(_) if stored.is_none() => {
                return match op {
                    WriteOp::Delete(None) => WriteOutcome::NotFound,
                    _ => WriteOutcome::Conflict,
                };
            }
            WriteOp::Delete(wanted) => wanted.is_none() || *wanted == stored,
        };
        if !fits {
            return WriteOutcome::Conflict;
        }
        self.sequence += 1;
        self.is_fresh = false;
        let version = Version {
            seq_no: self.sequence,
            primary_term: term,
        };
        self.unsynced.push((call, id.clone(), before));
        match op {
            WriteOp::Create(source) | WriteOp::Index(source, _) => {
                let source = Arc::new(source);
                self.live.insert(id, Stored { source, version });
                match stored {
                    None => WriteOutcome::Created(version),
                    Some(_) => WriteOutcome::Updated(version),
                }
            }
            WriteOp::Delete(_) => {
                self.live.remove(&id);
                WriteOutcome::Deleted
            }
        }
    }

    fn put(&mut self, id: DocumentId, stored: Option<Stored>) {
        match stored {
            Some(stored) => self.live.insert(id, stored),
            None => self.live.remove(&id),
        };
    }
}

impl Stored {
    fn document(&self, index: &IndexName, id: &DocumentId) -> Document {
        Document {
            index: index.clone(),
            id: id.clone(),
            version: Some(self.version),
            source: Source::clone(&self.source),
        }
    }
}
