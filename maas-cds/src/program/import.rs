//! `maas import`: documents from JSON lines.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, stdin};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use maas_model::document::{DocumentId, IndexName, Source};
use maas_model::layer::{RetryPolicy, RetryStore};
use maas_model::store::{DocumentStore, WriteAction, WriteOp, WriteOutcome};
use serde::Deserialize;

use super::{
    Outcome,
    options::{Connection, PipelineOption},
    output,
};

/// Documents per request: large enough to be quick, small enough to stay far below any size limit.
const BATCH: usize = 1_000;
/// The longest line: no document may be larger on any store.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// Write documents from JSON lines with `_id` and `_source`, replacing those that exist.
///
/// Announces nothing. With a pipeline the templates of its models are installed first.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// Index to write to; `-`: each line names its own in `_index`.
    index: String,
    /// JSON lines, as `maas export` prints them; `-`: standard input.
    file: PathBuf,
    #[command(flatten)]
    pipeline: PipelineOption,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "_index")]
    index: Option<IndexName>,
    #[serde(rename = "_id")]
    id: DocumentId,
    #[serde(rename = "_source")]
    source: Source,
}

impl Import {
    pub(crate) async fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        let index = match self.index.as_str() {
            "-" => None,
            name => Some(IndexName::new(name)?),
        };
        // Writing the same lines twice changes nothing, so a hiccup of the store costs nothing but time.
        let store = RetryStore::new(connection.open_store()?, RetryPolicy::default());
        if let Some(pipeline) = self.pipeline.load(connection)? {
            for model in pipeline.models.values() {
                store.install(model).await?;
            }
        }
        let mut lines = self.open()?;
        let (mut number, mut written, mut refused) = (0, 0, 0);
        loop {
            let (actions, places) = self.batch(&mut lines, &index, &mut number)?;
            if actions.is_empty() {
                break;
            }
            let outcomes = store.write(actions).await?;
            for (outcome, place) in outcomes.iter().zip(places) {
                match outcome {
                    WriteOutcome::Created(_) | WriteOutcome::Updated(_) => written += 1,
                    other => {
                        refused += 1;
                        tracing::error!(line = place, ?other, "document not written");
                    }
                }
            }
        }
        store.close().await?;
        output::line(&format!("{written} documents written, {refused} refused"))?;
        Ok(if refused == 0 {
            Outcome::Done
        } else {
            Outcome::NotWell
        })
    }

    fn open(&self) -> anyhow::Result<Box<dyn BufRead + Send>> {
        if self.file.as_os_str() == "-" {
            return Ok(Box::new(BufReader::new(stdin())));
        }
        let file = File::open(&self.file)
            .with_context(|| format!("cannot read `{}`", self.file.display()))?;
        Ok(Box::new(BufReader::new(file)))
    }

    /// The next actions, and the line each came from.
    fn batch(
        &self,
        lines: &mut (dyn BufRead + Send),
        index: &Option<IndexName>,
        number: &mut usize,
    ) -> anyhow::Result<(Vec<WriteAction>, Vec<usize>)> {
        let (mut actions, mut places) = (Vec::new(), Vec::new());
        let mut text = String::new();
        while actions.len() < BATCH {
            text.clear();
            let read = lines.take(LONGEST_LINE).read_line(&mut text)?;
            *number += 1;
            let place = || format!("{}:{number}", self.file.display());
            if read == 0 {
                break;
            }
            if read as u64 == LONGEST_LINE && !text.ends_with('\n') {
                bail!("{}: the line is longer than {LONGEST_LINE} bytes", place());
            }
            if text.trim().is_empty() {
                continue;
            }
            let line: Line = serde_json::from_str(&text).with_context(place)?;
            let index = index.clone().or(line.index).with_context(|| {
                format!(
                    "{}: the line has no `_index`; name the index as first argument",
                    place()
                )
            })?;
            actions.push(WriteAction {
                index,
                id: line.id,
                op: WriteOp::Index(line.source, None),
            });
            places.push(*number);
        }
        Ok((actions, places))
    }
}
