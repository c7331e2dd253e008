//! The shipped chain, with ears: a copy of a pipeline whose every message is also kept in a queue that
//! nobody empties, so that a test can tell what was announced.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use maas_model::message::{BusOptions, Message, QueueName};
use serde_json::Value;

use crate::program::{Pair, printed, workspace};
use crate::sample::{Settings, generate};

/// The queue that hears everything.
const EAR: &str = "audit";

/// Fields that differ from run to run.
const CLOCK_FIELDS: [&str; 2] = ["ingestionTime", "updateTime"];

/// A pipeline in a folder of its own, and the inbox it collects from.
#[derive(Debug)]
pub struct Chain {
    /// The folder of the pipeline.
    pub pipeline: PathBuf,
    /// Where its files come from.
    pub inbox: PathBuf,
}

/// What a chain left behind, without what differs from run to run.
#[derive(Debug, PartialEq)]
pub struct Traces {
    /// Documents by alias, then by index and id.
    pub documents: BTreeMap<String, BTreeMap<(String, String), Value>>,
    /// What was announced: routing key, class, id. Without updates of documents: how many there are
    /// depends on how the work fell into messages.
    pub announced: BTreeSet<(String, String, String)>,
}

impl Chain {
    /// A copy of the shipped pipeline `name` below `folder`.
    pub fn copy(name: &str, folder: &Path) -> Result<Self> {
        let (pipeline, inbox) = (folder.join("pipeline"), folder.join("inbox"));
        copy_folder(&workspace().join("pipelines").join(name), &pipeline)?;
        std::fs::create_dir_all(&inbox)?;
        let ear = format!(
            "pools:\n  - name: {EAR}\n    queues:\n      - name: {EAR}\n        from: {{ collect-exchange: ['#'], etl-exchange: ['#'] }}\n        engines: []\n"
        );
        std::fs::write(pipeline.join("audit.yaml"), ear)?;
        Ok(Self { pipeline, inbox })
    }

    /// Fills the inbox with a sample, and the pipeline's table with the datatakes that its products
    /// belong to.
    pub fn fill(&self, settings: &Settings) -> Result<()> {
        let sample = generate(settings);
        let table = self.pipeline.join("seed/datatakes.csv");
        std::fs::write(table, sample.datatake_table())?;
        for page in &sample.pages {
            std::fs::write(self.inbox.join(&page.file_name), &page.text)?;
        }
        Ok(())
    }

    /// The path of the pipeline as an argument.
    pub fn path(&self) -> &str {
        self.pipeline.to_str().unwrap_or_default()
    }

    /// Arguments that run all of it but the ear, until nothing is left to do.
    pub fn arguments(&self) -> Vec<&str> {
        let mut arguments = vec!["run", self.path(), "--until-idle"];
        for part in ["collectors", "pool=consolidate", "pool=summary"] {
            arguments.extend(["--only", part]);
        }
        arguments
    }

    /// Runs all of it but the ear, until nothing is left to do.
    pub fn run(&self, pair: &Pair) -> Result<String> {
        printed(
            pair.command(&self.arguments())?
                .env("MAAS_INBOX", &self.inbox),
        )
    }

    /// What there is now; the ear is left as it is.
    pub async fn traces(&self, pair: &Pair, aliases: &[&str]) -> Result<Traces> {
        let mut documents = BTreeMap::new();
        for alias in aliases {
            documents.insert((*alias).to_owned(), self.exported(pair, alias)?);
        }
        Ok(Traces {
            documents,
            announced: announced(pair).await?,
        })
    }

    fn exported(&self, pair: &Pair, alias: &str) -> Result<BTreeMap<(String, String), Value>> {
        let mut documents = BTreeMap::new();
        for line in pair.run(&["export", alias])?.lines() {
            let mut line: Value = serde_json::from_str(line)?;
            let key = (text(&line["_index"]), text(&line["_id"]));
            let mut source = line["_source"].take();
            if let Some(fields) = source.as_object_mut() {
                fields.retain(|field, _| !CLOCK_FIELDS.contains(&field.as_str()));
                // Every chain has an inbox of its own; that it is the inbox is what counts.
                if let Some(folder) = fields.get_mut("reportFolder")
                    && folder.as_str().map(Path::new) == Some(&self.inbox)
                {
                    *folder = "inbox".into();
                }
            }
            documents.insert(key, sorted(source));
        }
        Ok(documents)
    }
}

/// Key order has no meaning; equal documents shall print alike.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> = fields
                .into_iter()
                .map(|(field, value)| (field, sorted(value)))
                .collect();
            fields.into_iter().collect()
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

async fn announced(pair: &Pair) -> Result<BTreeSet<(String, String, String)>> {
    /// More than any test announces.
    const MOST: usize = 100_000;
    let bus = maas_model::message::open(&pair.bus.parse()?, &pair.data, &BusOptions::default())?;
    let mut announced = BTreeSet::new();
    for heard in bus.peek(&QueueName::new(EAR)?, MOST).await? {
        let message = Message::parse(&heard.body).context("a message is malformed")?;
        let key = heard.routing_key.as_str().to_owned();
        if key.starts_with("update.cds-") {
            continue;
        }
        for id in message.document_ids {
            announced.insert((key.clone(), message.document_class.clone(), id.to_string()));
        }
    }
    bus.close().await?;
    Ok(announced)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Copies files and folders, one level after the other.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
