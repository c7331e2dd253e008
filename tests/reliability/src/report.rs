//! What a goal measured, on the terminal and in a table.

use std::fmt::Display;
use std::time::Duration;

use anyhow::Result;

use crate::goal::{Goal, Setting};

/// Figures in the order in which they were noted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    figures: Vec<(String, String)>,
}

impl Report {
    /// Notes a figure. The name says what it counts and in which unit.
    pub fn figure(&mut self, name: &str, value: impl Display) {
        self.figures.push((name.to_owned(), value.to_string()));
    }

    /// Takes over the figures of a part, each under the name of that.
    pub fn part(&mut self, name: &str, part: Report) {
        let figures = part.figures.into_iter();
        self.figures
            .extend(figures.map(|(figure, value)| (format!("{name}: {figure}"), value)));
    }
}

/// What came of one goal.
pub struct Held {
    goal: Goal,
    took: Duration,
    result: Result<Report>,
}

impl Held {
    /// A goal that was run.
    pub fn new(goal: Goal, took: Duration, result: Result<Report>) -> Self {
        Self { goal, took, result }
    }

    /// One line per figure, and whether it held.
    pub fn lines(&self) -> String {
        let seconds = self.took.as_secs_f64();
        match &self.result {
            Ok(report) => {
                let figures = report.figures.iter();
                let lines: String = figures
                    .map(|(name, value)| format!("  {name}: {value}\n"))
                    .collect();
                format!("{lines}  holds ({seconds:.1} s)")
            }
            Err(error) => format!("  DOES NOT HOLD ({seconds:.1} s): {error:#}"),
        }
    }

    fn row(&self) -> String {
        let told = match &self.result {
            Ok(report) => {
                let figures = report.figures.iter();
                let figures: Vec<_> = figures
                    .map(|(name, value)| format!("{name}: {value}"))
                    .collect();
                figures.join("; ")
            }
            // One line: what went wrong, without what led to it.
            Err(error) => {
                let text = error.to_string();
                format!(
                    "**does not hold**: {}",
                    text.lines().next().unwrap_or_default()
                )
            }
        };
        let told = told.replace('|', "\\|");
        format!(
            "| {} | {} | {told} | {:.0} s |\n",
            self.goal.name,
            self.goal.promise,
            self.took.as_secs_f64()
        )
    }
}

/// All goals of one run.
pub struct Summary {
    setting: Setting,
    rows: Vec<String>,
    failed: Vec<&'static str>,
}

impl Summary {
    /// Nothing was run yet.
    pub fn new(setting: Setting) -> Self {
        Self {
            setting,
            rows: Vec::new(),
            failed: Vec::new(),
        }
    }

    /// A goal was run.
    pub fn add(&mut self, held: &Held) {
        self.add_row(held.goal.name, held.row(), held.result.is_ok());
    }

    /// A goal was run elsewhere, which tells of it in one row.
    pub fn add_row(&mut self, goal: &'static str, row: String, held: bool) {
        self.rows.push(row);
        if !held {
            self.failed.push(goal);
        }
    }

    /// The names of those that do not hold.
    pub fn failed(&self) -> &[&'static str] {
        &self.failed
    }

    /// A table with one row per goal.
    pub fn markdown(&self) -> String {
        format!(
            "Seed {}, {} form.\n\n| goal | promise | figures | took |\n|---|---|---|---|\n{}",
            self.setting.seed,
            self.setting.length,
            self.rows.concat()
        )
    }
}
