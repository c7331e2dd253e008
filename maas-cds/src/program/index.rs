//! `maas index`: the indices of the store.

use std::io::{IsTerminal, stdin};

use anyhow::bail;
use clap::Subcommand;
use maas_model::document::IndexName;
use serde_json::json;

use super::Outcome;
use super::options::{Connection, OutputOption, PipelineOption};
use super::output::{self, Rows};

/// List, install or drop indices.
#[derive(Debug, Subcommand)]
pub(crate) enum Index {
    /// List indices with their documents and size.
    List {
        /// `*` stands for any text.
        #[arg(default_value = "*")]
        pattern: String,
        #[command(flatten)]
        output: OutputOption,
    },
    /// Install or update templates and aliases of the pipeline's models. Documents stay.
    Install {
        /// Models to install; all when none is named.
        models: Vec<String>,
        #[command(flatten)]
        pipeline: PipelineOption,
    },
    /// Remove indices with all their documents.
    Drop {
        /// Concrete indices, as `maas index list` names them.
        #[arg(required = true)]
        indices: Vec<String>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

impl Index {
    pub(crate) async fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        let store = connection.open_store()?;
        match self {
            Self::List { pattern, output } => {
                let mut rows = Rows::new(["index", "aliases", "documents", "bytes"]);
                for info in store.indices(&pattern).await? {
                    let aliases: Vec<&str> = info.aliases.iter().map(IndexName::as_str).collect();
                    rows.push([
                        json!(info.name),
                        json!(aliases.join(", ")),
                        json!(info.documents),
                        json!(info.bytes),
                    ]);
                }
                rows.print(output.output)?;
            }
            Self::Install { models, pipeline } => {
                let pipeline = pipeline.require(connection)?;
                let chosen = choose(&pipeline, &models)?;
                for model in chosen {
                    store.install(model).await?;
                    output::line(&format!("{} installed as `{}`", model.name, model.alias))?;
                }
            }
            Self::Drop { indices, yes } => {
                let names: Vec<IndexName> = indices
                    .into_iter()
                    .map(IndexName::new)
                    .collect::<Result<_, _>>()?;
                if !yes {
                    confirm(&names)?;
                }
                for name in names {
                    store.drop_index(&name).await?;
                    output::line(&format!("{name} dropped"))?;
                }
            }
        }
        store.close().await?;
        Ok(Outcome::Done)
    }
}

fn choose<'a>(
    pipeline: &'a maas_model::pipeline::Pipeline,
    names: &[String],
) -> anyhow::Result<Vec<&'a maas_model::model::Model>> {
    if names.is_empty() {
        return Ok(pipeline.models.values().map(AsRef::as_ref).collect());
    }
    let mut chosen = Vec::new();
    for name in names {
        match pipeline.models.get(name) {
            Some(model) => chosen.push(model.as_ref()),
            None => {
                let known: Vec<&str> = pipeline.models.keys().map(String::as_str).collect();
                bail!(
                    "no model `{name}` in the pipeline; it has {}",
                    known.join(", ")
                );
            }
        }
    }
    Ok(chosen)
}

fn confirm(names: &[IndexName]) -> anyhow::Result<()> {
    if !stdin().is_terminal() {
        bail!("dropping removes documents for good: say `--yes`");
    }
    for name in names {
        output::line(&format!("  {name}"))?;
    }
    output::line("drop these indices with all their documents? [y/N]")?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    if !matches!(answer.trim(), "y" | "yes") {
        bail!("nothing was dropped");
    }
    Ok(())
}
