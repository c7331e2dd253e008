//! Options that several commands share.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, ValueEnum};
use maas_model::message::BusUrl;
use maas_model::store::StoreUrl;

use super::original;
use super::source::wrong_value;

/// Where documents and messages are kept. Each option has an environment variable of its own.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConnectionOptions {
    /// Store: `embedded` (the default), or the address of OpenSearch (`https://user:password@host:9200`).
    #[arg(long, env = "MAAS_STORE", global = true, hide_env_values = true)]
    // Read later: a wrong value would be repeated, and a password may stand in it.
    store: Option<String>,
    /// Bus: `embedded` (the default), or the address of RabbitMQ (`amqp://user:password@host:5672/vhost`).
    #[arg(long, env = "MAAS_BUS", global = true, hide_env_values = true)]
    bus: Option<String>,
    /// Folder of the embedded store and bus; made when it is missing.
    #[arg(
        long,
        env = "MAAS_DATA_DIR",
        default_value = "maas-data",
        global = true
    )]
    data_dir: PathBuf,
    /// PEM file of the authorities that signed the servers' certificates, when the system does not know them.
    #[arg(long, env = "MAAS_CA_FILE", global = true, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// PEM file of the certificate to show to servers that ask for one, and of those it was signed with.
    #[arg(
        long,
        env = "MAAS_CLIENT_CERT_FILE",
        global = true,
        value_name = "FILE",
        requires = "client_key_file"
    )]
    client_cert_file: Option<PathBuf>,
    /// PEM file of the private key of that certificate.
    #[arg(
        long,
        env = "MAAS_CLIENT_KEY_FILE",
        global = true,
        value_name = "FILE",
        requires = "client_cert_file"
    )]
    client_key_file: Option<PathBuf>,
    /// In place of a pipeline: files and folders of the Python system's configuration, as they are. Its
    /// variables `ES_URL`, `AMQP_URL`, ... are heeded then.
    #[arg(
        long,
        env = "MAAS_LEGACY",
        value_name = "DIR",
        num_args = 1..,
        value_delimiter = ':',
        global = true
    )]
    legacy: Vec<PathBuf>,
}

/// Where documents and messages are kept, and what a command works with.
#[derive(Debug, Clone)]
pub(crate) struct Connection {
    pub(crate) store: StoreUrl,
    pub(crate) bus: BusUrl,
    pub(crate) data_dir: PathBuf,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) client_cert_file: Option<PathBuf>,
    pub(crate) client_key_file: Option<PathBuf>,
    /// The configuration of the Python system that stands for a pipeline.
    pub(crate) legacy: Vec<PathBuf>,
    /// Where the first three come from.
    pub(crate) origins: Origins,
}

/// Where what a command works with comes from, for a person.
#[derive(Debug, Clone)]
pub(crate) struct Origins {
    pub(crate) store: String,
    pub(crate) bus: String,
    pub(crate) data_dir: String,
}

impl ConnectionOptions {
    /// What is not said is as it is by default, or as the Python system's variables say where its
    /// configuration is used.
    pub(crate) fn resolve(
        self,
        command: &Command,
        matches: &ArgMatches,
    ) -> anyhow::Result<Connection> {
        let named = match self.legacy.is_empty() {
            false => original::servers(&|name| std::env::var(name).ok())?,
            true => original::Servers::default(),
        };
        let store = self.store.as_deref().map(read::<StoreUrl>);
        let bus = self.bus.as_deref().map(read::<BusUrl>);
        let origin = |id: &str, python: Option<&str>| match origin(id, command, matches) {
            Some(origin) => origin,
            None => match python {
                Some(name) => format!("environment {name}"),
                None => "default".to_owned(),
            },
        };
        let origins = Origins {
            store: origin("store", named.store.as_ref().map(|_| "ES_URL")),
            bus: origin("bus", named.bus.as_ref().map(|_| "AMQP_URL")),
            data_dir: origin("data_dir", None),
        };
        let connection = Connection {
            store: store.or(named.store).unwrap_or(StoreUrl::Embedded),
            bus: bus.or(named.bus).unwrap_or_else(BusUrl::embedded),
            data_dir: self.data_dir,
            ca_file: self.ca_file,
            client_cert_file: self.client_cert_file,
            client_key_file: self.client_key_file,
            legacy: self.legacy,
            origins,
        };
        connection.warn_of_open_passwords(matches);
        Ok(connection)
    }
}

/// The address; a wrong one ends the program, without being repeated.
fn read<T: FromStr<Err: Display>>(text: &str) -> T {
    text.parse()
        .unwrap_or_else(|error: T::Err| wrong_value(&error.to_string()))
}

/// Whether an option or a variable gave the value of an argument, and which.
fn origin(id: &str, command: &Command, matches: &ArgMatches) -> Option<String> {
    let argument = command
        .get_arguments()
        .find(|argument| argument.get_id() == id)?;
    match matches.value_source(id)? {
        ValueSource::CommandLine => Some(format!("option --{}", argument.get_long()?)),
        ValueSource::EnvVariable => Some(format!("environment {}", argument.get_env()?.display())),
        _ => None,
    }
}

impl Connection {
    /// Everybody on a machine may read the arguments of its processes.
    fn warn_of_open_passwords(&self, matches: &ArgMatches) {
        let written = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        for (id, variable, has_password) in [
            ("store", "MAAS_STORE", self.store.has_password()),
            ("bus", "MAAS_BUS", self.bus.has_password()),
        ] {
            if has_password && written(id) {
                tracing::warn!(
                    "the password in `--{id}` can be read in the list of processes: give the address in `{variable}`"
                );
            }
        }
    }
}

/// The pipeline, for commands whose main argument it is.
#[derive(Debug, Clone, Args)]
pub(crate) struct PipelineArgument {
    /// The pipeline: a YAML file, or a folder of them.
    #[arg(env = "MAAS_PIPELINE")]
    pub(crate) pipeline: Option<PathBuf>,
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
