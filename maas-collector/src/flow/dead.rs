//! What could not be used, as dead letters of the interface.

use maas_model::message::{DeadLetter, DeadOriginal, DeadReason, Outgoing};
use maas_model::store::{WriteAction, WriteOp};
use serde_json::Value;

use super::Item;
use crate::extract::BadRecord;

/// A record that is wrong.
pub(super) fn record(interface: &str, item: &Item, bad: BadRecord) -> DeadLetter {
    let detail = bad.detail();
    let original = DeadOriginal::Record {
        file: item.raw.path.display().to_string(),
        place: bad.place,
        raw: bad.raw,
        head: bad.head,
    };
    DeadLetter::new(
        interface,
        reason("record refused", detail, interface),
        1,
        original,
    )
}

/// A document that the store refuses.
pub(super) fn document(
    interface: &str,
    item: &Item,
    action: WriteAction,
    detail: &str,
) -> DeadLetter {
    let original = DeadOriginal::Document {
        made_by: None,
        index: action.index.to_string(),
        id: action.id.to_string(),
        source: match action.op {
            WriteOp::Create(source) | WriteOp::Index(source, _) => Value::Object(source),
            WriteOp::Delete(_) => Value::Null,
        },
        origin: item.raw.path.display().to_string(),
    };
    let reason = reason("document refused", detail.to_owned(), interface);
    DeadLetter::new(interface, reason, 1, original)
}

/// A message that the broker will never take. It was in no queue yet: a replay publishes it again.
pub(super) fn message(interface: &str, message: Outgoing, detail: &str) -> DeadLetter {
    let original = DeadOriginal::Message {
        exchange: message.exchange.to_string(),
        routing_key: message.routing_key.to_string(),
        queue: String::new(),
        priority: message.priority,
        body: Some(String::from_utf8_lossy(&message.body).into_owned()),
        body_base64: None,
        headers: message.headers,
    };
    let reason = reason("message refused", detail.to_owned(), interface);
    DeadLetter::new(interface, reason, 1, original)
}

fn reason(kind: &str, detail: String, interface: &str) -> DeadReason {
    DeadReason {
        kind: kind.to_owned(),
        detail,
        component: Some(interface.to_owned()),
        ..DeadReason::default()
    }
}
