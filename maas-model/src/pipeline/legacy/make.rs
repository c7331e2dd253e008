//! Nodes that are made rather than read: they stand where the thing they come from stands.

use serde_json::Value;

use crate::pipeline::tree::{Entry, Kind, Node, Place};

pub(super) fn scalar(place: Place, value: impl Into<Value>) -> Node {
    let kind = Kind::Scalar(value.into());
    Node { place, kind }
}

pub(super) fn list(place: Place, items: Vec<Node>) -> Node {
    let kind = Kind::List(items);
    Node { place, kind }
}

pub(super) fn map(place: Place, entries: Vec<Entry>) -> Node {
    let kind = Kind::Map(entries);
    Node { place, kind }
}

/// An entry whose key stands where its value does.
pub(in crate::pipeline) fn entry(key: impl Into<String>, value: Node) -> Entry {
    Entry {
        key: key.into(),
        place: value.place,
        value,
    }
}

/// The same entry under another name.
pub(super) fn renamed(key: impl Into<String>, old: &Entry) -> Entry {
    Entry {
        key: key.into(),
        place: old.place,
        value: old.value.clone(),
    }
}

/// A map of one entry.
pub(super) fn single(place: Place, key: impl Into<String>, value: Node) -> Node {
    let key = key.into();
    map(place, vec![Entry { key, place, value }])
}

/// A whole value, all of it at one place.
pub(in crate::pipeline) fn value(place: Place, value: Value) -> Node {
    match value {
        Value::Array(items) => list(
            place,
            items
                .into_iter()
                .map(|item| self::value(place, item))
                .collect(),
        ),
        Value::Object(fields) => map(
            place,
            fields
                .into_iter()
                .map(|(key, field)| Entry {
                    key,
                    place,
                    value: self::value(place, field),
                })
                .collect(),
        ),
        scalar => self::scalar(place, scalar),
    }
}

/// A copy in which everything stands at one place: for what comes from another file.
pub(super) fn moved(node: &Node, place: Place) -> Node {
    value(place, node.to_value())
}

/// A copy in which `${` stands for itself, as it does in the old files.
pub(super) fn escaped(node: &Node) -> Node {
    let kind = match &node.kind {
        Kind::Scalar(Value::String(text)) => Kind::Scalar(text.replace("${", "$${").into()),
        Kind::Scalar(_) | Kind::Filled { .. } => node.kind.clone(),
        Kind::List(items) => Kind::List(items.iter().map(escaped).collect()),
        Kind::Map(entries) => {
            let copy = |entry: &Entry| Entry {
                value: escaped(&entry.value),
                ..entry.clone()
            };
            Kind::Map(entries.iter().map(copy).collect())
        }
    };
    Node {
        place: node.place,
        kind,
    }
}
