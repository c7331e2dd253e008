//! What may stand in a pipeline file, section by section, before names are looked up.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::MissingInput;
use crate::message::{ExchangeName, KeyPattern, QueueKind, QueueName, RoutingKey};

/// The top-level keys of a file.
pub(super) const SECTIONS: [&str; 5] = [
    "interfaces",
    "models",
    "engine_defaults",
    "pools",
    "outside",
];

/// Exactly one plugin with its settings: `{ file: { paths: [inbox] } }`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[schemars(transparent, extend("minProperties" = 1, "maxProperties" = 1))]
#[serde(transparent)]
pub(super) struct PluginText(pub(super) IndexMap<String, Value>);

/// One source of data: where it is collected, how it is read, what is stored, who is told.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InterfaceText {
    /// Unique name; the journal and the dead letters go by it.
    #[schemars(length(min = 1))]
    pub(super) name: String,
    /// Interfaces whose data must be there first: this one starts when they have taken everything there
    /// was at their first look.
    #[serde(default)]
    pub(super) after: Vec<String>,
    /// Where the files come from: a collector and its settings.
    pub(super) collect: PluginText,
    /// How files become records: an extractor and its settings. Without it files are only fetched and
    /// announced.
    pub(super) extract: Option<PluginText>,
    /// What the records become.
    pub(super) store: Option<StoreText>,
    /// Who is told.
    #[serde(default)]
    pub(super) announce: AnnounceText,
    /// Fields saved beside each file for a later replay.
    #[serde(default)]
    pub(super) store_meta: Vec<String>,
}

/// What records become.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StoreText {
    /// Name of their model.
    pub(super) model: String,
    /// What their id is made of.
    pub(super) id: IdText,
}

/// What an id is made of: one field as it is, or the MD5 digest of several.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum IdText {
    /// The value of this field.
    Field(#[schemars(length(min = 1))] String),
    /// The digest of the texts of these fields, in this order.
    Digest(#[schemars(length(min = 1))] Vec<String>),
}

/// Who is told of new documents and files.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AnnounceText {
    /// Exchange of the messages.
    #[schemars(with = "String")]
    pub(super) exchange: ExchangeName,
    /// Key of the messages that name new and changed documents.
    #[schemars(with = "Option<RoutingKeyText>")]
    pub(super) documents: Option<RoutingKey>,
    /// Key of one message per file.
    #[schemars(with = "Option<RoutingKeyText>")]
    pub(super) files: Option<RoutingKey>,
    /// Most documents in one message.
    #[schemars(range(min = 1))]
    pub(super) chunk_size: usize,
    /// Priority of the messages; heeded by classic queues.
    #[schemars(range(max = 9))]
    pub(super) priority: u8,
    /// Name of the collector in the messages, where it shall differ from the collector's own.
    pub(super) collector_name: Option<String>,
}

impl Default for AnnounceText {
    fn default() -> Self {
        Self {
            exchange: ExchangeName::collect(),
            documents: None,
            files: None,
            chunk_size: 512,
            priority: 5,
            collector_name: None,
        }
    }
}

/// A routing key: words joined by dots, no wildcards.
#[derive(JsonSchema)]
#[schemars(transparent)]
#[allow(dead_code)] // Stands for `RoutingKey` in schemas.
pub(super) struct RoutingKeyText(
    #[schemars(length(min = 1, max = 255), regex(pattern = "^[^*#]+$"))] String,
);

/// A name: not empty, at most 255 bytes.
#[derive(JsonSchema)]
#[schemars(transparent)]
#[allow(dead_code)] // Stands for `QueueName` and binding keys in schemas.
pub(super) struct NameText(#[schemars(length(min = 1, max = 255))] String);

/// Workers that take messages from some queues.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PoolText {
    /// Unique name; its dead letters go by it.
    #[schemars(length(min = 1))]
    pub(super) name: String,
    /// Messages worked on at a time.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1024))]
    pub(super) concurrency: usize,
    /// Messages fetched ahead per queue; at least `concurrency`, which is also the default if it is
    /// more than 16.
    #[schemars(range(min = 1))]
    pub(super) prefetch: Option<u16>,
    /// Exchange of the messages that the engines cause.
    #[serde(default = "ExchangeName::report")]
    #[schemars(with = "String")]
    pub(super) report_exchange: ExchangeName,
    /// After how many tries a message becomes a dead letter.
    #[serde(default = "max_tries")]
    #[schemars(range(min = 1))]
    pub(super) max_tries: u32,
    /// After how many seconds one engine on one message is given up and tried again.
    #[serde(default = "engine_timeout_seconds")]
    #[schemars(range(min = 1))]
    pub(super) engine_timeout_seconds: u64,
    /// Where the messages come from; served in fair turns.
    #[schemars(length(min = 1))]
    pub(super) queues: Vec<QueueText>,
}

fn one() -> usize {
    1
}

fn max_tries() -> u32 {
    10
}

fn engine_timeout_seconds() -> u64 {
    600
}

/// A queue and what is done with its messages.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QueueText {
    /// Its name.
    #[schemars(with = "NameText")]
    pub(super) name: QueueName,
    /// What it receives: exchange, then the keys it takes from there (`*` is any word, `#` any words).
    #[schemars(with = "IndexMap<String, Vec<NameText>>", length(min = 1))]
    pub(super) from: IndexMap<ExchangeName, Vec<KeyPattern>>,
    /// How the broker keeps it.
    #[serde(default)]
    pub(super) kind: QueueKind,
    /// Engines run one after the other on each message. None: messages are taken and dropped.
    pub(super) engines: Vec<StepText>,
}

/// An engine in the list of a queue: its name, or a map of its name to its settings, and beside it the
/// settings that every engine has.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum StepText {
    /// The engine with its defaults.
    Name(String),
    /// The engine with settings.
    Settings(StepMap),
}

/// An engine with settings.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub(super) struct StepMap {
    /// Whether what it writes is announced.
    pub(super) report: Option<bool>,
    /// Most documents in one message; 0: no limit.
    pub(super) chunk_size: Option<usize>,
    /// Writes and announces also what did not change.
    pub(super) force: Option<bool>,
    /// What happens when an id of the message has no document.
    pub(super) missing: Option<MissingInput>,
    /// Name of the engine and its settings.
    #[serde(flatten)]
    pub(super) engine: Map<String, Value>,
}

/// The keys of a step that are not engines.
pub(super) const STEP_KEYS: [&str; 4] = ["report", "chunk_size", "force", "missing"];

/// Keys that cross the border of the pipeline.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OutsideText {
    /// Published here, consumed by another system.
    #[schemars(with = "Vec<NameText>")]
    pub(super) consumed: Vec<KeyPattern>,
    /// Published by another system, consumed here.
    #[schemars(with = "Vec<NameText>")]
    pub(super) fed: Vec<KeyPattern>,
}
