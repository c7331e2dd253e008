//! Work that could not be done, kept for an operator.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::{
    ExchangeName, Message, NameError, Outgoing, QueueName, RoutingKey, Topology, carried,
    other_version,
};
use crate::document::zulu;
use crate::secret::covered;

/// Why something became a dead letter, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeadReason {
    /// What kind of failure: `malformed message`, `unknown routing key`, `engine failed`,
    /// `record refused`, `document refused`, `message refused`, `too many tries`, `process crashed`, `unroutable`.
    pub kind: String,
    /// The error with its causes, for a person.
    pub detail: String,
    /// The interface or the engine at fault, when one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The crate it is from, with its version where that is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where it happened: the stack of a panic, or the last words of a process that ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
}

impl DeadReason {
    /// Something ended the process that worked on it.
    pub const CRASHED: &str = "process crashed";

    /// A letter that this version cannot read, written by another one.
    pub const UNREADABLE: &str = "letter of another version";
}

/// One dead letter, as it lies in the parking queue of a pool or interface (JSON).
///
/// It holds the original whole, so that it can be replayed: a message with its exchange and key, a
/// record with the bytes it was read from, or a document that the store refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Unique.
    pub id: String,
    /// When it was given up, in the stored date form.
    pub date: String,
    /// The pool or interface.
    pub owner: String,
    /// Why.
    pub reason: DeadReason,
    /// How many times it was tried.
    pub tries: u32,
    /// What it was.
    pub original: DeadOriginal,
    /// Version of the program that gave up.
    pub program: String,
    /// How many times it was replayed.
    #[serde(default, skip_serializing_if = "is_none")]
    pub replays: u32,
    /// Earlier ends of the same work, oldest first; at most [`DeadLetter::HISTORY`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<DeadEnd>,
    /// What a newer version wrote beside, carried along.
    #[serde(flatten)]
    pub further: serde_json::Map<String, serde_json::Value>,
}

/// What a dead letter was before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum DeadOriginal {
    /// A message of the bus.
    Message {
        /// Where it had been published to.
        exchange: String,
        /// The key it had been published with.
        routing_key: String,
        /// The queue it was taken from; empty when the broker refused it before it came to one.
        queue: String,
        /// 0 to 9.
        priority: u8,
        /// Its text; bytes that are not UTF-8 are in `body_base64` instead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
        /// Its bytes when they are no text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body_base64: Option<String>,
        /// The `x-maas-` properties.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        headers: BTreeMap<String, String>,
    },
    /// A record of an ingested file.
    Record {
        /// The file or page it was read from.
        file: String,
        /// Where in it: `record 12`, `line 13`.
        place: String,
        /// The text of the record as it was read; cut at 1 MiB.
        raw: String,
        /// The text before all records of the file that gives them their meaning: the header of a table.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        head: Option<String>,
    },
    /// A document that the store refused.
    Document {
        /// Concrete index.
        index: String,
        /// Its id.
        id: String,
        /// The document as it was sent.
        source: serde_json::Value,
        /// The file or the id of the message it came from.
        origin: String,
        /// The message that makes it again, when one does. Replayed in place of the document: then it is
        /// made from what there is by then, and announced as if it had never failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made_by: Option<Box<DeadOriginal>>,
    },
}

impl DeadOriginal {
    /// The message to be published again, when there is one.
    pub(super) fn message(&self) -> Option<&Self> {
        match self {
            Self::Message { .. } => Some(self),
            Self::Document { made_by, .. } => made_by.as_deref(),
            Self::Record { .. } => None,
        }
    }
}

/// An earlier end of the same work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadEnd {
    /// When.
    pub date: String,
    /// Why.
    pub reason: DeadReason,
}

impl DeadLetter {
    /// How many earlier ends are kept: enough to see a pattern, too few to grow without bound.
    pub const HISTORY: usize = 20;

    /// Bytes of [`DeadReason::detail`] that are kept.
    const DETAIL_BYTES: usize = 16_384;

    /// A new dead letter, with this program's version and the time now.
    pub fn new(owner: &str, mut reason: DeadReason, tries: u32, original: DeadOriginal) -> Self {
        reason.detail = covered(&reason.detail).into_owned();
        carried::cut(&mut reason.detail, Self::DETAIL_BYTES);
        if let Some(stack) = &mut reason.stack {
            *stack = covered(stack).into_owned();
            carried::cut(stack, Self::DETAIL_BYTES);
        }
        Self {
            id: crate::chance::uuid_in_order().to_string(),
            date: zulu(chrono::Utc::now()),
            owner: owner.to_owned(),
            reason,
            tries,
            original,
            program: concat!("maas ", env!("CARGO_PKG_VERSION")).to_owned(),
            replays: 0,
            history: Vec::new(),
            further: serde_json::Map::new(),
        }
    }

    /// Takes over what a message carries of its earlier ends: they are those of what became of it, too.
    #[must_use]
    pub fn after(mut self, headers: &BTreeMap<String, String>) -> Self {
        let mut headers = headers.clone();
        self.history = carried::take_history(&mut headers);
        let replays = headers.get(carried::REPLAYS);
        self.replays = replays.and_then(|text| text.parse().ok()).unwrap_or(0);
        self
    }

    /// The same letter, with the same id, after a replay that failed for `reason`.
    #[must_use]
    pub fn again(&self, reason: DeadReason) -> Self {
        Self {
            id: self.id.clone(),
            history: self.ends(),
            replays: self.replays.saturating_add(1),
            further: self.further.clone(),
            ..Self::new(
                &self.owner,
                reason,
                self.tries.saturating_add(1),
                self.original.clone(),
            )
        }
    }

