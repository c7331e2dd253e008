//! From a record to a document that is ready for comparison: id, coercion, index. On the extractor's
//! thread, so that it costs the stages that talk to store and bus nothing.

use std::ops::ControlFlow;
use std::sync::Arc;

use maas_model::document::{DocumentId, IndexName, Source, zulu};
use maas_model::ledger::Taken;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::recipe::Target;
use super::room::Place;
use super::stats::Count;
use super::{Ending, Item, Shared};
use crate::extract::{BadRecord, ExtractError, Input, Origin, RecordSink};

/// Most records and (about) bytes that go to the writer together.
pub(super) const PORTION_RECORDS: usize = 250;
const PORTION_BYTES: usize = 1 << 20;

/// A coerced record.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) id: DocumentId,
    /// Where it goes if it is new.
    pub(super) index: IndexName,
    /// With `ingestionTime`, in case it is new.
    pub(super) source: Source,
    /// Fields that the record has and that are empty: they go from the document if it changes.
    pub(super) cleared: Vec<String>,
    pub(super) item: Arc<Item>,
}

/// What the extractor's thread hands to the writer.
pub(super) enum Portion {
    /// Some records of an item, and its end when they are the last.
    Records {
        item: Arc<Item>,
        records: Vec<Prepared>,
        bad: Vec<BadRecord>,
        /// The units that records and bad ones are.
        taken: Taken,
        /// Held until they are written.
        place: Option<Place>,
        bytes: usize,
        ending: Option<Ending>,
    },
    /// The source has nothing more for now: what waits is to be announced.
    TurnEnd,
}

impl Target {
    /// Makes a document of a record.
    pub(super) fn prepare(
        &self,
        mut record: Source,
        report: Option<&str>,
        now: &str,
        item: &Arc<Item>,
    ) -> Result<Prepared, (Option<String>, String)> {
        let report = report.unwrap_or(&item.raw.name);
        record.insert("reportName".into(), report.into());
        if let Some(folder) = &item.raw.folder {
            record.insert("reportFolder".into(), folder.as_str().into());
        }
        let id = self.id.id_of(&record);
        let id = id.map_err(|error| (None, error.to_string()))?;
        let cleared = record
            .iter()
            .filter(|(_, value)| is_empty(value))
            .map(|(field, _)| field.clone())
            .collect();
        self.model.coerce(&mut record).map_err(|errors| {
            let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
            (
                errors.first().map(|error| error.field.clone()),
                all.join("; "),
            )
        })?;
        record.insert("ingestionTime".into(), now.into());
        let index = self.model.index_of(&record);
        Ok(Prepared {
            id,
            index: index.map_err(|error| (None, error.to_string()))?,
            source: record,
            cleared,
            item: Arc::clone(item),
        })
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// About how many bytes a value takes as JSON.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 3,
        Value::Array(items) => items.iter().map(weight).sum::<usize>() + 2,
        Value::Object(fields) => source_weight(fields),
        _ => 8,
    }
}

fn source_weight(source: &Source) -> usize {
    let fields = source.iter();
    fields
        .map(|(name, value)| name.len() + 4 + weight(value))
        .sum::<usize>()
        + 2
}

/// Extracts and prepares one item, to its end or until nobody wants more. Blocks.
pub(super) fn extract(
    shared: &Shared,
    target: &Target,
    item: Arc<Item>,
    portions: &mut dyn Outlet,
    cancel: &CancellationToken,
) {
    let path = item.raw.path.clone();
    let mut sink = PortionSink {
        shared,
        target,
        now: zulu(shared.context.clock.now()),
        item: &item,
        portions,
        cancel,
        records: Vec::new(),
        bad: Vec::new(),
        bytes: 0,
        stopped: false,
    };
    let input = Input {
        path: &path,
        name: &item.raw.name,
        folder: item.folder(),
    };
    let extracted = target.extractor.extract(&input, &mut sink);
    sink.end(extracted);
}

/// Takes portions from the extractor.
pub(super) trait Outlet {
    /// Takes a portion, once there is room for so many bytes of it. `false`: nobody wants more.
    fn put(&mut self, portion: Portion) -> bool;
}

/// To the writer, from a thread that may wait for it.
pub(super) struct Blocking<'a> {
    pub(super) shared: &'a Shared,
    pub(super) portions: &'a mpsc::Sender<Portion>,
}

impl Outlet for Blocking<'_> {
    fn put(&mut self, mut portion: Portion) -> bool {
        if let Portion::Records { place, bytes, .. } = &mut portion
            && *bytes > 0
        {
            *place = Some(self.shared.room.take_blocking(*bytes));
        }
        self.portions.blocking_send(portion).is_ok()
    }
}

struct PortionSink<'a> {
    shared: &'a Shared,
    target: &'a Target,
    now: String,
    item: &'a Arc<Item>,
    portions: &'a mut dyn Outlet,
    cancel: &'a CancellationToken,
    records: Vec<Prepared>,
    bad: Vec<BadRecord>,
    bytes: usize,
    stopped: bool,
}

impl RecordSink for PortionSink<'_> {
    fn record(&mut self, record: Source, origin: &Origin<'_>) -> ControlFlow<()> {
        self.shared.stats.add(Count::Records, 1);
        let report = origin.report();
        match self.target.prepare(record, report, &self.now, self.item) {
            Ok(prepared) => {
                self.bytes += source_weight(&prepared.source);
                self.records.push(prepared);
                self.send_when_full()
            }
            Err((field, reason)) => self.refuse(origin.bad(field, reason)),
        }
    }

    fn bad(&mut self, bad: BadRecord) -> ControlFlow<()> {
        self.shared.stats.add(Count::Records, 1);
        self.refuse(bad)
    }
}

impl PortionSink<'_> {
    fn refuse(&mut self, bad: BadRecord) -> ControlFlow<()> {
        self.bytes += bad.raw.len();
        self.bad.push(bad);
        self.send_when_full()
    }

    fn send_when_full(&mut self) -> ControlFlow<()> {
        let full = self.records.len() + self.bad.len() >= PORTION_RECORDS;
        if full || self.bytes >= PORTION_BYTES {
            self.send(None);
        }
        self.stopped |= self.cancel.is_cancelled();
        if self.stopped {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn end(mut self, extracted: Result<(), ExtractError>) {
        let ending = match extracted {
            _ if self.stopped => Ending::Released,
            Ok(()) => Ending::Complete,
            Err(error) => Ending::Broken(error.to_string()),
        };
        self.send(Some(ending));
    }

    fn send(&mut self, ending: Option<Ending>) {
        let bytes = std::mem::take(&mut self.bytes);
        let portion = Portion::Records {
            item: Arc::clone(self.item),
            taken: self.shared.stats.take(self.records.len() + self.bad.len()),
            records: std::mem::take(&mut self.records),
            bad: std::mem::take(&mut self.bad),
            place: None,
            bytes,
            ending,
        };
        // Nobody listens any more when another stage failed.
        self.stopped |= !self.portions.put(portion);
    }
}
