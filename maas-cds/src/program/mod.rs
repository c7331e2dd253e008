//! The program `maas`: one command line over collectors, pools, store and bus.
//!
//! A custom build is the same call in a `main` of its own, with other crates linked:
//!
//! ```no_run
//! // use my_plugins as _; // linked for its registrations
//! fn main() -> std::process::ExitCode {
//!     maas_cds::program::main()
//! }
//! ```

mod check;
mod collect;
mod completions;
mod config;
mod connect;
mod convert;
mod dead;
mod doctor;
mod export;
mod extract;
mod filter;
mod get;
mod graph;
mod import;
mod index;
mod logs;
mod missing;
mod options;
mod original;
mod output;
mod pace;
mod plugins;
mod query;
mod queue;
mod run;
mod schema;
mod source;
mod status;
mod test;

use std::num::NonZero;
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use logs::Talk;

pub use test::check as check_tests;

/// Collects data from anywhere, stores it as documents, and computes what follows from them.
///
/// One YAML pipeline describes all of it. Without servers everything is kept in a local folder; the
/// same pipeline runs on RabbitMQ and OpenSearch with `--bus` and `--store`.
#[derive(Parser)]
#[command(name = "maas", version, about, max_term_width = 100)]
struct Maas {
    #[command(flatten)]
    connection: options::ConnectionOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Run),
    Check(check::Check),
    #[command(subcommand)]
    Config(config::Config),
    Convert(convert::Convert),
    Test(test::Test),
    Graph(graph::Graph),
    Plugins(plugins::Plugins),
    Schema(schema::Schema),
    Extract(extract::Extract),
    Collect(collect::Collect),
    Import(import::Import),
    Export(export::Export),
    Query(query::Query),
    Get(get::Get),
    #[command(subcommand)]
    Queue(queue::Queue),
    #[command(subcommand)]
    Dead(dead::Dead),
    #[command(subcommand)]
    Index(index::Index),
    Status(status::Status),
    Doctor(doctor::Doctor),
    Completions(completions::Completions),
}

/// What a command ended as. Its number is the exit code: scripts may rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did what was asked.
    Done = 0,
    /// It looked, and what it looked at is not well: a red item of `doctor`, a document that is not there.
    NotWell = 1,
    /// The pipeline or the options are wrong; nothing was started. Also clap's code for wrong options.
    Refused = 2,
    /// Something could not be translated; the rest was.
    Incomplete = 3,
    /// The pipeline is sound and names plugins that this program does not have.
    Unavailable = 4,
    /// An engine never came back: the process ended, so that its message is worked on alone by the next one.
    HandedOver = 5,
}

/// Runs the program: reads the command line, does what it says, tells how it ended.
///
/// Exit codes: 0 done, 1 failed or found something not well, 2 wrong options or a pipeline that was refused,
/// 3 a configuration that could not be translated whole, 4 a pipeline that names plugins this program does not have,
/// 5 an engine that never came back: start it again, its message is worked on alone then.
pub fn main() -> ExitCode {
    output::panics();
    let (maas, matches) = arguments();
    logs::start(match maas.command {
        Command::Run(_) | Command::Collect(_) => Talk::Talking,
        Command::Test(_) => Talk::Silent,
        _ => Talk::Quiet,
    });
    // Both aws-lc-rs and ring may be linked; rustls cannot choose. Already installed is fine.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match runtime().and_then(|runtime| to_the_end(runtime, maas, &matches)) {
        Ok(outcome) => ExitCode::from(outcome as u8),
        Err(error) => {
            output::failure(&error);
            ExitCode::from(1)
        }
    }
}

/// The command line, and where its values come from. What is wrong with it ends the program.
fn arguments() -> (Maas, ArgMatches) {
    let read = Maas::command().try_get_matches();
    let read = read.and_then(|matches| Ok((Maas::from_arg_matches(&matches)?, matches)));
    read.unwrap_or_else(|error| output::wrong_arguments(&error))
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    // One thread per core, but never one alone: while an engine computes, sockets want to be served.
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.max(2))
        .enable_all()
        .build()?)
}

/// Runs it, and does not wait for an engine that never comes back.
fn to_the_end(
    runtime: tokio::runtime::Runtime,
    maas: Maas,
    matches: &ArgMatches,
) -> anyhow::Result<Outcome> {
    let ended = runtime.block_on(execute(maas, matches));
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    ended
}

async fn execute(maas: Maas, matches: &ArgMatches) -> anyhow::Result<Outcome> {
    maas_model::plugin::check_registry()?;
    let connection = &maas.connection.resolve(&Maas::command(), matches)?;
    match maas.command {
        Command::Run(command) => Box::pin(command.execute(connection)).await,
        Command::Check(command) => command.execute(connection),
        Command::Config(command) => command.execute(connection),
        Command::Convert(command) => command.execute(connection),
        Command::Test(command) => Box::pin(command.execute()).await,
        Command::Graph(command) => command.execute(connection),
        Command::Plugins(command) => command.execute(),
        Command::Schema(command) => command.execute(),
        Command::Extract(command) => command.execute(connection),
        Command::Collect(command) => Box::pin(command.execute(connection)).await,
        Command::Import(command) => command.execute(connection).await,
        Command::Export(command) => command.execute(connection).await,
        Command::Query(command) => command.execute(connection).await,
        Command::Get(command) => command.execute(connection).await,
        Command::Queue(command) => command.execute(connection).await,
        Command::Dead(command) => command.execute(connection).await,
        Command::Index(command) => command.execute(connection).await,
        Command::Status(command) => command.execute(connection).await,
        Command::Doctor(command) => command.execute(connection).await,
        Command::Completions(command) => command.execute::<Maas>(),
    }
}
