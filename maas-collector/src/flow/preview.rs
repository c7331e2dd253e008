//! What an interface makes of files, with nothing stored and nobody told: for trying and testing.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;

use maas_model::clock::Clock;
use maas_model::document::{Document, DocumentId, IndexName, Source, zulu};
use maas_model::message::Outgoing;
use maas_model::pipeline::Interface;
use maas_model::store::WriteOp;

use super::merge::Plan;
use super::prepare::Prepared;
use super::recipe::{Recipe, Target};
use super::{FlowError, Item, meta};
use crate::collect::RawItem;
use crate::extract::{BadRecord, Input, Origin, RecordSink};

/// Records, documents and messages of an interface as a flow would make them if the store were empty.
pub struct Preview {
    recipe: Recipe,
}

/// What one file becomes.
#[derive(Debug, Default)]
pub struct FilePreview {
    /// Each document once, with all its records applied, in the order of the file.
    pub documents: Vec<Document>,
    /// Records that become dead letters.
    pub bad: Vec<BadRecord>,
    /// Why the file could not be read to its end.
    pub broken: Option<String>,
    /// The base name, when it was read to its end.
    whole: Option<String>,
}

impl Preview {
    /// Makes the extractor of an interface. No I/O. `clock` is for `ingestionTime` and the dates of messages.
    pub fn build(interface: &Interface, clock: Clock) -> Result<Self, FlowError> {
        let recipe = Recipe::of(interface, clock)?;
        Ok(Self { recipe })
    }

    /// Reads a file and makes its documents, all of which it keeps. Blocks.
    pub fn documents(&self, raw: RawItem) -> FilePreview {
        self.read(raw, true, &mut |_| ControlFlow::Continue(()))
    }

    /// Reads a file of any size: `each` is given every record as the extractor made it, and may say that it
    /// wants no more. No documents are kept. Blocks.
    pub fn records(
        &self,
        raw: RawItem,
        each: &mut dyn FnMut(&Source) -> ControlFlow<()>,
    ) -> FilePreview {
        self.read(raw, false, each)
    }

    fn read(
        &self,
        raw: RawItem,
        keeps: bool,
        each: &mut dyn FnMut(&Source) -> ControlFlow<()>,
    ) -> FilePreview {
        let mut preview = FilePreview::default();
        let Some(target) = &self.recipe.target else {
            preview.whole = Some(raw.name);
            return preview;
        };
        let meta = match meta::read(&raw.path) {
            Ok(meta) => meta,
            Err(reason) => {
                preview.broken = Some(reason);
                return preview;
            }
        };
        let item = Arc::new(Item {
            raw,
            recovered: false,
            meta,
        });
        let mut sink = Sink {
            target,
            now: zulu(self.recipe.clock.now()),
            item: &item,
            keeps,
            each,
            records: Vec::new(),
            bad: Vec::new(),
        };
        let input = Input {
            path: &item.raw.path,
            name: &item.raw.name,
            folder: item.raw.folder.as_deref(),
        };
        match target.extractor.extract(&input, &mut sink) {
            Ok(()) => preview.whole = Some(item.raw.name.clone()),
            Err(error) => preview.broken = Some(error.to_string()),
        }
        let Sink {
            records, bad, now, ..
        } = sink;
        preview.bad = bad;
        preview.documents = documents(target, records, &now);
        preview
    }

    /// The messages about some files, in the order in which they would be published.
    pub fn messages(&self, files: &[FilePreview]) -> Vec<Outgoing> {
        let mut messages: Vec<Outgoing> = files
            .iter()
            .filter_map(|file| self.recipe.file_message(file.whole.as_deref()?))
            .collect();
        let documents = files.iter().flat_map(|file| &file.documents);
        let mut ids: VecDeque<(DocumentId, IndexName)> = documents
            .map(|document| (document.id.clone(), document.index.clone()))
            .collect();
        messages.extend(self.recipe.messages(&mut ids, true));
        messages
    }
}

fn documents(target: &Target, records: Vec<Prepared>, now: &str) -> Vec<Document> {
    let plan = Plan::new(records, Vec::new());
    let entries = plan.entries.values();
    let actions = entries.map(|entry| entry.action(entry.merged(&target.model, now)));
    let documents = actions.filter_map(|action| match action.op {
        WriteOp::Create(source) | WriteOp::Index(source, _) => Some(Document {
            index: action.index,
            id: action.id,
            version: None,
            source,
        }),
        WriteOp::Delete(_) => None,
    });
    documents.collect()
}

struct Sink<'a> {
    target: &'a Target,
    now: String,
    item: &'a Arc<Item>,
    /// Whether records are kept for documents; they are prepared in any case, to find what is wrong.
    keeps: bool,
    each: &'a mut dyn FnMut(&Source) -> ControlFlow<()>,
    records: Vec<Prepared>,
    bad: Vec<BadRecord>,
}

impl RecordSink for Sink<'_> {
    fn record(&mut self, record: Source, origin: &Origin<'_>) -> ControlFlow<()> {
        let wanted = (self.each)(&record);
        let report = origin.report();
        match self.target.prepare(record, report, &self.now, self.item) {
            Ok(prepared) if self.keeps => self.records.push(prepared),
            Ok(_) => {}
            Err((field, reason)) => self.bad.push(origin.bad(field, reason)),
        }
        wanted
    }

    fn bad(&mut self, bad: BadRecord) -> ControlFlow<()> {
        self.bad.push(bad);
        ControlFlow::Continue(())
    }
}
