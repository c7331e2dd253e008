//! Live figures of a flow.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use maas_model::ledger::{Book, Ledger, MetricNames, Taken};
use metrics::Counter;

/// Counts what a flow does, also as metrics `maas_collect_NAME_total` with the label `interface`.
pub struct FlowStats {
    interface: String,
    figures: [Figure; FIGURES.len()],
    records: Arc<Ledger>,
    waiting: AtomicBool,
    unsettled: AtomicU64,
}

struct Figure {
    count: AtomicU64,
    metric: Counter,
}

/// Units are records, as the extractor gives them.
const RECORDS: MetricNames = MetricNames {
    received: "maas_collect_records_received_total",
    settled: "maas_collect_records_total",
    in_flight: "maas_collect_records_in_flight",
    owner: "interface",
};

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Count {
    Files,
    Broken,
    Records,
    New,
    Updated,
    Unchanged,
    Refused,
    Announced,
    Messages,
}

/// In the order of [`Count`]. What the ledger tells is no metric of its own.
const FIGURES: [Option<&str>; 9] = [
    Some("maas_collect_files_total"),
    Some("maas_collect_broken_files_total"),
    None,
    Some("maas_collect_new_total"),
    Some("maas_collect_updated_total"),
    None,
    Some("maas_collect_dead_letters_total"),
    Some("maas_collect_announced_total"),
    Some("maas_collect_messages_total"),
];

/// What a flow has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct FlowCounts {
    /// Files settled, broken ones included.
    pub files: u64,
    /// Files that could not be read to their end.
    pub broken: u64,
    /// Records read.
    pub records: u64,
    /// Documents created.
    pub new: u64,
    /// Documents that changed.
    pub updated: u64,
    /// Records that changed nothing.
    pub unchanged: u64,
    /// Records, documents and announcements that became dead letters.
    pub refused: u64,
    /// Documents announced.
    pub announced: u64,
    /// Messages published.
    pub messages: u64,
}

impl FlowStats {
    pub(super) fn new(interface: &str) -> Self {
        Self {
            interface: interface.to_owned(),
            figures: FIGURES.map(|name| Figure {
                count: AtomicU64::new(0),
                metric: name.map_or_else(
                    Counter::noop,
                    |name| metrics::counter!(name, "interface" => interface.to_owned()),
                ),
            }),
            records: Arc::default(),
            waiting: AtomicBool::new(false),
            unsettled: AtomicU64::new(0),
        }
    }

    /// The interface.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// What was done so far.
    pub fn counts(&self) -> FlowCounts {
        let get = |count: Count| self.figures[count as usize].count.load(Relaxed);
        FlowCounts {
            files: get(Count::Files),
            broken: get(Count::Broken),
            records: get(Count::Records),
            new: get(Count::New),
            updated: get(Count::Updated),
            unchanged: get(Count::Unchanged),
            refused: get(Count::Refused),
            announced: get(Count::Announced),
            messages: get(Count::Messages),
        }
    }

    /// Where the records are that were read.
    pub fn book(&self) -> Book {
        self.records.book()
    }

    /// Sets the metrics of records received and of what came of them. Two calls must not meet.
    pub fn publish(&self) {
        self.records.publish(RECORDS, &self.interface);
    }

    /// Records are read.
    pub(super) fn take(&self, records: usize) -> Taken {
        self.records.take(records as u64)
    }

    /// Whether the source had nothing more when it was asked last, and everything taken is settled.
    pub fn is_idle(&self) -> bool {
        self.waiting.load(Relaxed) && self.unsettled.load(Relaxed) == 0
    }

    pub(super) fn add(&self, count: Count, more: u64) {
        let figure = &self.figures[count as usize];
        figure.count.fetch_add(more, Relaxed);
        figure.metric.increment(more);
    }

    /// The source was asked and had nothing, or gave something.
    pub(super) fn set_waiting(&self, waiting: bool) {
        self.waiting.store(waiting, Relaxed);
    }

    pub(super) fn taken(&self, items: u64) {
        self.unsettled.fetch_add(items, Relaxed);
    }

    /// Items taken and not settled.
    pub(super) fn unsettled(&self) -> u64 {
        self.unsettled.load(Relaxed)
    }

    pub(super) fn settled(&self) {
        self.unsettled.fetch_sub(1, Relaxed);
    }
}

impl std::fmt::Debug for FlowStats {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlowStats")
            .field("interface", &self.interface)
            .field("counts", &self.counts())
            .field("idle", &self.is_idle())
            .finish()
    }
}
