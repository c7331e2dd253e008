//! Options that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use maas_model::message::BusUrl;
use maas_model::store::StoreUrl;

/// Where documents and messages are kept. Each option has an environment variable of its own.
#[derive(Debug, Clone, Args)]
pub(crate) struct Connection {
    /// Store: `embedded`, or the address of OpenSearch (`https://user:password@host:9200`).
    #[arg(
        long,
        env = "MAAS_STORE",
        default_value = "embedded",
        global = true,
        hide_env_values = true
    )]
    pub(crate) store: StoreUrl,
    /// Bus: `embedded`, or the address of RabbitMQ (`amqp://user:password@host:5672/vhost`).
    #[arg(
        long,
        env = "MAAS_BUS",
        default_value = "embedded",
        global = true,
        hide_env_values = true
    )]
    pub(crate) bus: BusUrl,
    /// Folder of the embedded store and bus; made when it is missing.
    #[arg(
        long,
        env = "MAAS_DATA_DIR",
        default_value = "maas-data",
        global = true
    )]
    pub(crate) data_dir: PathBuf,
    /// PEM file of the authority that signed the servers' certificates, when the system does not know it.
    #[arg(long, env = "MAAS_CA_FILE", global = true)]
    pub(crate) ca_file: Option<PathBuf>,
}

/// The pipeline, for commands whose main argument is something else.
#[derive(Debug, Clone, Args)]
pub(crate) struct PipelineOption {
    /// The pipeline: a YAML file, or a folder of them.
    #[arg(short, long, env = "MAAS_PIPELINE")]
    pub(crate) pipeline: Option<PathBuf>,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table for a person.
    Table,
    /// One JSON value.
    Json,
    /// One JSON value per line.
    Jsonl,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct OutputOption {
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,
}
