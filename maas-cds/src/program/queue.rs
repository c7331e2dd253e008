//! `maas queue`: the queues of the bus.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Subcommand;
use maas_model::message::{
    ExchangeName, Message, MessageBus, Outgoing, Published, QueueName, RoutingKey,
};
use serde_json::{Value, json};

use super::Outcome;
use super::options::{Connection, OutputOption, PipelineOption};
use super::output::{self, Rows};

/// List, look into, empty or feed queues.
#[derive(Debug, Subcommand)]
pub(crate) enum Queue {
    /// List queues with what waits in them; on RabbitMQ those of the pipeline, and the delay queues of all.
    List {
        /// `*` stands for any text.
        #[arg(default_value = "*")]
        pattern: String,
        #[command(flatten)]
        output: OutputOption,
        #[command(flatten)]
        pipeline: PipelineOption,
    },
    /// Print the first messages of a queue as JSON lines; they stay where they are.
    Peek {
        /// The queue.
        queue: String,
        /// Most messages to print.
        #[arg(short, long, default_value_t = 10)]
        limit: usize,
    },
    /// Remove all messages that wait in a queue.
    Purge {
        /// The queue.
        queue: String,
        /// Yes, they are lost for good.
        #[arg(long)]
        yes: bool,
    },
    /// Publish messages from files; exit code 1 when no queue took one.
    Publish {
        /// The key to publish with.
        routing_key: String,
        /// Files with one message each; a folder stands for its `*.json` by name.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// The exchange to publish to.
        #[arg(long, default_value = "etl-exchange")]
        exchange: String,
        /// 0 to 9; only classic queues heed it.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(0..=9))]
        priority: u8,
    },
}

impl Queue {
    pub(crate) async fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        let bus = connection.open_bus()?;
        let outcome = match self {
            Self::List {
                pattern,
                output,
                pipeline,
            } => {
                pipeline.tell_names(&*bus, connection, !pattern.contains('*'))?;
                list(&*bus, &pattern, output).await?
            }
            Self::Peek { queue, limit } => peek(&*bus, &QueueName::new(queue)?, limit).await?,
            Self::Purge { queue, yes } => {
                if !yes {
                    bail!("purging removes messages for good: say `--yes`");
                }
                let removed = bus.purge(&QueueName::new(queue)?).await?;
                output::line(&format!("{removed} messages removed"))?;
                Outcome::Done
            }
            Self::Publish {
                routing_key,
                files,
                exchange,
                priority,
            } => {
                let exchange = ExchangeName::new(exchange)?;
                let key = RoutingKey::new(routing_key)?;
                publish(&*bus, &exchange, &key, &files, priority).await?
            }
        };
        bus.close().await?;
        Ok(outcome)
    }
}

async fn list(
    bus: &dyn MessageBus,
    pattern: &str,
    output: OutputOption,
) -> anyhow::Result<Outcome> {
    let mut rows = Rows::new(["queue", "ready", "unsettled", "delayed", "consumers"]);
    for info in bus.queues(pattern).await? {
        rows.push([
            json!(info.name),
            json!(info.ready),
            json!(info.unsettled),
            json!(info.delayed),
            json!(info.consumers),
        ]);
    }
    rows.print(output.output)?;
    Ok(Outcome::Done)
}

async fn peek(bus: &dyn MessageBus, queue: &QueueName, limit: usize) -> anyhow::Result<Outcome> {
    for message in bus.peek(queue, limit).await? {
        let body: Value = serde_json::from_slice(&message.body)
            .unwrap_or_else(|_| json!(String::from_utf8_lossy(&message.body)));
        let printed = json!({
            "exchange": message.exchange,
            "routing_key": message.routing_key,
            "headers": message.headers,
            "body": body,
        });
        output::line(&printed.to_string())?;
    }
    Ok(Outcome::Done)
}

async fn publish(
    bus: &dyn MessageBus,
    exchange: &ExchangeName,
    key: &RoutingKey,
    files: &[PathBuf],
    priority: u8,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::Done;
    for file in expand(files)? {
        let shown = file.display().to_string();
        let body = std::fs::read(&file).with_context(|| format!("cannot read `{shown}`"))?;
        let message = Message::parse(&body).with_context(|| shown.clone())?;
        let message_id = match message.message_id.is_empty() {
            true => uuid::Uuid::new_v4().to_string(),
            false => message.message_id,
        };
        let outgoing = Outgoing {
            exchange: exchange.clone(),
            routing_key: key.clone(),
            body,
            message_id,
            priority,
            headers: BTreeMap::new(),
        };
        match bus.publish(vec![outgoing]).await?.as_slice() {
            [Published::Routed] => output::line(&format!("{shown}: published"))?,
            [Published::Refused(reason)] => {
                outcome = Outcome::NotWell;
                output::line(&format!("{shown}: refused: {reason}"))?;
            }
            _ => {
                outcome = Outcome::NotWell;
                output::line(&format!("{shown}: no queue of `{exchange}` takes `{key}`"))?;
            }
        }
    }
    Ok(outcome)
}

/// Folders become their `*.json` files, by name.
fn expand(files: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut expanded = Vec::new();
    for file in files {
        if !file.is_dir() {
            expanded.push(file.clone());
            continue;
        }
        let entries =
            std::fs::read_dir(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        let mut found: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
            .collect();
        found.sort();
        expanded.extend(found);
    }
    Ok(expanded)
}
