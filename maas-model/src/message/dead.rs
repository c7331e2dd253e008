//! Work that could not be done, kept for an operator.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Why something became a dead letter, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadReason {
    /// What kind of failure: `malformed message`, `unknown routing key`, `engine failed`,
    /// `record refused`, `document refused`, `too many tries`, `unroutable`.
    pub kind: String,
    /// The error with its causes, for a person.
    pub detail: String,
    /// The interface or the engine at fault, when one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
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
    /// Earlier ends of the same work, oldest first; at most [`DeadLetter::HISTORY`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<DeadEnd>,
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
        /// The queue it was taken from.
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
    },
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
}
