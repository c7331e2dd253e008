//! `maas dead`: work that could not be done.

mod records;

use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use maas_model::clock::Clock;
use maas_model::document::{parse_date, zulu};
use maas_model::message::{
    DeadFilter, DeadLetter, DeadLetters, DeadOriginal, MessageBus, Resolved,
};
use serde_json::json;

use super::Outcome;
use super::options::{Connection, OutputOption, PipelineOption};
use super::output::{self, Rows};
use super::run::start::Servers;
use records::Records;

/// List, show, replay, export or discard dead letters.
#[derive(Debug, Subcommand)]
pub(crate) enum Dead {
    /// List dead letters, oldest first.
    List {
        #[command(flatten)]
        choice: Choice,
        /// Most letters to list.
        #[arg(short, long, default_value_t = 100)]
        limit: usize,
        #[command(flatten)]
        output: OutputOption,
    },
    /// Print one dead letter whole, with the original.
    Show {
        /// Its id, as `maas dead list` prints it.
        id: String,
        #[command(flatten)]
        pipeline: PipelineOption,
    },
    /// Give dead letters back to where they came from: messages to their queue, documents to the engine that
    /// makes them or to the store, records to their interface.
    ///
    /// Records need the pipeline: they go through the settings that it has now, as if their file had just been
    /// collected. What fails again stays, with its history.
    Replay {
        #[command(flatten)]
        choice: Choice,
        /// Most letters to replay.
        #[arg(short, long, default_value_t = 1_000)]
        limit: usize,
        /// Most letters to replay in a second.
        #[arg(long, value_parser = rate)]
        rate: Option<f64>,
    },
    /// Print dead letters whole, one JSON object per line; they stay where they are.
    Export {
        #[command(flatten)]
        choice: Choice,
        /// Most letters to print.
        #[arg(short, long, default_value_t = 10_000)]
        limit: usize,
    },
    /// Forget dead letters for good.
    Discard {
        #[command(flatten)]
        choice: Choice,
        /// Most letters to forget.
        #[arg(short, long, default_value_t = 1_000)]
        limit: usize,
        /// Forget all that match, not only those named by id.
        #[arg(long)]
        all: bool,
    },
}

/// Which letters; everything given must hold.
#[derive(Debug, Args)]
pub(crate) struct Choice {
    /// Ids; all when none is given.
    ids: Vec<String>,
    /// Of this pool or interface.
    #[arg(long, visible_alias = "pool", visible_alias = "interface")]
    owner: Option<String>,
    /// With this engine at fault.
    #[arg(long)]
    engine: Option<String>,
    /// With this kind of reason: `record refused`, `too many tries`...
    #[arg(long)]
    reason: Option<String>,
    /// About documents in this index or one of its partitions.
    #[arg(long)]
    index: Option<String>,
    /// About the document with this id.
    #[arg(long)]
    document: Option<String>,
    /// Given up at this date or later.
    #[arg(long)]
    since: Option<String>,
    /// Given up before this date.
    #[arg(long)]
    until: Option<String>,
    #[command(flatten)]
    pipeline: PipelineOption,
}

impl Choice {
    fn filter(self) -> anyhow::Result<DeadFilter> {
        let date = |text: Option<String>| {
            text.map(|text| parse_date(&json!(text)).map(zulu))
                .transpose()
        };
        Ok(DeadFilter {
            owner: self.owner,
            kind: self.reason,
            component: self.engine,
            index: self.index,
            document: self.document,
            since: date(self.since).context("--since")?,
            until: date(self.until).context("--until")?,
            ids: self.ids.into_iter().collect(),
        })
    }
}

impl Dead {
    pub(crate) async fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        let bus = connection.open_bus()?;
        match &self {
            Self::List { choice, .. }
            | Self::Replay { choice, .. }
            | Self::Export { choice, .. }
            | Self::Discard { choice, .. } => {
                let named = choice.owner.is_some();
                choice.pipeline.tell_names(&*bus, connection, named)?;
            }
            Self::Show { pipeline, .. } => pipeline.tell_names(&*bus, connection, false)?,
        }
        let outcome = self.act(bus.clone(), connection).await;
        // Also after a failure: what was settled before it must reach the bus.
        bus.close().await?;
        outcome
    }

    async fn act(
        self,
        bus: Arc<dyn MessageBus>,
        connection: &Connection,
    ) -> anyhow::Result<Outcome> {
        let letters = DeadLetters::new(bus.clone());
        Ok(match self {
            Self::List {
                choice,
                limit,
                output,
            } => {
                list(&letters.list(&choice.filter()?, limit).await?, output)?;
                Outcome::Done
            }
            Self::Show { id, .. } => match letters.show(&id).await? {
                Some(letter) => {
                    output::line(&serde_json::to_string_pretty(&letter)?)?;
                    Outcome::Done
                }
                None => bail!("no dead letter `{id}`; `maas dead list` names all"),
            },
            Self::Export { choice, limit } => {
                for letter in letters.list(&choice.filter()?, limit).await? {
                    output::line(&serde_json::to_string(&letter)?)?;
                }
                Outcome::Done
            }
            Self::Replay {
                choice,
                limit,
                rate,
            } => {
                let store = connection.open_store()?;
                let mut letters = letters.with_store(store.clone());
                if let Some(pipeline) = choice.pipeline.load(connection)? {
                    let clock = Clock::system();
                    let servers = Servers { store, bus, clock };
                    letters = letters.with_records(Arc::new(Records::new(pipeline, servers)));
                }
                if let Some(rate) = rate {
                    letters = letters.with_rate(rate);
                }
                report(&letters.replay(&choice.filter()?, limit).await?, "replayed")?
            }
            Self::Discard { choice, limit, all } => {
                if choice.ids.is_empty() && !all {
                    bail!("name the ids to forget, or say `--all` for all that match");
                }
                report(
                    &letters.discard(&choice.filter()?, limit).await?,
                    "forgotten",
                )?
            }
        })
    }
}

/// Letters per second.
fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 => Ok(rate),
        _ => Err("write a number above 0, as `10` or `0.5`".to_owned()),
    }
}

fn list(letters: &[DeadLetter], output: OutputOption) -> anyhow::Result<()> {
    let mut rows = Rows::new([
        "id", "date", "owner", "reason", "at fault", "where", "tries", "replays", "trace", "detail",
    ]);
    for letter in letters {
        let origin = match &letter.original {
            DeadOriginal::Message { queue, .. } => queue.clone(),
            DeadOriginal::Record { file, place, .. } => {
                // The whole path is in `maas dead show`.
                let name = file.rsplit('/').next().unwrap_or(file);
                format!("{name}, {place}")
            }
            DeadOriginal::Document { index, id, .. } => format!("{index}/{id}"),
        };
        rows.push([
            json!(letter.id),
            json!(letter.date),
            json!(letter.owner),
            json!(letter.reason.kind),
            json!(letter.reason.component),
            json!(origin),
            json!(letter.tries),
            json!(letter.replays),
            json!(letter.trace()),
            json!(letter.reason.detail),
        ]);
    }
    rows.print(output.output)
}

fn report(resolved: &Resolved, done: &str) -> anyhow::Result<Outcome> {
    output::line(&format!("{} {done}", resolved.done.len()))?;
    for (id, reason) in &resolved.kept {
        output::line(&format!("{id} stays: {reason}"))?;
    }
    Ok(if resolved.kept.is_empty() {
        Outcome::Done
    } else {
        Outcome::NotWell
    })
}
