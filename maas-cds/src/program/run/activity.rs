//! What the parts of a run have done so far, and when they were at work.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use maas_collector::flow::FlowStats;
use maas_engine::pool::PoolStats;
use tokio_util::sync::CancellationToken;

/// How often is looked: the error of the seconds told at the end.
const PAUSE: Duration = Duration::from_millis(20);

/// All parts of a run. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Activities {
    pub(crate) flows: Vec<Activity<FlowStats>>,
    pub(crate) pools: Vec<Activity<PoolStats>>,
}

/// One part.
pub(crate) struct Activity<S> {
    pub(crate) name: String,
    pub(crate) stats: Arc<S>,
    span: Arc<Mutex<Span>>,
}

impl<S> Clone for Activity<S> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            stats: self.stats.clone(),
            span: self.span.clone(),
        }
    }
}

/// From the first work seen to the last.
#[derive(Default)]
struct Span {
    began: Option<Instant>,
    changed: Option<Instant>,
    seen: u64,
}

impl<S> Activity<S> {
    pub(crate) fn new(name: &str, stats: Arc<S>) -> Self {
        Self {
            name: name.to_owned(),
            stats,
            span: Arc::default(),
        }
    }

    /// How long it was at work, from its first to its last piece.
    pub(crate) fn seconds(&self) -> f64 {
        let span = self.span.lock().unwrap_or_else(PoisonError::into_inner);
        match (span.began, span.changed) {
            (Some(began), Some(changed)) => (changed - began).as_secs_f64(),
            _ => 0.0,
        }
    }

    fn look(&self, work: u64, now: Instant) {
        let mut span = self.span.lock().unwrap_or_else(PoisonError::into_inner);
        if work != span.seen {
            // It began at some instant since the last look.
            span.began
                .get_or_insert(now.checked_sub(PAUSE).unwrap_or(now));
            span.changed = Some(now);
            span.seen = work;
        }
    }
}

impl Activities {
    pub(crate) fn pools_are_idle(&self) -> bool {
        self.pools.iter().all(|pool| pool.stats.is_idle())
    }

    /// Messages that pools have in hand.
    pub(crate) fn in_flight(&self) -> u64 {
        let pools = self.pools.iter();
        pools.map(|pool| pool.stats.in_flight()).sum()
    }

    fn look(&self) {
        let now = Instant::now();
        for flow in &self.flows {
            flow.look(flow_work(&flow.stats), now);
        }
        for pool in &self.pools {
            pool.look(pool_work(&pool.stats), now);
        }
    }
}

/// Something that grows with every piece of work.
fn flow_work(stats: &FlowStats) -> u64 {
    let counts = stats.counts();
    counts.records
        + counts.new
        + counts.updated
        + counts.unchanged
        + counts.announced
        + counts.files
}

fn pool_work(stats: &PoolStats) -> u64 {
    stats.messages.get() + stats.documents.get() + stats.published.get() + stats.returned.get()
}

/// Looks until `ended`.
pub(crate) async fn watch(activities: Activities, ended: CancellationToken) {
    let mut tick = tokio::time::interval(PAUSE);
    while ended.run_until_cancelled(tick.tick()).await.is_some() {
        activities.look();
    }
    activities.look();
}
