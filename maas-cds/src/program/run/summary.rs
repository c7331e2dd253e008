//! What a run did, printed at its end.

use maas_model::document::IndexName;
use maas_model::pipeline::Pipeline;
use serde_json::{Value, json};

use super::activity::Activities;
use super::start::Servers;
use crate::program::options::Format;
use crate::program::output::{self, Rows};

/// The tables of the end.
pub(crate) struct Summary {
    interfaces: Vec<Value>,
    pools: Vec<Value>,
    indices: Vec<Value>,
    dead_letters: u64,
}

const INTERFACE: [&str; 9] = [
    "interface",
    "files",
    "broken",
    "records",
    "new",
    "updated",
    "unchanged",
    "refused",
    "seconds",
];
const POOL: [&str; 10] = [
    "pool",
    "messages",
    "documents",
    "written",
    "unchanged",
    "conflicts",
    "dead",
    "published",
    "seconds",
    "documents/s",
];
const INDEX: [&str; 2] = ["index", "documents"];

impl Summary {
    /// What the parts did, and what store and bus hold now (as far as they can be reached).
    pub(crate) async fn gather(
        pipeline: &Pipeline,
        servers: &Servers,
        activities: &Activities,
    ) -> Self {
        Self {
            interfaces: interfaces(activities),
            pools: pools(activities),
            indices: indices(pipeline, servers).await,
            dead_letters: dead_letters(servers).await,
        }
    }

    pub(crate) fn print(&self, format: Format) -> anyhow::Result<()> {
        if format != Format::Table {
            let summary = json!({
                "interfaces": self.interfaces,
                "pools": self.pools,
                "indices": self.indices,
                "dead_letters": self.dead_letters,
            });
            return output::line(&summary.to_string());
        }
        let tables: [(&[&str], &[Value]); 3] = [
            (&INTERFACE, &self.interfaces),
            (&POOL, &self.pools),
            (&INDEX, &self.indices),
        ];
        for (columns, objects) in tables {
            if objects.is_empty() {
                continue;
            }
            let mut rows = Rows::new(columns.iter().copied());
            for object in objects {
                rows.push(columns.iter().map(|column| object[column].clone()));
            }
            output::line(&rows.table())?;
        }
        output::line(&self.advice())
    }

    /// How to look further.
    fn advice(&self) -> String {
        let index = self
            .indices
            .last()
            .and_then(|last| last["index"].as_str())
            .unwrap_or("INDEX");
        let mut advice =
            format!("look further: maas query {index}, maas index list, maas queue list");
        if self.dead_letters > 0 {
            advice.push_str(&format!(
                "\n{} dead letters: maas dead list",
                self.dead_letters
            ));
        }
        let broken = self.interfaces.iter();
        let broken: u64 = broken.filter_map(|row| row["broken"].as_u64()).sum();
        if broken > 0 {
            advice.push_str(&format!(
                "\n{broken} files could not be read to their end: why stands in the log, and in `FILE.*.err.log` beside those of folders"
            ));
        }
        advice
    }
}

fn interfaces(activities: &Activities) -> Vec<Value> {
    let row = |flow: &super::activity::Activity<maas_collector::flow::FlowStats>| {
        let counts = flow.stats.counts();
        json!({
            "interface": flow.name,
            "files": counts.files,
            "broken": counts.broken,
            "records": counts.records,
            "new": counts.new,
            "updated": counts.updated,
            "unchanged": counts.unchanged,
            "refused": counts.refused,
            "seconds": rounded(flow.seconds()),
        })
    };
    activities.flows.iter().map(row).collect()
}

fn pools(activities: &Activities) -> Vec<Value> {
    let row = |pool: &super::activity::Activity<maas_engine::pool::PoolStats>| {
        let (stats, seconds) = (&pool.stats, pool.seconds());
        let documents = stats.documents.get();
        let rate = if seconds > 0.0 {
            json!((documents as f64 / seconds).round() as u64)
        } else {
            Value::Null
        };
        json!({
            "pool": pool.name,
            "messages": stats.messages.get(),
            "documents": documents,
            "written": stats.created.get() + stats.updated.get() + stats.deleted.get(),
            "unchanged": stats.unchanged.get(),
            "conflicts": stats.conflicts.get(),
            "dead": stats.dead_letters.get(),
            "published": stats.published.get(),
            "seconds": rounded(seconds),
            "documents/s": rate,
        })
    };
    activities.pools.iter().map(row).collect()
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 100.0).round() / 100.0
}

/// Documents per alias of the pipeline, those without any left out.
async fn indices(pipeline: &Pipeline, servers: &Servers) -> Vec<Value> {
    let mut aliases: Vec<&IndexName> = pipeline.models.values().map(|model| &model.alias).collect();
    aliases.sort();
    aliases.dedup();
    let mut counted = Vec::new();
    for alias in aliases {
        if servers.store.refresh(alias).await.is_err() {
            continue;
        }
        match servers
            .store
            .count(alias, &maas_model::store::Query::All)
            .await
        {
            Ok(count) if count > 0 => counted.push(json!({ "index": alias, "documents": count })),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, index = %alias, "cannot count"),
        }
    }
    counted
}

async fn dead_letters(servers: &Servers) -> u64 {
    match servers.bus.queues("maas.dead.*").await {
        Ok(queues) => queues.iter().map(|queue| queue.ready).sum(),
        Err(error) => {
            tracing::warn!(%error, "cannot count dead letters");
            0
        }
    }
}
