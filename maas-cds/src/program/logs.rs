//! Logs: for a person on a terminal, JSON lines otherwise; always on standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::MakeWriterExt;

/// What is logged unless `MAAS_LOG` says otherwise: what an operator must know, not what others say of
/// themselves. A lost connection to the broker is told by the link, once; lapin would tell it thrice.
const QUIET: &str = "warn,lapin=off";
/// Dead letters and the like are what tests are about, and they compare them.
const SILENT: &str = "error";
const TALKING: &str = "info,lapin=off,opensearch=warn,hyper=warn,reqwest=warn";

/// How much a command tells of its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Talk {
    /// It tells results, not events.
    Silent,
    /// Only what an operator must know.
    Quiet,
    /// It works for long and tells of it.
    Talking,
}

/// Starts logging.
///
/// `MAAS_LOG` takes the usual filters: `debug`, `maas_engine=debug,info`.
pub(crate) fn start(talk: Talk) {
    let default = match talk {
        Talk::Silent => SILENT,
        Talk::Talking if !stderr().is_terminal() => TALKING,
        Talk::Quiet | Talk::Talking => QUIET,
    };
    let filter = EnvFilter::try_from_env("MAAS_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt().with_env_filter(filter);
    let writer = super::output::AroundProgress.with_max_level(tracing::Level::TRACE);
    // A second start (a test that runs two commands in one process) keeps the first.
    let _ = if stderr().is_terminal() {
        lines.with_writer(writer).with_target(false).try_init()
    } else {
        lines
            .json()
            .flatten_event(true)
            .with_writer(writer)
            .try_init()
    };
}
