//! What the broker heard: announcements and dead letters.

use maas_model::message::{
    DeadLetter, DeadOriginal, DeadReason, Message, Outgoing, Published, QueueName, Topology,
};

use super::{CLASSES, Oracle};
use crate::source::DEADLY;

impl Oracle {
    /// The broker has a message, or has it not.
    pub fn published(&mut self, message: &Outgoing, outcome: &Published) {
        if *outcome != Published::Routed {
            return;
        }
        self.messages += 1;
        if message.routing_key.as_str().starts_with(Topology::PARKING) {
            if let Ok(letter) = DeadLetter::parse(&message.body) {
                self.letter(&letter);
            }
        } else {
            self.announced(message);
        }
    }

    /// What came back to the publisher: a key that nobody takes is the end of the chain.
    pub fn confirmed(&mut self, messages: &[Outgoing], outcomes: &[Published]) {
        for (message, outcome) in messages.iter().zip(outcomes) {
            let key = message.routing_key.as_str();
            let end = key.ends_with(".summary") || key.ends_with(".board");
            if *outcome == Published::Unroutable && end {
                self.messages += 1;
                self.announced(message);
            }
        }
    }

    fn announced(&mut self, outgoing: &Outgoing) {
        let Ok(message) = Message::parse(&outgoing.body) else {
            self.breaks("a message that cannot be read was published".to_owned());
            return;
        };
        let moment = self.now();
        let new = outgoing.routing_key.as_str().starts_with("new.");
        for id in &message.document_ids {
            let key = (message.document_class.clone(), id.to_string());
            let known = CLASSES.iter().find(|(_, class)| *class == key.0);
            let there =
                known.is_some_and(|(_, class)| self.created.contains_key(&(*class, key.1.clone())));
            if !there {
                self.breaks(format!("{} {} is announced and not written", key.0, key.1));
            }
            if new {
                self.announced_new.insert(key.clone());
            }
            self.announced.insert(key, moment);
        }
    }

    fn letter(&mut self, letter: &DeadLetter) {
        let (owner, kind) = (&letter.owner, &letter.reason.kind);
        match &letter.original {
            DeadOriginal::Record { raw, .. } => {
                self.dead.insert(format!("{owner}/{kind}/{raw}"));
            }
            DeadOriginal::Document { index, id, .. } => {
                self.dead.insert(format!("{owner}/{kind}/{index}/{id}"));
            }
            DeadOriginal::Message { body, .. } => {
                let body = body.as_deref().unwrap_or_default();
                self.dead_message(
                    owner.clone().as_str(),
                    kind.clone().as_str(),
                    body.as_bytes(),
                );
            }
        }
    }

    fn dead_message(&mut self, owner: &str, kind: &str, body: &[u8]) {
        for id in Message::parse(body)
            .map(|message| message.document_ids)
            .unwrap_or_default()
        {
            self.dead.insert(format!("{owner}/{kind}/{id}"));
        }
    }

    /// A worker gave a whole message up. Only one that names nothing but a deadly reading deserves that.
    pub fn parked(&mut self, queue: &QueueName, reason: &DeadReason, body: &[u8]) {
        let ids = Message::parse(body)
            .map(|message| message.document_ids)
            .unwrap_or_default();
        if let [id] = ids.as_slice()
            && id.as_str().starts_with(DEADLY)
            && queue.as_str() == "q-readings"
            && reason.kind == DeadReason::CRASHED
        {
            self.dead.insert(format!("{queue}/{}/{id}", reason.kind));
            return;
        }
        self.breaks(format!(
            "a message with {ids:?} was given up: {}: {}",
            reason.kind, reason.detail
        ));
    }
}
