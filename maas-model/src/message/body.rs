//! The wire format, the same as the Python system's, so that both can live on one broker.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::chance;
use crate::clock::Clock;
use crate::document::{DocumentId, zulu};

/// Tells which documents are new. JSON object; every key may be absent, an unknown key is refused: who does not
/// know it cannot tell what the message would have it do. The message becomes a dead letter that names the key, whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Message {
    /// When it was made, in the stored date form.
    pub date: String,
    /// UUID.
    pub message_id: String,
    /// The messages it follows from, oldest first.
    pub ancestor_ids: Vec<String>,
    /// Collector and engine ids crossed.
    pub pipeline: Vec<String>,
    /// Carried along; always true in the Python system, and read by no engine.
    pub force: bool,
    /// The documents, each once.
    #[serde(deserialize_with = "document_ids")]
    pub document_ids: Vec<DocumentId>,
    /// The indices they stand in, where known.
    pub document_indices: Vec<String>,
    /// Name of their model.
    pub document_class: String,
}

/// Why bytes are no message.
#[derive(Debug, thiserror::Error)]
#[error("malformed message: {0}")]
pub struct MessageError(#[from] serde_json::Error);

impl Default for Message {
    fn default() -> Self {
        Self {
            date: String::new(),
            message_id: String::new(),
            ancestor_ids: Vec::new(),
            pipeline: Vec::new(),
            force: true,
            document_ids: Vec::new(),
            document_indices: Vec::new(),
            document_class: String::new(),
        }
    }
}

impl Message {
    /// A message made now, with an id of its own and no documents yet.
    pub fn new(clock: &Clock) -> Self {
        Self {
            date: zulu(clock.now()),
            message_id: chance::uuid().to_string(),
            ..Self::default()
        }
    }

    /// Reads a message; ids that come twice are kept once, in order. What it does not say is empty, also
    /// its date and id: the body alone decides, so that reading it twice gives the same.
    pub fn parse(body: &[u8]) -> Result<Self, MessageError> {
        // serde would take a list as the values of the keys in their order.
        if body.trim_ascii_start().starts_with(b"[") {
            let error = "expected an object, found a list (`--v1-compatibility` is not spoken)";
            return Err(MessageError(serde::de::Error::custom(error)));
        }
        Ok(serde_json::from_slice(body)?)
    }

    /// When it was made, if it says so.
    pub fn made(&self) -> Option<DateTime<Utc>> {
        instant(&self.date)
    }

    /// The JSON text, keys in the order of the original.
    pub fn to_body(&self) -> Vec<u8> {
        // Texts, booleans and lists of texts always serialize.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// When the message, or the dead letter, in these bytes was made, if it says so.
pub(super) fn made(body: &[u8]) -> Option<DateTime<Utc>> {
    #[derive(Deserialize)]
    struct Head {
        date: String,
    }
    instant(&serde_json::from_slice::<Head>(body).ok()?.date)
}

fn instant(date: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(date).ok().map(Into::into)
}

/// Ids by hand, to name the one that is wrong: the Python system sends null and numbers where a record
/// had them.
fn document_ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<DocumentId>, D::Error> {
    let values = Vec::<Value>::deserialize(deserializer)?;
    let mut ids = Vec::with_capacity(values.len());
    let mut seen = HashSet::with_capacity(values.len());
    for (position, value) in values.into_iter().enumerate() {
        let wrong = |reason: &dyn std::fmt::Display| {
            serde::de::Error::custom(format!("`document_ids[{position}]`: {reason}"))
        };
        let Value::String(text) = value else {
            return Err(wrong(&format_args!("`{value}` is no text")));
        };
        let id = DocumentId::new(text).map_err(|error| wrong(&error))?;
        if seen.insert(id.clone()) {
            ids.push(id);
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    /// As the Python system writes it.
    const RECORDED: &str = concat!(
        r#"{"date":"2026-11-20T14:43:19.482Z","message_id":"718bb11b-b233-4a3c-bd24-bcf877fd133e","#,
        r#""ancestor_ids":[],"pipeline":["ODataCollector"],"force":true,"document_ids":["id1","id2"],"#,
        r#""document_indices":["raw-data-prip-product-2026-11"],"document_class":"PripProduct"}"#,
    );

    #[test]
    fn the_wire_format_comes_back_as_it_was() {
        let message = Message::parse(RECORDED.as_bytes()).unwrap();
        assert_eq!(message.document_ids.len(), 2);
        assert_eq!(String::from_utf8(message.to_body()).unwrap(), RECORDED);
    }

    #[test]
    fn when_it_was_made_is_read_without_the_rest() {
        let message = Message::new(&Clock::frozen(DateTime::UNIX_EPOCH));
        assert_eq!(made(&message.to_body()), Some(DateTime::UNIX_EPOCH));
        assert_eq!(message.made(), Some(DateTime::UNIX_EPOCH));
        for body in [
            "",
            "no message",
            r#"{"date": 1}"#,
            r#"{"date": "yesterday"}"#,
        ] {
            assert_eq!(made(body.as_bytes()), None, "{body}");
        }
    }

    #[test]
    fn a_new_message_has_a_date_and_an_id() {
        let clock = Clock::frozen(DateTime::UNIX_EPOCH);
        let (one, other) = (Message::new(&clock), Message::new(&clock));
        assert_eq!(one.date, "1970-01-01T00:00:00.000Z");
        assert_eq!(
            uuid::Uuid::parse_str(&one.message_id)
                .unwrap()
                .get_version_num(),
            4
        );
        assert_ne!(one.message_id, other.message_id);
        assert!(one.force);
    }

    #[test]
    fn keys_may_be_absent_and_ids_count_once() {
        assert_eq!(Message::parse(b"{}").unwrap(), Message::default());
        let message = Message::parse(br#"{"document_ids": ["b", "a", "b"]}"#).unwrap();
        let ids: Vec<&str> = message
            .document_ids
            .iter()
            .map(DocumentId::as_str)
            .collect();
        assert_eq!(ids, ["b", "a"]);
    }

    #[test]
    fn what_is_no_message_is_refused_by_name() {
        for (body, reason) in [
            (r#"{"ids": []}"#, "unknown field `ids`"),
            (
                r#"{"document_ids": ["a", null]}"#,
                "`document_ids[1]`: `null` is no text",
            ),
            (
                r#"{"document_ids": [5]}"#,
                "`document_ids[0]`: `5` is no text",
            ),
            (r#"{"document_ids": [""]}"#, "it is empty"),
            (r#"{"force": "yes"}"#, "expected a boolean"),
            (r#" ["id"]"#, "expected an object, found a list"),
            ("", "EOF"),
            ("{", "EOF"),
            ("\u{feff}{}", "expected"),
        ] {
            let error = Message::parse(body.as_bytes()).map(|_| body).unwrap_err();
            assert!(error.to_string().contains(reason), "{body}: {error}");
        }
        assert!(Message::parse(b"\xff\xfe").is_err());
    }

    fn texts() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec(".{0,8}", 0..3)
    }

    prop_compose! {
        fn message()(
            date in ".{0,24}", message_id in ".{0,36}", ancestor_ids in texts(), pipeline in texts(),
            force in any::<bool>(), ids in prop::collection::hash_set(".{1,20}", 0..5),
            document_indices in texts(), document_class in ".{0,12}",
        ) -> Message {
            let document_ids = ids.into_iter().map(|id| DocumentId::new(id).unwrap()).collect();
            Message {
                date, message_id, ancestor_ids, pipeline, force, document_ids, document_indices, document_class,
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(message in message()) {
            prop_assert_eq!(Message::parse(&message.to_body()).unwrap(), message);
        }

        #[test]
        fn reading_never_panics(body in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Message::parse(&body);
        }
    }
}
