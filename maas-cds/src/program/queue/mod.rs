//! `maas queue`: the queues of the bus.

mod carry;
mod feed;
mod look;

use std::path::PathBuf;

use anyhow::bail;
use clap::Subcommand;
use maas_model::message::{ExchangeName, QueueName, RoutingKey};

use super::Outcome;
use super::options::{Connection, OutputOption, PipelineOption};
use super::output;
use super::pace;
use feed::Feed;

/// List, look into, empty, feed, move or keep queues.
#[derive(Debug, Subcommand)]
pub(crate) enum Queue {
    /// List queues with what waits in them, when the next delayed message comes, how old the oldest message is, and how
    /// long the work will take at the pace of the last minute; on RabbitMQ those of the pipeline, and the delay queues of all.
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
        /// Those that wait for their delay to end, with the time when they come, the next one first.
        #[arg(long)]
        delayed: bool,
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
        /// Cut messages that name more documents than this.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        chunk_size: Option<u32>,
    },
    /// Move messages to the end of another queue, where they begin anew.
    Move {
        /// The queue to take from.
        from: String,
        /// The queue to put into.
        to: String,
        /// Most messages to move.
        #[arg(short, long, default_value_t = 100_000)]
        limit: usize,
    },
    /// Take messages out of a queue and keep each in a file, to be put back with `restore`.
    Backup {
        /// The queue.
        queue: String,
        /// The folder; made when it is missing.
        folder: PathBuf,
        /// Most messages to take.
        #[arg(short, long, default_value_t = 100_000)]
        limit: usize,
    },
    /// Put messages that `backup` kept back into the queue they were taken from. The files stay.
    Restore {
        /// Files, or folders of them.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Into this queue instead.
        #[arg(long)]
        to: Option<String>,
        /// Cut messages that name more documents than this.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        chunk_size: Option<u32>,
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
                let store = connection.open_store()?;
                let paces = pace::known(&*store).await;
                store.close().await?;
                look::list(&*bus, &pattern, &paces, output).await?
            }
            Self::Peek {
                queue,
                limit,
                delayed,
            } => {
                let queue = QueueName::new(queue)?;
                match delayed {
                    false => look::peek(&*bus, &queue, limit).await?,
                    true => look::peek_delayed(&*bus, &queue, limit).await?,
                }
            }
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
                chunk_size,
            } => {
                let feed = Feed {
                    exchange: ExchangeName::new(exchange)?,
                    key: RoutingKey::new(routing_key)?,
                    priority,
                    chunk_size,
                };
                feed.publish(&*bus, &files).await?
            }
            Self::Move { from, to, limit } => {
                carry::carry(&*bus, &QueueName::new(from)?, &QueueName::new(to)?, limit).await?
            }
            Self::Backup {
                queue,
                folder,
                limit,
            } => carry::backup(&*bus, &QueueName::new(queue)?, &folder, limit).await?,
            Self::Restore {
                files,
                to,
                chunk_size,
            } => {
                let to = to.map(QueueName::new).transpose()?;
                carry::restore(&*bus, &files, to.as_ref(), chunk_size).await?
            }
        };
        bus.close().await?;
        Ok(outcome)
    }
}
