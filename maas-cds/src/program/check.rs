//! `maas check`: is the pipeline sound?

use clap::Args;
use maas_model::pipeline::{Pipeline, Problem, Severity};
use serde_json::json;

use super::options::{Connection, Format, OutputOption, PipelineArgument};
use super::source::PipelineSource;
use super::{Outcome, missing, output};

/// Check a pipeline without starting anything.
///
/// Prints every problem with file, line and column, and what to do about it. Exit code 2 when the pipeline
/// is refused, 4 when it is sound and names collectors or engines that this program does not have.
#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pipeline: PipelineArgument,
    #[command(flatten)]
    output: OutputOption,
}

impl Check {
    pub(crate) fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        let source = PipelineSource::required(self.pipeline.pipeline.as_deref(), connection);
        let (problems, pipeline) = match source.load() {
            Ok((pipeline, warnings)) => (warnings, Some(pipeline)),
            Err(error) => (error.problems, None),
        };
        let missing = pipeline.as_ref().map(missing::counts).unwrap_or_default();
        if self.output.output == Format::Table {
            for problem in &problems {
                output::line(&format!("{problem}\n"))?;
            }
            if !missing.is_empty() {
                output::line(&missing::table(&missing))?;
            }
            output::line(&verdict(&source.to_string(), pipeline.as_ref(), &problems))?;
        } else {
            let sound = pipeline.is_some();
            let told = json!({ "sound": sound, "missing": missing, "problems": problems });
            output::line(&told.to_string())?;
        }
        Ok(match pipeline {
            None => Outcome::Refused,
            Some(_) if !missing.is_empty() => Outcome::Unavailable,
            Some(_) => Outcome::Done,
        })
    }
}

fn verdict(shown: &str, pipeline: Option<&Pipeline>, problems: &[Problem]) -> String {
    let Some(pipeline) = pipeline else {
        let error = |problem: &&Problem| problem.severity == Severity::Error;
        let errors = problems.iter().filter(error).count();
        let warnings = match problems.len() - errors {
            0 => String::new(),
            warnings => format!(", {warnings} warnings"),
        };
        return format!("`{shown}` is refused: {errors} problems{warnings}");
    };
    let queues: usize = pipeline.pools.iter().map(|pool| pool.queues.len()).sum();
    format!(
        "`{shown}` is sound: {} interfaces, {} models, {} pools with {queues} queues, {} warnings",
        pipeline.interfaces.len(),
        pipeline.models.len(),
        pipeline.pools.len(),
        problems.len(),
    )
}
