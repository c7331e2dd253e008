//! What a flow says in its messages.

use std::collections::{BTreeMap, BTreeSet};

use maas_model::document::{DocumentId, IndexName, zulu};
use maas_model::message::{Message, Outgoing, RoutingKey};
use uuid::Uuid;

use super::Shared;

impl Shared {
    /// A message that names these documents.
    pub(super) fn message(
        &self,
        key: &RoutingKey,
        chunk: Vec<(DocumentId, IndexName)>,
    ) -> Outgoing {
        let indices: BTreeSet<&IndexName> = chunk.iter().map(|(_, index)| index).collect();
        let mut message = self.body();
        message.document_indices = indices.into_iter().map(ToString::to_string).collect();
        message.document_ids = chunk.into_iter().map(|(id, _)| id).collect();
        self.outgoing(key, message)
    }

    pub(super) fn body(&self) -> Message {
        let model = self.target.as_ref().map(|target| target.model.name.clone());
        Message {
            date: zulu(self.context.clock.now()),
            message_id: Uuid::new_v4().to_string(),
            pipeline: vec![self.announce.collector_name.clone()],
            document_class: model.unwrap_or_default(),
            ..Message::default()
        }
    }

    pub(super) fn outgoing(&self, key: &RoutingKey, message: Message) -> Outgoing {
        Outgoing {
            exchange: self.announce.exchange.clone(),
            routing_key: key.clone(),
            body: message.to_body(),
            message_id: message.message_id,
            priority: self.announce.priority,
            headers: BTreeMap::new(),
        }
    }
}
