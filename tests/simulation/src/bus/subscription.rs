//! Messages that one process takes from one queue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use async_trait::async_trait;
use maas_model::message::memory::{Kept, Lease};
use maas_model::message::{Delivery, QueueName, Subscription};
use tokio::time::{Instant, sleep_until};

use super::Closed;
use super::settle::SimulatedSettle;
use crate::oracle::Debts;
use crate::world::{Who, World};

pub(super) struct SimulatedSubscription {
    pub(super) world: Arc<World>,
    pub(super) who: Who,
    pub(super) queue: QueueName,
    pub(super) prefetch: usize,
    pub(super) unsettled: Arc<AtomicUsize>,
    pub(super) closed: Arc<Closed>,
}

impl SimulatedSubscription {
    /// A message, or until when there is none for certain.
    fn take(&self) -> Result<(Lease, Kept), Option<Instant>> {
        let mut state = self.world.state();
        let waits_until = state.broker.wake(Instant::now());
        if self.unsettled.load(Relaxed) >= self.prefetch {
            return Err(waits_until);
        }
        let taken = state.broker.take(&self.queue, self.who.holder());
        let (lease, kept) = taken.ok_or(waits_until)?;
        let (who, queue) = (self.who, &self.queue);
        let (id, tries, abandoned) = (&kept.message.message_id, kept.tries, kept.abandoned);
        state.say(format_args!(
            "{who} takes {id} from {queue}: tries {tries}, abandoned {abandoned}"
        ));
        Ok((lease, kept))
    }

    fn deliver(&self, lease: Lease, kept: Kept) -> Delivery {
        self.unsettled.fetch_add(1, Relaxed);
        let (exchange, key, headers): (_, _, BTreeMap<_, _>) = kept.origin();
        let debts = match kept.redelivered {
            true => {
                let state = self.world.state();
                let message = &kept.message;
                let (id, body) = (&message.message_id, &message.body);
                state.oracle.debts(&state.documents, id, body)
            }
            false => Debts::default(),
        };
        let settle = SimulatedSettle {
            debts,
            world: Arc::clone(&self.world),
            who: self.who,
            lease,
            body: kept.message.body.clone(),
            message_id: kept.message.message_id.clone(),
            unsettled: Arc::clone(&self.unsettled),
            settled: false,
        };
        let (abandoned, alone) = (kept.abandoned, kept.alone);
        let delivery = Delivery::new(
            self.queue.clone(),
            exchange,
            key,
            kept.message.body,
            kept.message.priority,
            headers,
            kept.redelivered,
            kept.tries,
            Box::new(settle),
        );
        delivery.suspected(abandoned, alone)
    }
}

#[async_trait]
impl Subscription for SimulatedSubscription {
    async fn next(&mut self) -> Option<Delivery> {
        loop {
            let changed = self.world.bus_changed.notified();
            let told = self.closed.told.notified();
            if self.closed.is.load(Relaxed) {
                return None;
            }
            let until = match self.take() {
                Ok((lease, kept)) => return Some(self.deliver(lease, kept)),
                Err(until) => until,
            };
            let later = async {
                match until {
                    Some(until) => sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = told => {}
                () = changed => {}
                () = later => {}
            }
        }
    }
}

impl Drop for SimulatedSubscription {
    fn drop(&mut self) {
        // A queue that is gone has no consumers.
        let _ = self.world.state().broker.consumers(&self.queue, false);
    }
}
