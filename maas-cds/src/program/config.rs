//! `maas config`: what the program makes of files, options and environment.

use clap::{Args, Subcommand, ValueEnum};
use maas_model::pipeline::Effective;
use serde_json::{Value, json};

use super::options::{Connection, PipelineArgument};
use super::source::PipelineSource;
use super::{Outcome, connect, output};

/// Show the configuration that is in effect.
#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Print a pipeline as it is in the end: variables filled in, defaults added, all files together, also of
    /// `--legacy`. Above it under `x-options`: store, bus and data folder, and where each was named.
    ///
    /// What is printed can be read as a pipeline again, from the same folder: relative paths stay as they are.
    /// Secrets are shown as references (`{ env: NAME }`, `{ file: PATH }`), and as `***` when they stand in the
    /// pipeline itself. Exit code 2 when the pipeline is refused; `maas check` says why.
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    pipeline: PipelineArgument,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t = Format::Yaml)]
    output: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// As a pipeline file.
    Yaml,
    /// One JSON object.
    Json,
}

impl Config {
    pub(crate) fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        match self {
            Self::Show(show) => show.execute(connection),
        }
    }
}

impl Show {
    fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        let source = PipelineSource::required(self.pipeline.pipeline.as_deref(), connection);
        let pipeline = match connect::load(&source) {
            Ok(pipeline) => pipeline,
            Err(error) => {
                output::failure(&anyhow::Error::new(error).context("the pipeline is refused"));
                return Ok(Outcome::Refused);
            }
        };
        let effective = pipeline.effective();
        let effective = effective.with("x-options", options(connection));
        output::line(printed(effective, &source, self.output)?.trim_end())?;
        Ok(Outcome::Done)
    }
}

fn printed(
    effective: Effective,
    source: &PipelineSource,
    format: Format,
) -> anyhow::Result<String> {
    Ok(match format {
        Format::Yaml => effective.yaml(&format!(
            "What is in effect of `{source}`. Relative paths start where they do there."
        )),
        Format::Json => serde_json::to_string_pretty(&effective.into_json())?,
    })
}

/// What is no part of a pipeline, and where it was named.
fn options(connection: &Connection) -> Value {
    let origins = &connection.origins;
    let mut options = json!({
        "store": { "value": connection.store.to_string(), "from": origins.store },
        "bus": { "value": connection.bus.to_string(), "from": origins.bus },
        "data_dir": { "value": connection.data_dir, "from": origins.data_dir },
    });
    for (name, file) in [
        ("ca_file", &connection.ca_file),
        ("client_cert_file", &connection.client_cert_file),
        ("client_key_file", &connection.client_key_file),
    ] {
        if let Some(file) = file {
            options[name] = json!({ "value": file });
        }
    }
    options
}
