//! A bus in memory that records what is published and how deliveries are settled.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use maas_model::message::{
    BusError, BusStatus, DeadReason, Delivery, ExchangeName, MessageBus, Outgoing, Part, Peeked,
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
    queues: BTreeMap<QueueName, VecDeque<Waiting>>,
    settled: Vec<(String, Settled)>,
    taken: Vec<String>,
}

/// A message in its queue.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting {
    pub(super) body: Vec<u8>,
    pub(super) tries: u32,
    pub(super) abandoned: u32,
    pub(super) alone: bool,
}

/// How a message was settled.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Settled {
    Acked,
    Returned(Duration),
    Replaced(Vec<Part>),
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
        let waiting = Waiting {
            body,
            ..Waiting::default()
        };
        self.put(queue, waiting);
    }

    pub(super) fn put(&self, queue: &QueueName, waiting: Waiting) {
        let mut inner = self.inner();
        let queue = inner.queues.entry(queue.clone()).or_default();
        queue.push_back(waiting);
        drop(inner);
        self.0.changed.notify_waiters();
    }

    fn take(&self, queue: &QueueName) -> Option<Waiting> {
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
    waiting: Waiting,
}

impl Ticket {
    fn settle(self, how: Settled) {
        let text = String::from_utf8_lossy(&self.waiting.body).into_owned();
        let back = match &how {
            Settled::Returned(_) => vec![Waiting {
                tries: self.waiting.tries + 1,
                abandoned: 0,
                ..self.waiting
            }],
            Settled::Replaced(parts) => parts.iter().map(Waiting::from).collect(),
            Settled::Acked | Settled::Dead(_) => Vec::new(),
        };
        let mut inner = self.bus.inner();
        inner.settled.push((text, how));
        inner.queues.entry(self.queue).or_default().extend(back);
        drop(inner);
        self.bus.0.changed.notify_waiters();
    }
}

impl From<&Part> for Waiting {
    fn from(part: &Part) -> Self {
        Self {
            body: part.body.clone(),
            tries: part.tries,
            abandoned: 0,
            alone: part.alone,
        }
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

    async fn replace(self: Box<Self>, parts: Vec<Part>) -> Result<(), BusError> {
        let delays = parts.iter().map(|part| part.delay);
        tokio::time::sleep(delays.max().unwrap_or_default()).await;
        self.settle(Settled::Replaced(parts));
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
            if let Some(waiting) = self.bus.take(&self.queue) {
                let Waiting {
                    body,
                    tries,
                    abandoned,
                    alone,
                } = waiting.clone();
                let ticket = Ticket {
                    bus: self.bus.clone(),
                    queue: self.queue.clone(),
                    waiting,
                };
                let delivery = Delivery::new(
                    self.queue.clone(),
                    ExchangeName::default_exchange(),
                    RoutingKey::new(self.queue.as_str()).unwrap(),
                    body,
                    5,
                    BTreeMap::new(),
                    tries + abandoned > 0,
                    tries,
                    Box::new(ticket),
                );
                return Some(delivery.suspected(abandoned, alone));
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
