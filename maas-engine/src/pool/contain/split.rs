//! Cutting a message: parts that name some of its documents, in the place of the whole.

use std::time::Duration;

use maas_model::document::DocumentId;
use maas_model::message::{Message, Part};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Documents of a message that are tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The documents; all of the message, also none, when it is not cut.
    pub ids: Vec<DocumentId>,
    /// After this time.
    pub delay: Duration,
    /// How many times they were tried until now.
    pub tries: u32,
    /// Whether they are to be worked on alone.
    pub alone: bool,
}

impl Share {
    /// The whole message again, not cut.
    pub(crate) fn whole(message: &Message, delay: Duration, tries: u32) -> Self {
        Self {
            ids: message.document_ids.clone(),
            delay,
            tries,
            alone: true,
        }
    }
}

/// Names a message in intents and in its parts: its own id, or a digest when it has none.
pub(crate) fn key_of(message: &Message, body: &[u8]) -> String {
    match message.message_id.as_str() {
        "" => Uuid::new_v5(&Uuid::NAMESPACE_OID, body).to_string(),
        id => id.to_owned(),
    }
}

/// The parts of the message in `body`. One with all of its documents is the message as it came.
pub fn parts(body: &[u8], shares: Vec<Share>) -> Vec<Part> {
    let message = Message::parse(body).ok();
    let part = |share: Share| {
        let whole = match &message {
            Some(message) if share.ids.len() < message.document_ids.len() => {
                Some(part_of(message, body, &share.ids))
            }
            _ => None,
        };
        let (message_id, body) = whole.unwrap_or_else(|| {
            let id = message.as_ref().map(|whole| whole.message_id.clone());
            (id.unwrap_or_default(), body.to_vec())
        });
        Part {
            body,
            message_id,
            delay: share.delay,
            tries: share.tries,
            alone: share.alone,
        }
    };
    shares.into_iter().map(part).collect()
}

/// A message that names `ids` only and follows from the whole one. The same documents get the same id, so that
/// whoever cuts a message a second time makes no other parts.
pub(crate) fn part_of(whole: &Message, body: &[u8], ids: &[DocumentId]) -> (String, Vec<u8>) {
    let message_id = part_id(&key_of(whole, body), ids);
    let mut part = Message {
        message_id: message_id.clone(),
        document_ids: ids.to_vec(),
        ..whole.clone()
    };
    if !whole.message_id.is_empty() {
        part.ancestor_ids.push(whole.message_id.clone());
    }
    (message_id, part.to_body())
}

/// The id of the part of a message that names these documents.
pub(crate) fn part_id(key: &str, ids: &[DocumentId]) -> String {
    let names: Vec<&str> = ids.iter().map(DocumentId::as_str).collect();
    let name = format!("{key}\0{}", names.join("\0"));
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &[&str]) -> Vec<DocumentId> {
        names
            .iter()
            .map(|name| DocumentId::new(*name).unwrap())
            .collect()
    }

    fn share(names: &[&str]) -> Share {
        Share {
            ids: ids(names),
            delay: Duration::from_secs(1),
            tries: 2,
            alone: true,
        }
    }

    #[test]
    fn parts_follow_from_the_whole_and_are_the_same_each_time() {
        let whole = Message {
            message_id: "whole".to_owned(),
            ancestor_ids: vec!["first".to_owned()],
            document_ids: ids(&["a", "b", "c"]),
            ..Message::default()
        };
        let cut = || parts(&whole.to_body(), vec![share(&["a"]), share(&["b", "c"])]);
        let parts = cut();
        assert_eq!(parts, cut());
        assert_ne!(parts[0].message_id, parts[1].message_id);
        let first = Message::parse(&parts[0].body).unwrap();
        assert_eq!(first.document_ids, ids(&["a"]));
        assert_eq!(first.ancestor_ids, ["first", "whole"]);
        assert_eq!(first.message_id, parts[0].message_id);
        assert_eq!((parts[0].tries, parts[0].alone), (2, true));
    }

    #[test]
    fn what_is_not_cut_stays_as_it_came() {
        let body = br#"{ "document_ids": ["a"], "message_id": "m" }"#;
        let parts = parts(body, vec![share(&["a"])]);
        assert_eq!(
            (parts[0].body.as_slice(), parts[0].message_id.as_str()),
            (&body[..], "m")
        );
    }
}
