//! What a run left behind: its documents, and what it announced. For the latter a pipeline gets an ear: a
//! queue that is bound to everything and that nobody empties.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use maas_model::message::{BusOptions, Message, QueueName};
use serde_json::Value;

use crate::program::Pair;

/// The queue that hears everything, and the pool that owns it.
pub const EAR: &str = "audit";

/// Fields that differ from run to run.
const CLOCK_FIELDS: [&str; 2] = ["ingestionTime", "updateTime"];

/// Documents by index and id, without the fields that differ from run to run.
pub type Documents = BTreeMap<(String, String), Value>;

/// One id of one message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Heard {
    /// The routing key.
    pub key: String,
    /// The class of the document.
    pub class: String,
    /// The document.
    pub id: String,
}

/// A file of a pipeline that adds the ear.
pub fn ear(exchanges: &[&str]) -> String {
    let from: Vec<String> = exchanges
        .iter()
        .map(|exchange| format!("{exchange}: ['#']"))
        .collect();
    format!(
        "pools:\n  - name: {EAR}\n    queues:\n      - name: {EAR}\n        from: {{ {} }}\n        engines: []\n",
        from.join(", ")
    )
}

/// Everything that was announced and not yet emptied out of the ear, id by id, in the order of the queue.
pub async fn heard(pair: &Pair) -> Result<Vec<Heard>> {
    /// More than any test announces.
    const MOST: usize = 1_000_000;
    let bus = maas_model::message::open(&pair.bus.parse()?, &pair.data, &BusOptions::default())?;
    let mut heard = Vec::new();
    for peeked in bus.peek(&QueueName::new(EAR)?, MOST).await? {
        let message = Message::parse(&peeked.body).context("a message is malformed")?;
        let key = peeked.routing_key.as_str();
        heard.extend(message.document_ids.iter().map(|id| Heard {
            key: key.to_owned(),
            class: message.document_class.clone(),
            id: id.to_string(),
        }));
    }
    bus.close().await?;
    Ok(heard)
}

/// The documents of an alias, as the program exports them. Every run has an inbox of its own; that it is the
/// inbox is what counts.
pub fn documents(pair: &Pair, alias: &str, inbox: &Path) -> Result<Documents> {
    let mut documents = Documents::new();
    for line in pair.run(&["export", alias])?.lines() {
        let mut line: Value = serde_json::from_str(line)?;
        let key = (text(&line["_index"]), text(&line["_id"]));
        let mut source = line["_source"].take();
        if let Some(fields) = source.as_object_mut() {
            fields.retain(|field, _| !CLOCK_FIELDS.contains(&field.as_str()));
            if let Some(folder) = fields.get_mut("reportFolder")
                && folder.as_str().map(Path::new) == Some(inbox)
            {
                *folder = "inbox".into();
            }
        }
        documents.insert(key, sorted(source));
    }
    Ok(documents)
}

/// Key order has no meaning; equal documents shall print alike.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> = fields
                .into_iter()
                .map(|(field, value)| (field, sorted(value)))
                .collect();
            fields.into_iter().collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
