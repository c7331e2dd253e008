//! A bus in memory that records what is published and how deliveries are settled.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use maas_model::message::{
    BusError, BusStatus, DeadReason, Delivery, ExchangeName, MessageBus, Outgoing, Peeked,
    Published, QueueInfo, QueueName, RoutingKey, Settle, Subscription, Topology,
};
use tokio::sync::Notify;

#[derive(Debug, Clone, Default)]
pub(super) struct FakeBus(Arc<Fake>);

#[derive(Debug, Default)]
struct Fake {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    published: Vec<Outgoing>,
    /// Answers to the next messages; `Routed` when there is none.
    answers: VecDeque<Published>,
    /// The next calls fail.
    failures: usize,
    closed: bool,
    queues: BTreeMap<QueueName, VecDeque<(Vec<u8>, u32)>>,
    settled: Vec<(String, Settled)>,
    taken: Vec<String>,
}

/// How a message was settled.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Settled {
    Acked,
    Returned(Duration),
    Dead(String),
}

impl FakeBus {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap()
    }

    pub(super) fn will_answer(&self, answers: &[Published]) {
        self.inner().answers.extend(answers.iter().cloned());
    }

    pub(super) fn will_fail(&self, calls: usize) {
        self.inner().failures = calls;
    }

    /// As if the process had died: nothing is published any more.
    pub(super) fn crash(&self, crashed: bool) {
        self.inner().closed = crashed;
    }

    pub(super) fn published(&self) -> Vec<Outgoing> {
        self.inner().published.clone()
    }

    pub(super) fn send(&self, queue: &QueueName, body: Vec<u8>) {
        self.inner()
            .queues
            .entry(queue.clone())
            .or_default()
            .push_back((body, 0));
        self.0.changed.notify_waiters();
    }

    fn take(&self, queue: &QueueName) -> Option<(Vec<u8>, u32)> {
        let mut inner = self.inner();
        let message = inner.queues.get_mut(queue)?.pop_front()?;
        inner.taken.push(queue.to_string());
        Some(message)
    }

    /// Body of every message and how it was settled, in order.
    pub(super) fn settled(&self) -> Vec<(String, Settled)> {
        self.inner().settled.clone()
    }

    /// The queues that messages were taken from, in order.
    pub(super) fn taken(&self) -> Vec<String> {
        self.inner().taken.clone()
    }

    pub(super) async fn until_settled(&self, count: usize) {
        loop {
            let changed = self.0.changed.notified();
            if self.inner().settled.len() >= count {
                return;
            }
            changed.await;
        }
    }
}

struct Ticket {
    bus: FakeBus,
    queue: QueueName,
    body: Vec<u8>,
    tries: u32,
}

impl Ticket {
    fn settle(self, how: Settled) {
        let again = matches!(how, Settled::Returned(_));
        let text = String::from_utf8_lossy(&self.body).into_owned();
        let mut inner = self.bus.inner();
        inner.settled.push((text, how));
        if again {
            let queue = inner.queues.entry(self.queue).or_default();
            queue.push_back((self.body, self.tries + 1));
        }
        drop(inner);
        self.bus.0.changed.notify_waiters();
    }
}

#[async_trait]
impl Settle for Ticket {
    async fn ack(self: Box<Self>) -> Result<(), BusError> {
        self.settle(Settled::Acked);
        Ok(())
    }

    async fn return_after(self: Box<Self>, delay: Duration) -> Result<(), BusError> {
        tokio::time::sleep(delay).await;
        self.settle(Settled::Returned(delay));
        Ok(())
    }

    async fn dead_letter(self: Box<Self>, reason: DeadReason) -> Result<(), BusError> {
        let component = reason.component.unwrap_or_default();
        self.settle(Settled::Dead(format!("{}: {component}", reason.kind)));
        Ok(())
    }
}

struct FakeSubscription {
    bus: FakeBus,
    queue: QueueName,
}

#[async_trait]
impl Subscription for FakeSubscription {
    async fn next(&mut self) -> Option<Delivery> {
        loop {
            let changed = self.bus.0.changed.notified();
            if let Some((body, tries)) = self.bus.take(&self.queue) {
                let ticket = Ticket {
                    bus: self.bus.clone(),
                    queue: self.queue.clone(),
                    body: body.clone(),
                    tries,
                };
                return Some(Delivery::new(
                    self.queue.clone(),
                    ExchangeName::default_exchange(),
                    RoutingKey::new(self.queue.as_str()).unwrap(),
                    body,
                    5,
                    BTreeMap::new(),
                    tries > 0,
                    tries,
                    Box::new(ticket),
                ));
            }
            changed.await;
        }
    }
}

#[async_trait]
impl MessageBus for FakeBus {
    async fn declare(&self, _: &Topology) -> Result<(), BusError> {
        Ok(())
    }

    async fn publish(&self, messages: Vec<Outgoing>) -> Result<Vec<Published>, BusError> {
        tokio::task::yield_now().await;
        let mut inner = self.inner();
        if inner.closed {
            return Err(BusError::Closed);
        }
        if inner.failures > 0 {
            inner.failures -= 1;
            return Err(BusError::Unreachable {
                endpoint: "fake".to_owned(),
                source: "cable pulled".into(),
            });
        }
        let answers = messages.into_iter().map(|message| {
            let answer = inner.answers.pop_front().unwrap_or(Published::Routed);
            if answer == Published::Routed {
                inner.published.push(message);
            }
            answer
        });
        Ok(answers.collect())
    }

    async fn subscribe(
        &self,
        queue: &QueueName,
        _: u16,
    ) -> Result<Box<dyn Subscription>, BusError> {
        Ok(Box::new(FakeSubscription {
            bus: self.clone(),
            queue: queue.clone(),
        }))
    }

    async fn queues(&self, _: &str) -> Result<Vec<QueueInfo>, BusError> {
        unreachable!("no engine here asks")
    }

    async fn peek(&self, _: &QueueName, _: usize) -> Result<Vec<Peeked>, BusError> {
        unreachable!("no engine here asks")
    }

    async fn purge(&self, _: &QueueName) -> Result<u64, BusError> {
        unreachable!("no engine here asks")
    }

    async fn status(&self) -> Result<BusStatus, BusError> {
        unreachable!("no engine here asks")
    }

    async fn close(&self) -> Result<(), BusError> {
        Ok(())
    }
}

/// What a set of messages says, one line each: `key class: ids [indices]`.
pub(super) fn lines(messages: &[Outgoing]) -> Vec<String> {
    let line = |outgoing: &Outgoing| {
        let Ok(message) = maas_model::message::Message::parse(&outgoing.body) else {
            let letter: maas_model::message::DeadLetter =
                serde_json::from_slice(&outgoing.body).unwrap();
            return format!("{} {}", outgoing.routing_key, letter.reason.detail);
        };
        let ids: Vec<&str> = message.document_ids.iter().map(|id| id.as_str()).collect();
        let indices: BTreeSet<_> = message
            .document_indices
            .iter()
            .map(String::as_str)
            .collect();
        let indices: Vec<_> = indices.into_iter().collect();
        let (ids, indices) = (ids.join(" "), indices.join(" "));
        format!(
            "{} {}: {ids} [{indices}]",
            outgoing.routing_key, message.document_class
        )
    };
    messages.iter().map(line).collect()
}
