//! Messages, some of which name a document that does harm.

use maas_model::document::{DocumentId, IndexName};
use maas_model::message::{ExchangeName, Message, Outgoing, RoutingKey};
use maas_model::store::{WriteAction, WriteOp};
use maas_tests::random::Random;
use serde_json::json;

use anyhow::Result;

/// What ends or blocks a process, and what a dead letter must say of it.
pub(super) const FATAL: [(&str, &str); 4] = [
    ("abort", "signal 6 (SIGABRT)"),
    ("overflow", "overflowed its stack"),
    ("memory", "memory allocation of 4294967296 bytes failed"),
    ("loop", "the engine had not ended after"),
];
/// It comes last, behind healthy ones: a process that ended of another message first would know it already as
/// one to be worked on alone, and nobody would see it stuck.
const LOOP: &str = "loop";
/// More than are fetched at once.
const CALM: usize = 100;
pub(super) const PANIC: &str = "panic";
pub(super) const VERSION: &str = concat!("maas_reliability ", env!("CARGO_PKG_VERSION"));

/// One document.
#[derive(Debug, Clone)]
pub(super) struct Item {
    id: String,
    harm: &'static str,
    /// Whether no document of its message does harm.
    healthy: bool,
}

/// Documents by message.
#[derive(Debug, Clone)]
pub(super) struct Load {
    pub(super) messages: Vec<Vec<Item>>,
}

impl Load {
    /// One message for each way to end a process, one that panics, and `failing` of which the engine says that it
    /// cannot do them: each with one guilty document among the others.
    pub(super) fn new(seed: u64, messages: usize, documents: usize, failing: usize) -> Self {
        let mut random = Random::new(seed);
        let crashes = FATAL.iter().map(|(harm, _)| *harm);
        let mut harms: Vec<&'static str> = crashes.filter(|harm| *harm != LOOP).collect();
        harms.push(PANIC);
        harms.extend(vec!["fail"; failing]);
        harms.resize(messages.saturating_sub(CALM + 1), "");
        shuffle(&mut random, &mut harms);
        harms.resize(messages.saturating_sub(1), "");
        harms.push(LOOP);
        let mut message = |(number, harm): (usize, &'static str)| {
            let guilty = usize::try_from(random.between(0, documents as i64)).unwrap_or_default();
            let item = |at: usize| Item {
                id: format!("m{number:04}-d{at:03}"),
                harm: if at == guilty { harm } else { "" },
                healthy: harm.is_empty(),
            };
            (0..documents).map(item).collect()
        };
        let messages = harms.into_iter().enumerate().map(&mut message).collect();
        Self { messages }
    }

    /// The same where all behave.
    pub(super) fn without_harm(&self) -> Self {
        let mut load = self.clone();
        load.items_mut().for_each(|item| item.harm = "");
        load
    }

    pub(super) fn healthy(&self) -> usize {
        self.items().filter(|item| item.healthy).count()
    }

    pub(super) fn innocent(&self) -> impl Iterator<Item = &str> {
        let innocent = self.items().filter(|item| item.harm.is_empty());
        innocent.map(|item| item.id.as_str())
    }

    pub(super) fn guilty(&self) -> impl Iterator<Item = &str> {
        let guilty = self.items().filter(|item| !item.harm.is_empty());
        guilty.map(|item| item.id.as_str())
    }

    pub(super) fn harm(&self, id: &str) -> Option<&'static str> {
        let found = self.items().find(|item| item.id == id)?;
        (!found.harm.is_empty()).then_some(found.harm)
    }

    pub(super) fn documents(&self) -> Result<Vec<WriteAction>> {
        let action = |(value, item): (usize, &Item)| {
            let source = json!({ "value": value, "harm": item.harm, "healthy": item.healthy });
            Ok(WriteAction {
                index: IndexName::new("item")?,
                id: DocumentId::new(item.id.as_str())?,
                op: WriteOp::Create(source.as_object().cloned().unwrap_or_default()),
            })
        };
        self.items().enumerate().map(action).collect()
    }

    pub(super) fn outgoing(&self) -> Result<Vec<Outgoing>> {
        let outgoing = |(number, items): (usize, &Vec<Item>)| {
            let ids = items.iter().map(|item| DocumentId::new(item.id.as_str()));
            let message = Message {
                message_id: format!("m{number:04}"),
                document_ids: ids.collect::<Result<_, _>>()?,
                document_class: "Item".to_owned(),
                ..Message::default()
            };
            Ok(Outgoing {
                exchange: ExchangeName::new("collect-exchange")?,
                routing_key: RoutingKey::new("new.item")?,
                body: message.to_body(),
                message_id: message.message_id,
                priority: 5,
                headers: Default::default(),
            })
        };
        self.messages.iter().enumerate().map(outgoing).collect()
    }

    fn items(&self) -> impl Iterator<Item = &Item> {
        self.messages.iter().flatten()
    }

    fn items_mut(&mut self) -> impl Iterator<Item = &mut Item> {
        self.messages.iter_mut().flatten()
    }
}

fn shuffle<T>(random: &mut Random, things: &mut [T]) {
    for last in (1..things.len()).rev() {
        let other = usize::try_from(random.between(0, last as i64 + 1)).unwrap_or_default();
        things.swap(last, other);
    }
}
