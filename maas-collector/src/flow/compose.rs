//! What a flow says in its messages.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use maas_model::chance;
use maas_model::document::{DocumentId, IndexName, zulu};
use maas_model::message::{Message, Outgoing, RoutingKey};
use tracing::warn;

use super::recipe::Recipe;

impl Recipe {
    /// Takes full messages from the front of `ids`, or all there is when nothing more is to come. Without
    /// a key for documents nobody is told.
    pub(super) fn messages(
        &self,
        ids: &mut VecDeque<(DocumentId, IndexName)>,
        all: bool,
    ) -> Vec<Outgoing> {
        let Some(key) = &self.announce.documents else {
            return Vec::new();
        };
        let mut messages = Vec::new();
        while ids.len() >= self.announce.chunk_size || (all && !ids.is_empty()) {
            let count = ids.len().min(self.announce.chunk_size);
            messages.push(self.message(key, ids.drain(..count).collect()));
        }
        messages
    }

    /// The message about one ingested file; `None` when nobody wants to know, or when the name of the file,
    /// which stands where ids stand, is no id.
    pub(super) fn file_message(&self, name: &str) -> Option<Outgoing> {
        let key = self.announce.files.as_ref()?;
        let Ok(name) = DocumentId::new(name) else {
            warn!(interface = %self.interface, item = name, "the name is no document id: the file is not announced");
            return None;
        };
        let mut message = self.body();
        message.document_ids = vec![name];
        Some(self.outgoing(key, message))
    }

    /// A message that names these documents.
    fn message(&self, key: &RoutingKey, chunk: Vec<(DocumentId, IndexName)>) -> Outgoing {
        let indices: BTreeSet<&IndexName> = chunk.iter().map(|(_, index)| index).collect();
        let mut message = self.body();
        message.document_indices = indices.into_iter().map(ToString::to_string).collect();
        message.document_ids = chunk.into_iter().map(|(id, _)| id).collect();
        self.outgoing(key, message)
    }

    pub(super) fn body(&self) -> Message {
        let model = self.target.as_ref().map(|target| target.model.name.clone());
        Message {
            date: zulu(self.clock.now()),
            message_id: chance::uuid().to_string(),
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
