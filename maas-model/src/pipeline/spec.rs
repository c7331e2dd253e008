//! A checked pipeline, ready to be built.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::document::IdFields;
use crate::message::{
    Binding, ExchangeName, QueueKind, QueueName, QueueSpec, RoutingKey, Topology,
};
use crate::model::{Model, Models};

/// Everything that one `maas run` does. Every name in it is known, every setting was checked by its
/// plugin, the wiring is sound.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// The name of its file or folder.
    pub name: String,
    /// By name.
    pub models: Models,
    /// In the order of the file.
    pub interfaces: Vec<Interface>,
    /// In the order of the file.
    pub pools: Vec<Pool>,
    /// Keys that another system consumes or feeds; they need no partner here.
    pub outside: Outside,
}

impl Pipeline {
    /// What must exist on the bus before anything runs: all exchanges, in the order in which they are
    /// first named, all queues, and the interfaces as owners of dead letters.
    pub fn topology(&self) -> Topology {
        let mut topology = Topology {
            parking: self
                .interfaces
                .iter()
                .map(|interface| interface.name.clone())
                .collect(),
            ..Topology::default()
        };
        let announced = self
            .interfaces
            .iter()
            .map(|interface| interface.announce.exchange());
        let reported = self.pools.iter().map(|pool| pool.report_exchange.clone());
        let bound = self
            .pools
            .iter()
            .flat_map(|pool| &pool.queues)
            .flat_map(|queue| &queue.bindings);
        let bound = bound.map(|binding| binding.exchange.clone());
        for exchange in announced.chain(reported).chain(bound) {
            // The default exchange is always there, and cannot be declared.
            if !exchange.as_str().is_empty() && !topology.exchanges.contains(&exchange) {
                topology.exchanges.push(exchange);
            }
        }
        for pool in &self.pools {
            topology
                .queues
                .extend(pool.queues.iter().map(|queue| QueueSpec {
                    name: queue.name.clone(),
                    owner: pool.name.clone(),
                    kind: queue.kind,
                    bindings: queue.bindings.clone(),
                }));
        }
        topology
    }
}

/// Keys that cross the border of the pipeline.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outside {
    /// Published here, consumed elsewhere.
    pub consumed: Vec<crate::message::KeyPattern>,
    /// Published elsewhere, consumed here.
    pub fed: Vec<crate::message::KeyPattern>,
}

/// A plugin chosen in the file, with its settings.
#[derive(Clone, PartialEq)]
pub struct PluginUse {
    /// Name of the plugin.
    pub name: String,
    /// Its settings, variables filled in; secrets are still references.
    pub settings: Value,
    /// Where it stands: `collect.yaml:12:5`.
    pub place: String,
    /// The folder of the pipeline: what relative paths in the settings start from.
    pub base: PathBuf,
}

impl fmt::Debug for PluginUse {
    /// Names the settings and does not show them: a password may stand among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self
            .settings
            .as_object()
            .into_iter()
            .flat_map(serde_json::Map::keys);
        f.debug_struct("PluginUse")
            .field("name", &self.name)
            .field("settings", &keys.collect::<Vec<_>>())
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// One source of data: collect -> extract -> store -> message.
#[derive(Debug, Clone)]
pub struct Interface {
    /// Unique; the key of its journal and of its dead letters.
    pub name: String,
    /// Interfaces that must first have stored and announced everything there was at their first look.
    pub after: Vec<String>,
    /// Where the data come from.
    pub collect: PluginUse,
    /// How files become records. `None`: files are only fetched and announced.
    pub extract: Option<PluginUse>,
    /// What the records become. `None` only without `extract`.
    pub store: Option<StoreSpec>,
    /// Who is told.
    pub announce: Announce,
    /// Fields saved beside the file for a later replay.
    pub store_meta: Vec<String>,
}

/// What records become.
#[derive(Debug, Clone)]
pub struct StoreSpec {
    /// Their model.
    pub model: Arc<Model>,
    /// What their id is made of.
    pub id: IdFields,
}

/// Who is told of new documents.
#[derive(Debug, Clone, Default)]
pub struct Announce {
    /// The exchange; `collect-exchange` unless said otherwise.
    pub exchange: Option<ExchangeName>,
    /// Key of the messages with the ids of new and changed documents; `None`: no message.
    pub documents: Option<RoutingKey>,
    /// Key of one message per ingested file; `None`: no message.
    pub files: Option<RoutingKey>,
    /// Most ids in one message, at least 1.
    pub chunk_size: usize,
    /// 0 to 9.
    pub priority: u8,
    /// What stands in the message's `pipeline`; the name of the collector unless said otherwise.
    pub collector_name: Option<String>,
}

impl Announce {
    /// Where the messages go.
    pub fn exchange(&self) -> ExchangeName {
        self.exchange.clone().unwrap_or_else(ExchangeName::collect)
    }
}

/// Some workers that take from some queues.
#[derive(Debug, Clone)]
pub struct Pool {
    /// Unique.
    pub name: String,
    /// Messages worked on at a time.
    pub concurrency: usize,
    /// Messages fetched ahead per queue, at least `concurrency`.
    pub prefetch: u16,
    /// Served in fair turns.
    pub queues: Vec<Queue>,
    /// Where reports go; `etl-exchange` unless said otherwise.
    pub report_exchange: ExchangeName,
    /// After how many tries a message is a dead letter.
    pub max_tries: u32,
    /// After how many seconds of one engine on one message it is given up and tried again.
    pub engine_timeout_seconds: u64,
}

/// A queue and what is done with its messages.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Its name; two pools may not share one.
    pub name: QueueName,
    /// How the broker keeps it.
    pub kind: QueueKind,
    /// What it receives. All literal keys of it run the same engines.
    pub bindings: Vec<Binding>,
    /// Run one after the other on each message; none: the message is acknowledged and nothing runs.
    pub engines: Vec<EngineStep>,
}

/// One engine in a queue's list.
#[derive(Debug, Clone)]
pub struct EngineStep {
    /// The engine with its effective settings (defaults of its id, overridden key by key).
    pub engine: PluginUse,
    /// Whether what it writes is announced.
    pub send_reports: bool,
    /// Most ids in one report message; 0: no limit.
    pub chunk_size: usize,
    /// Write and announce also what did not change.
    pub force: bool,
    /// What happens when an id of the message has no document.
    pub missing: MissingInput,
}

/// What happens when an id of a message has no document.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MissingInput {
    /// It is named in the log and counted, the others go on.
    #[default]
    Skip,
    /// The whole message is tried again later, up to the pool's `max_tries`.
    Retry,
    /// The others go on, the missing ids become a dead letter.
    DeadLetter,
}
