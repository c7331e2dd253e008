//! What differs between recorded and ours.

use std::collections::BTreeSet;

use maas_model::document::same;
use maas_model::message::Outgoing;
use serde_json::{Map, Value};

use super::case::{Documents, Published};

/// Marks what the original did not do.
const ONLY_OURS: &str = ": only ours";

/// Fields of the geometry, which ours does not compute yet.
fn is_geometry(field: &str) -> bool {
    field == "expected_tiles" || field.ends_with("_coverage_percentage")
}

/// What differs between two sets of documents, geometry apart.
pub(crate) fn documents(ours: &Documents, recorded: &Documents) -> Vec<String> {
    let mut problems = Vec::new();
    let indices: BTreeSet<&String> = ours.keys().chain(recorded.keys()).collect();
    for index in indices {
        let (ours, recorded) = (ours.get(index), recorded.get(index));
        let ids: BTreeSet<&String> = [ours, recorded]
            .into_iter()
            .flatten()
            .flat_map(|documents| documents.keys())
            .collect();
        for id in ids {
            let ours = ours.and_then(|documents| documents.get(id));
            let recorded = recorded.and_then(|documents| documents.get(id));
            match (ours, recorded) {
                (Some(ours), Some(recorded)) => {
                    problems.extend(fields(&format!("{index}/{id}"), ours, recorded));
                }
                (Some(_), None) => problems.push(format!("{index}/{id}{ONLY_OURS}")),
                (None, _) => problems.push(format!("{index}/{id}: missing")),
            }
        }
    }
    problems
}

fn fields(place: &str, ours: &Map<String, Value>, recorded: &Map<String, Value>) -> Vec<String> {
    let names: BTreeSet<&String> = ours.keys().chain(recorded.keys()).collect();
    names
        .into_iter()
        .filter(|name| !is_geometry(name))
        .filter_map(|name| {
            let (ours, recorded) = (ours.get(name), recorded.get(name));
            let equal = match (ours, recorded) {
                (Some(ours), Some(recorded)) => same(ours, recorded),
                (ours, recorded) => ours == recorded,
            };
            (!equal).then(|| format!("{place} {name}: ours {ours:?}, recorded {recorded:?}"))
        })
        .collect()
}

/// What differs between what was published. With `unordered` neither the order of
/// messages nor that of the ids in them counts.
pub(crate) fn messages(
    ours: Vec<Published>,
    recorded: &[Published],
    unordered: bool,
) -> Vec<String> {
    let mut ours: Vec<Published> = ours
        .into_iter()
        .map(|message| comparable(message, unordered))
        .collect();
    let mut recorded: Vec<Published> = recorded
        .iter()
        .map(|message| comparable(message.clone(), unordered))
        .collect();
    if unordered {
        let key = |message: &Published| format!("{message:?}");
        ours.sort_by_key(key);
        recorded.sort_by_key(key);
    }
    let mut problems = Vec::new();
    let mut extra = ours.clone();
    for message in &recorded {
        match extra.iter().position(|ours| ours == message) {
            Some(place) => {
                extra.remove(place);
            }
            None => problems.push(format!("message is missing: {}", text(message))),
        }
    }
    problems.extend(
        extra
            .iter()
            .map(|message| format!("message {}{ONLY_OURS}", text(message))),
    );
    if problems.is_empty() && ours != recorded {
        problems.push("the messages come in another order".to_owned());
    }
    problems
}

/// Whether a problem is only that ours did more.
pub(crate) fn is_more(problem: &str) -> bool {
    problem.ends_with(ONLY_OURS)
}

/// How many inputs, documents or messages were given up.
pub(crate) fn dead_letters(ours: &[Outgoing]) -> usize {
    ours.iter()
        .filter(|message| is_dead_letter(message))
        .count()
}

fn is_dead_letter(message: &Outgoing) -> bool {
    message.exchange.as_str().is_empty()
}

/// Messages as they are recorded, dead letters apart.
pub(crate) fn published(messages: &[Outgoing]) -> Vec<Published> {
    let messages = messages.iter().filter(|message| !is_dead_letter(message));
    messages.map(recorded_form).collect()
}

fn recorded_form(message: &Outgoing) -> Published {
    Published {
        exchange: message.exchange.to_string(),
        routing_key: message.routing_key.to_string(),
        priority: message.priority,
        body: serde_json::from_slice(&message.body).expect("a message is an object"),
    }
}

/// Without what differs from run to run.
fn comparable(mut message: Published, unordered: bool) -> Published {
    let body = &mut message.body;
    body.remove("date");
    body.remove("message_id");
    body.sort_keys();
    sort_texts(body, "document_indices");
    if unordered {
        sort_texts(body, "document_ids");
    }
    message
}

fn sort_texts(body: &mut Map<String, Value>, field: &str) {
    if let Some(Value::Array(items)) = body.get_mut(field) {
        items.sort_by_key(ToString::to_string);
    }
}

fn text(message: &Published) -> String {
    let Published {
        exchange,
        routing_key,
        priority,
        body,
    } = message;
    format!(
        "{exchange} {routing_key} {priority} {}",
        Value::Object(body.clone())
    )
}