    /// The documents it is about, as far as it names any.
    pub fn documents(&self) -> Vec<String> {
        match (&self.original, self.message()) {
            (DeadOriginal::Document { id, .. }, _) => vec![id.clone()],
            (_, Some(message)) => message
                .document_ids
                .iter()
                .map(ToString::to_string)
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The indices that it names.
    pub fn indices(&self) -> Vec<String> {
        match (&self.original, self.message()) {
            (DeadOriginal::Document { index, .. }, _) => vec![index.clone()],
            (_, Some(message)) => message.document_indices,
            _ => Vec::new(),
        }
    }

    /// Names the chain of messages that it belongs to: the id of the first one.
    pub fn trace(&self) -> Option<String> {
        let id = match (&self.original, self.message()) {
            (DeadOriginal::Document { origin, .. }, _) => origin.clone(),
            (_, Some(message)) => {
                let first = message.ancestor_ids.into_iter().next();
                first.unwrap_or(message.message_id)
            }
            _ => String::new(),
        };
        (!id.is_empty()).then_some(id)
    }

    fn message(&self) -> Option<Message> {
        match &self.original {
            DeadOriginal::Message {
                body: Some(body), ..
            } => Message::parse(body.as_bytes()).ok(),
            _ => None,
        }
    }

    /// The end of a message that was taken from `queue`; keeps the history that it carries.
    pub fn of_message(owner: &str, reason: DeadReason, tries: u32, message: DeadMessage) -> Self {
        let mut headers = message.headers;
        let earlier = headers.clone();
        carried::take_history(&mut headers);
        headers.remove(carried::REPLAYS);
        let (body, body_base64) = match String::from_utf8(message.body) {
            Ok(text) => (Some(text), None),
            Err(error) => (None, Some(STANDARD.encode(error.as_bytes()))),
        };
        let original = DeadOriginal::Message {
            exchange: message.exchange.to_string(),
            routing_key: message.routing_key.to_string(),
            queue: message.queue.to_string(),
            priority: message.priority,
            body,
            body_base64,
            headers,
        };
        Self::new(owner, reason, tries, original).after(&earlier)
    }

    /// Reads what lies in a parking queue.
    pub fn parse(body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }

    /// What lies in a parking queue, whoever put it there: a letter of ours, or a message as it was, that the
    /// broker moved there by itself (delivered too often), that is too large to be put into a letter, or that
    /// a person published. Those get an id made of their content, the same each time.
    pub fn read(
        parking: &QueueName,
        exchange: &ExchangeName,
        key: &RoutingKey,
        body: &[u8],
        mut headers: BTreeMap<String, String>,
    ) -> Self {
        let unreadable = match Self::parse(body) {
            Ok(letter) => return letter,
            Err(error) => other_version::reason(body, &error),
        };
        let owner = parking
            .as_str()
            .strip_prefix(Topology::PARKING)
            .unwrap_or_default();
        let id = uuid::Uuid::new_v5(
            &uuid::Uuid::NAMESPACE_OID,
            &[key.as_str().as_bytes(), body].concat(),
        );
        let queue = headers.remove(carried::DEATH_QUEUE);
        let detail = headers.remove(carried::DEATH_REASON);
        let tries = headers
            .remove(carried::TRIES)
            .and_then(|text| text.parse().ok());
        let kind = headers.remove(carried::DEATH_KIND);
        let reason = unreadable.unwrap_or_else(|| DeadReason {
            kind: kind.unwrap_or_else(|| match detail {
                Some(_) => "too many tries".into(),
                None => "foreign message".into(),
            }),
            detail: detail.unwrap_or_else(|| "it was published here and is no dead letter".into()),
            ..DeadReason::default()
        });
        let message = DeadMessage {
            queue: queue
                .and_then(|name| QueueName::new(name).ok())
                .unwrap_or_else(|| parking.clone()),
            exchange: exchange.clone(),
            routing_key: key.clone(),
            priority: 0,
            body: body.to_vec(),
            headers,
        };
        let mut letter = Self::of_message(owner, reason, tries.unwrap_or_default(), message);
        letter.id = id.to_string();
        letter
    }

    /// The JSON text, as it is put into the parking queue.
    pub fn to_body(&self) -> Vec<u8> {
        // Texts, numbers and JSON values with text keys always serialize.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// This letter as a message for the parking queue of its owner.
    pub fn to_outgoing(&self) -> Result<Outgoing, NameError> {
        let parking = Topology::parking_queue(&self.owner)?;
        Ok(Outgoing {
            exchange: ExchangeName::default_exchange(),
            routing_key: RoutingKey::new(parking.as_str())?,
            body: self.to_body(),
            message_id: self.id.clone(),
            priority: 0,
            headers: BTreeMap::new(),
        })
    }

    /// The earlier ends and this one, oldest first; the oldest fall away beyond [`Self::HISTORY`].
    pub fn ends(&self) -> Vec<DeadEnd> {
        let mut ends = self.history.clone();
        ends.push(DeadEnd {
            date: self.date.clone(),
            reason: self.reason.clone(),
        });
        let surplus = ends.len().saturating_sub(Self::HISTORY);
        ends.drain(..surplus);
        ends
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // As serde wants it.
fn is_none(count: &u32) -> bool {
    *count == 0
}

/// A message as it was when its worker gave it up.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadMessage {
    /// The queue it was taken from.
    pub queue: QueueName,
    /// Where it had been published to.
    pub exchange: ExchangeName,
    /// The key it had been published with.
    pub routing_key: RoutingKey,
    /// 0 to 9.
    pub priority: u8,
    /// Its bytes.
    pub body: Vec<u8>,
    /// The `x-maas-` properties.
    pub headers: BTreeMap<String, String>,
}
