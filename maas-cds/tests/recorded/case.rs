//! One recorded case of an engine.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, Utc};
use maas_model::pipeline::{EngineStep, MissingInput, PluginUse};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::cases;

/// Documents by index and id.
pub(crate) type Documents = BTreeMap<String, BTreeMap<String, Map<String, Value>>>;

/// A message, what the store held, and what came of it. Keys for readers are left out.
#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    #[serde(rename = "case")]
    pub(crate) name: String,
    pub(crate) pipeline: Pipeline,
    pub(crate) clock: DateTime<Utc>,
    #[serde(default)]
    flags: Map<String, Value>,
    pub(crate) before: Documents,
    pub(crate) message: Value,
    pub(crate) priority: Option<u8>,
    pub(crate) after: Documents,
    #[serde(default)]
    pub(crate) deleted: Vec<(String, String)>,
    pub(crate) messages: Vec<Published>,
    pub(crate) outcome: String,
    #[serde(default)]
    pub(crate) unordered: Vec<String>,
}

/// The queue and its engines, with effective parameters.
#[derive(Debug, Deserialize)]
pub(crate) struct Pipeline {
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    #[serde(default)]
    pub(crate) events: Vec<Map<String, Value>>,
}

/// A message that was published.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Published {
    pub(crate) exchange: String,
    pub(crate) routing_key: String,
    pub(crate) priority: u8,
    pub(crate) body: Map<String, Value>,
}

/// All cases of a folder, by name.
pub(crate) fn read_all(folder: &Path) -> Vec<Case> {
    let entries = std::fs::read_dir(folder).expect("a folder of cases");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        serde_json::from_value(cases::json(path))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    files.iter().map(read).collect()
}

impl Case {
    /// The ids of its engines.
    pub(crate) fn engines(&self) -> impl Iterator<Item = &str> {
        let events = self.pipeline.events.iter();
        events.map(|event| event.get("id").and_then(Value::as_str).unwrap_or_default())
    }

    /// Whether a queue takes its key. A key that no queue takes is recorded like a queue without engines;
    /// only the outcome tells them apart.
    pub(crate) fn has_queue(&self) -> bool {
        !self.pipeline.events.is_empty() || self.outcome == "acked"
    }

    /// The class named in its message.
    pub(crate) fn document_class(&self) -> &str {
        self.message["document_class"].as_str().unwrap_or_default()
    }

    /// Its engines as steps of a queue.
    pub(crate) fn steps(&self) -> Vec<EngineStep> {
        let missing = match self.flags.get("es_requeue_missing_input") {
            Some(Value::Bool(true)) => MissingInput::Retry,
            _ => MissingInput::Skip,
        };
        let events = self.pipeline.events.iter().zip(self.engines());
        events
            .map(|(event, id)| step(id, event.clone(), missing))
            .collect()
    }

    /// All documents there must be in the end.
    pub(crate) fn expected(&self) -> Documents {
        let mut documents = self.before.clone();
        for (index, written) in self.after.clone() {
            documents.entry(index).or_default().extend(written);
        }
        for (index, id) in &self.deleted {
            if let Some(documents) = documents.get_mut(index) {
                documents.remove(id);
            }
        }
        documents.retain(|_, documents| !documents.is_empty());
        documents
    }
}

/// The parameters that are ours of every step are taken out of the engine's own; null means absent.
fn step(id: &str, mut event: Map<String, Value>, missing: MissingInput) -> EngineStep {
    event.remove("id");
    let send_reports = event
        .remove("send_reports")
        .and_then(|value| value.as_bool());
    let chunk_size = event.remove("chunk_size").and_then(|value| value.as_u64());
    event.retain(|_, value| !value.is_null());
    EngineStep {
        engine: PluginUse {
            name: id.to_owned(),
            settings: Value::Object(event),
            place: "recorded case".to_owned(),
            base: std::path::PathBuf::new(),
        },
        send_reports: send_reports.unwrap_or(true),
        chunk_size: chunk_size
            .and_then(|size| usize::try_from(size).ok())
            .unwrap_or(0),
        // The original never looks whether something changed.
        force: true,
        missing,
    }
}
