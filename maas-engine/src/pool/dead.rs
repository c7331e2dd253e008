//! Parts of a message that could not be done, as dead letters that can be replayed on their own.

use std::collections::BTreeMap;

use maas_model::document::{Document, DocumentId, zulu};
use maas_model::message::{
    DeadLetter, DeadOriginal, DeadReason, ExchangeName, Outgoing, RoutingKey, Topology,
};
use serde_json::Value;

use super::contain::part_of;
use super::run::Run;

/// What could not be done, and why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grave {
    reason: DeadReason,
    what: What,
}

#[derive(Debug, Clone, PartialEq)]
enum What {
    /// Inputs: replayed as a message that names only them.
    Inputs(Vec<DocumentId>),
    /// A document that the store refused, and the inputs it was made from; none: all of the message.
    Document(Document, Vec<DocumentId>),
}

impl Grave {
    pub(crate) fn input(reason: DeadReason, ids: Vec<DocumentId>) -> Self {
        let what = What::Inputs(ids);
        Self { reason, what }
    }

    pub(crate) fn document(
        reason: DeadReason,
        document: Document,
        inputs: Vec<DocumentId>,
    ) -> Self {
        let what = What::Document(document, inputs);
        Self { reason, what }
    }

    /// The documents of the message that lie in it; none: all of the message.
    pub(crate) fn inputs(&self) -> &[DocumentId] {
        match &self.what {
            What::Inputs(ids) | What::Document(_, ids) => ids,
        }
    }

    /// The input that this engine could not use.
    pub(crate) fn input_of(&self, engine: &str) -> Option<&DocumentId> {
        let same = self.reason.component.as_deref() == Some(engine);
        match &self.what {
            What::Inputs(ids) if same => ids.first(),
            What::Inputs(_) | What::Document(..) => None,
        }
    }
}

impl Run<'_> {
    /// The message that carries a dead letter to the parking queue of the pool.
    pub(crate) fn letter(&self, grave: Grave) -> Option<Outgoing> {
        let owner = self.shared.chains.pool.clone();
        let queue = Topology::parking_queue(&owner).ok()?;
        let (tries, original) = (self.work.tries.saturating_add(1), self.original(grave.what));
        let letter = DeadLetter {
            date: zulu(self.shared.reads.clock.now()),
            ..DeadLetter::new(&owner, grave.reason, tries, original).after(self.work.headers)
        };
        Some(Outgoing {
            exchange: ExchangeName::default_exchange(),
            routing_key: RoutingKey::new(queue.as_str()).ok()?,
            body: serde_json::to_vec(&letter).ok()?,
            message_id: letter.id,
            priority: self.work.priority,
            headers: BTreeMap::new(),
        })
    }

    fn original(&self, what: What) -> DeadOriginal {
        match what {
            What::Inputs(document_ids) => self.part(document_ids),
            What::Document(document, inputs) => DeadOriginal::Document {
                index: document.index.to_string(),
                id: document.id.to_string(),
                source: Value::Object(document.source),
                origin: self.message.message_id.clone(),
                made_by: Some(Box::new(self.part(if inputs.is_empty() {
                    self.message.document_ids.clone()
                } else {
                    inputs
                }))),
            },
        }
    }

    /// A message that names only these inputs. It has an id of its own: parts of one message that are replayed
    /// together are no copies of each other, and must not share their intents.
    fn part(&self, ids: Vec<DocumentId>) -> DeadOriginal {
        let body = match ids.len() < self.message.document_ids.len() {
            true => part_of(&self.message, self.work.body, &ids).1,
            false => self.message.to_body(),
        };
        DeadOriginal::Message {
            exchange: self.work.exchange.to_string(),
            routing_key: self.work.routing_key.to_string(),
            queue: self.work.queue.to_string(),
            priority: self.work.priority,
            body: String::from_utf8(body).ok(),
            body_base64: None,
            headers: self.work.headers.clone(),
        }
    }
}
