//! `maas test`: tests in YAML beside a pipeline.
//!
//! ```text
//! find files -> read them, load pipelines -> run (world: store, bus, clock) -> compare -> tell, or update the files
//! ```

mod bus;
mod compare;
mod file;
mod find;
mod handed;
mod happened;
mod run;
mod tell;
mod update;
mod world;
mod yaml;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use maas_model::pipeline::{Problem, YamlFile};

use super::options::OutputOption;
use super::{Outcome, output};
use file::{TestFile, Tests};
use run::{Done, Job};
use update::Changed;

/// Run the tests of pipelines, in this process, with nothing else running.
///
/// Tests are YAML files in a folder `tests` beside the pipeline: what comes in, and the records, documents,
/// messages and dead letters that come of it. Exit code 1 when one failed.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Pipelines, folders of pipelines, or test files.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Run only the tests with this in their name; may be given several times.
    #[arg(short, long)]
    filter: Vec<String>,
    /// Write what came into the test files, where it is not what they expect.
    #[arg(long)]
    update: bool,
    /// Write the results to this file too, as JUnit XML.
    #[arg(long)]
    junit: Option<PathBuf>,
    #[command(flatten)]
    output: OutputOption,
}

/// Reads a test file and runs nothing; else tells all that is wrong with it.
pub fn check(file: &Path) -> Result<(), Vec<Problem>> {
    Tests::read(file, Path::new("")).map(drop)
}

/// The JSON Schema of a test file.
pub(crate) fn schema() -> anyhow::Result<serde_json::Value> {
    Ok(serde_json::to_value(schemars::schema_for!(file::TestFile))?)
}

impl Test {
    pub(crate) async fn execute(self) -> anyhow::Result<Outcome> {
        let jobs = match self.jobs() {
            Ok(jobs) => Arc::new(jobs),
            Err(error) => {
                output::failure(&error);
                return Ok(Outcome::Refused);
            }
        };
        let done = run::run(Arc::clone(&jobs)).await?;
        if let Some(path) = &self.junit {
            std::fs::write(path, tell::junit(&jobs, &done))
                .with_context(|| format!("cannot write `{}`", path.display()))?;
        }
        let failed = match self.update {
            true => update(&jobs, &done)?,
            false => tell::results(&jobs, &done, self.output.output)?,
        };
        Ok(match failed {
            0 => Outcome::Done,
            _ => Outcome::NotWell,
        })
    }

    fn jobs(&self) -> anyhow::Result<Vec<Job>> {
        let (mut files, mut problems) = (Vec::new(), Vec::new());
        for found in find::find(&self.paths)? {
            match Tests::read(&found.file, &found.pipeline) {
                Ok(tests) => files.push(tests),
                Err(found) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            return Err(refused(&problems)).context("the tests are refused");
        }
        let wanted = |name: &str| {
            self.filter.is_empty() || self.filter.iter().any(|part| name.contains(part.as_str()))
        };
        let jobs = run::jobs(files, &wanted).context("the pipeline is refused")?;
        anyhow::ensure!(!jobs.is_empty(), "no test has such a name");
        Ok(jobs)
    }
}

fn refused(problems: &[Problem]) -> anyhow::Error {
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    anyhow::anyhow!(told.join("\n"))
}

/// Writes the files in which something is not as expected; how many tests could not be updated.
fn update(jobs: &[Job], done: &[Done]) -> anyhow::Result<usize> {
    let mut failed = 0;
    let mut all: Vec<(&Job, &Done)> = jobs.iter().zip(done).collect();
    while let Some((first, _)) = all.first() {
        let tests = Arc::clone(&first.tests);
        let (of_file, others) = all
            .into_iter()
            .partition(|(job, _)| Arc::ptr_eq(&job.tests, &tests));
        all = others;
        let mut changed = Vec::new();
        for (job, done) in of_file {
            match &done.ran {
                Ok(ran) if ran.differences.is_empty() && !job.test().expect.is_empty() => {}
                Ok(ran) => changed.push(Changed {
                    number: job.number,
                    ran,
                }),
                Err(error) => {
                    failed += 1;
                    tell::failure(job, error);
                }
            }
        }
        if changed.is_empty() {
            continue;
        }
        let path = &tests.path;
        let (text, left) = update::updated(&tests.yaml, &changed);
        // An anchor in what was written anew may be used elsewhere.
        YamlFile::<TestFile>::from_text(&path.display().to_string(), &text)
            .context("the tests cannot be updated: what they would become is refused")?;
        std::fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        let count = changed.len() - left.len();
        output::line(&format!("{}: {count} tests updated", path.display()))?;
        for number in left {
            failed += 1;
            let path = format!("tests[{number}]");
            let hint = "write the test with one key per line".to_owned();
            let message = "its expectation stands on one line with other things";
            let problem = tests.yaml.problem(&path, message, Some(hint));
            output::complaint(&problem.to_string());
        }
    }
    Ok(failed)
}
