//! How tests ended: for a person, for a program, for a build server.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::compare::Difference;
use super::run::{Done, Job};
use crate::program::options::Format;
use crate::program::output;

/// Prints all results; how many tests failed.
pub(super) fn results(jobs: &[Job], done: &[Done], format: Format) -> anyhow::Result<usize> {
    let failed = done.iter().filter(|done| !done.passed()).count();
    match format {
        Format::Table => print(jobs, done, failed)?,
        Format::Json => {
            let tests: Vec<Value> = values(jobs, done).collect();
            let passed = done.len() - failed;
            let all = json!({ "passed": passed, "failed": failed, "tests": tests });
            output::line(&serde_json::to_string_pretty(&all)?)?;
        }
        Format::Jsonl => {
            for value in values(jobs, done) {
                output::line(&value.to_string())?;
            }
        }
    }
    Ok(failed)
}

fn print(jobs: &[Job], done: &[Done], failed: usize) -> anyhow::Result<()> {
    for (job, done) in jobs.iter().zip(done) {
        match &done.ran {
            Ok(ran) if ran.differences.is_empty() => {}
            Ok(ran) => {
                output::line(&format!("FAILED {}", job.title()))?;
                for difference in &ran.differences {
                    output::line(&shown(job, difference))?;
                }
                output::line("")?;
            }
            Err(error) => output::line(&format!("FAILED {}\n  {error:#}\n", job.title()))?,
        }
    }
    let took: Duration = done.iter().map(|done| done.took).sum();
    output::line(&format!(
        "{} passed, {failed} failed ({:.2} s of work)",
        done.len() - failed,
        took.as_secs_f64()
    ))
}

/// A test that could not be run to its end, on standard error.
pub(super) fn failure(job: &Job, error: &anyhow::Error) {
    output::complaint(&format!("FAILED {}\n  {error:#}", job.title()));
}

fn shown(job: &Job, difference: &Difference) -> String {
    let (line, column) = job.place_of(difference);
    format!(
        "  {}:{line}:{column}: {}\n    expected {}\n    found    {}",
        job.tests.path.display(),
        difference.path,
        difference.expected,
        difference.found,
    )
}

fn values(jobs: &[Job], done: &[Done]) -> impl Iterator<Item = Value> {
    jobs.iter().zip(done).map(|(job, done)| {
        let mut value = json!({
            "file": job.tests.path,
            "line": job.line(),
            "name": job.test().name,
            "passed": done.passed(),
            "seconds": done.took.as_secs_f64(),
        });
        match &done.ran {
            Ok(ran) => {
                let placed = ran.differences.iter().map(|difference| {
                    let (line, column) = job.place_of(difference);
                    json!({
                        "line": line,
                        "column": column,
                        "path": difference.path,
                        "expected": difference.expected,
                        "found": difference.found,
                    })
                });
                value["differences"] = placed.collect();
            }
            Err(error) => value["error"] = format!("{error:#}").into(),
        }
        value
    })
}

/// The form that build servers read.
pub(super) fn junit(jobs: &[Job], done: &[Done]) -> String {
    let failed = done.iter().filter(|done| !done.passed()).count();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a text never fails.
    let _ = writeln!(
        xml,
        "<testsuite name=\"maas\" tests=\"{}\" failures=\"{failed}\">",
        done.len()
    );
    for (job, done) in jobs.iter().zip(done) {
        let _ = write!(
            xml,
            "  <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
            escaped(&job.tests.path.display().to_string()),
            escaped(&job.test().name),
            done.took.as_secs_f64()
        );
        let why = match &done.ran {
            Ok(ran) => {
                let lines = ran.differences.iter().map(|one| shown(job, one));
                lines.collect::<Vec<String>>().join("\n")
            }
            Err(error) => format!("{error:#}"),
        };
        let _ = match why.is_empty() {
            true => writeln!(xml, "/>"),
            false => writeln!(
                xml,
                "><failure message=\"not as expected\">{}</failure></testcase>",
                escaped(&why)
            ),
        };
    }
    xml.push_str("</testsuite>\n");
    xml
}

fn escaped(text: &str) -> String {
    text.chars()
        .filter(|letter| !letter.is_control() || *letter == '\n')
        .map(|letter| match letter {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            other => other.to_string(),
        })
        .collect()
}

impl Done {
    fn passed(&self) -> bool {
        (self.ran.as_ref()).is_ok_and(|ran| ran.differences.is_empty())
    }
}

impl Job {
    fn line(&self) -> usize {
        let path = format!("tests[{}]", self.number);
        self.tests.yaml.place_of(&path).0
    }

    fn title(&self) -> String {
        let file = self.tests.path.display();
        format!("{file}:{}: {}", self.line(), self.test().name)
    }

    /// Where the expectation of a difference stands.
    fn place_of(&self, difference: &Difference) -> (usize, usize) {
        let path = format!("tests[{}].expect.{}", self.number, difference.path);
        self.tests.yaml.place_of(&path)
    }
}
