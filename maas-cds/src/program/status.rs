//! `maas status`: what is where, in one look.

use chrono::Utc;
use clap::Args;
use serde_json::json;

use super::Outcome;
use super::options::{Connection, OutputOption, PipelineOption};
use super::output::Rows;
use super::pace::{self, Standing};

/// Print store, bus, indices and queues in one look.
#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    output: OutputOption,
    #[command(flatten)]
    pipeline: PipelineOption,
}

impl Status {
    pub(crate) async fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        let store = connection.open_store()?;
        let bus = connection.open_bus()?;
        let mut rows = Rows::new(["what", "name", "state", "count"]);
        let status = store.status().await?;
        rows.push([
            json!("store"),
            json!(status.name),
            json!(word(status.healthy)),
            json!(null),
        ]);
        let status = bus.status().await?;
        rows.push([
            json!("bus"),
            json!(status.name),
            json!(word(status.healthy)),
            json!(null),
        ]);
        for index in store.indices("*").await? {
            rows.push([
                json!("index"),
                json!(index.name),
                json!("documents"),
                json!(index.documents),
            ]);
        }
        if let Err(error) = self.pipeline.tell_names(&*bus, connection, false) {
            tracing::warn!("no queues are shown: {error:#}");
        }
        let paces = pace::known(&*store).await;
        for queue in bus.queues("*").await? {
            let pace = paces.get(queue.name.as_str()).copied();
            let standing = Standing::of(&queue, pace, Utc::now());
            let counts = [
                ("ready", Some(queue.ready)),
                ("delayed", Some(queue.delayed)),
                ("unsettled", queue.unsettled),
                ("oldest_seconds", standing.oldest_whole_seconds()),
                ("backlog_seconds", standing.backlog_whole_seconds()),
            ];
            for (state, count) in counts {
                if state == "ready" || count.is_some_and(|count| count > 0) {
                    rows.push([
                        json!("queue"),
                        json!(queue.name),
                        json!(state),
                        json!(count),
                    ]);
                }
            }
        }
        rows.print(self.output.output)?;
        Ok(Outcome::Done)
    }
}

fn word(healthy: bool) -> &'static str {
    if healthy { "healthy" } else { "not healthy" }
}
