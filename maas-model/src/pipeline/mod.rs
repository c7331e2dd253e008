//! What the YAML can say: files -> tree -> sections -> checked values -> wiring.
//!
//! `spec` holds the values that the rest of MaaS works with; nothing in it knows of YAML, so that other
//! forms of configuration can be read into the same values. `flow` tells which message goes where.

mod build;
mod effective;
mod excerpt;
mod files;
mod flow;
mod graph;
mod legacy;
mod load;
mod missing;
mod models;
mod order;
mod plugins;
mod problem;
mod records;
mod report;
mod schema;
mod sections;
mod spec;
mod text;
mod tree;
mod variables;
mod wiring;
mod yaml_file;

pub use effective::Effective;
pub use flow::{Edge, EdgeSource, Flow, QueueRef};
pub use graph::Graph;
pub use legacy::Converted;
pub use load::Loaded;
pub use missing::MissingPlugin;
pub use problem::{LoadError, Problem, Severity};
pub use schema::schema;
pub use spec::{
    Announce, EngineStep, Interface, MissingInput, Outside, Pipeline, PluginUse, Pool, Queue,
    StoreSpec,
};
pub use variables::Environment;
pub(crate) use variables::expand;
pub use wiring::{Finding, Subject};
pub use yaml_file::YamlFile;
