//! `maas check`: is the pipeline sound?

use std::path::PathBuf;

use clap::Args;
use maas_model::pipeline::Pipeline;
use serde_json::json;

use super::options::{Format, OutputOption};
use super::{Outcome, output};

/// Check a pipeline without starting anything; exit code 2 when it is refused.
///
/// Prints every problem with file, line and column, and what to do about it.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The pipeline: a YAML file, or a folder of them.
    #[arg(env = "MAAS_PIPELINE")]
    pipeline: PathBuf,
    #[command(flatten)]
    output: OutputOption,
}

impl Check {
    pub(crate) fn execute(self) -> anyhow::Result<Outcome> {
        let shown = self.pipeline.display();
        let (problems, pipeline) =
            match Pipeline::load(&self.pipeline, &|name| std::env::var(name).ok()) {
                Ok((pipeline, warnings)) => (warnings, Some(pipeline)),
                Err(error) => (error.problems, None),
            };
        if self.output.output != Format::Table {
            output::line(
                &json!({ "sound": pipeline.is_some(), "problems": problems }).to_string(),
            )?;
        } else {
            for problem in &problems {
                output::line(&format!("{problem}\n"))?;
            }
            output::line(&match &pipeline {
                Some(pipeline) => format!(
                    "`{shown}` is sound: {} interfaces, {} models, {} pools with {} queues, {} warnings",
                    pipeline.interfaces.len(),
                    pipeline.models.len(),
                    pipeline.pools.len(),
                    pipeline
                        .pools
                        .iter()
                        .map(|pool| pool.queues.len())
                        .sum::<usize>(),
                    problems.len(),
                ),
                None => format!("`{shown}` is refused: {} problems", problems.len()),
            })?;
        }
        Ok(if pipeline.is_some() {
            Outcome::Done
        } else {
            Outcome::Refused
        })
    }
}
