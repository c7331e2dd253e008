//! No secret leaves the program: twenty and more are put into every place that takes one, the program runs at trace
//! level through days that go well and days that do not, and all it lets out is searched for them.

mod canary;
mod evidence;
mod files;
mod maas;
mod old;
mod servers;
mod vault;

use anyhow::{Result, ensure};

use super::{Goal, Setting};
use crate::report::Report;
use canary::Canaries;
use evidence::Evidence;

pub(super) const GOAL: Goal = Goal {
    name: "secrets",
    alone: false,
    promise: "no secret in logs at trace level, errors, metrics, health, commands, dead letters, files and arguments of processes",
    run: |setting| Box::pin(run(setting)),
};

/// What is let out by each part.
struct Search {
    canaries: Canaries,
    evidence: Evidence,
}

async fn run(setting: Setting) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let mut search = Search {
        canaries: Canaries::new(setting.seed),
        evidence: Evidence::default(),
    };
    vault::look(&mut search, &folder.path().join("vault")).await?;
    files::look(&mut search, &folder.path().join("files")).await?;
    old::look(&mut search, &folder.path().join("old")).await?;
    let children = servers::look(&mut search, &folder.path().join("servers")).await?;

    let leaks = search.evidence.leaks(&search.canaries);
    ensure!(
        leaks.is_empty(),
        "{} leaks:\n{}",
        leaks.len(),
        leaks.join("\n")
    );
    ensure!(
        search.canaries.count() >= 20,
        "only {} secrets",
        search.canaries.count()
    );
    let mut report = Report::default();
    report.figure("secrets put in, none met", search.canaries.count());
    report.figure("outputs and files searched", search.evidence.count());
    report.figure("MiB of them", search.evidence.bytes() >> 20);
    report.figure("processes that it started, with clean arguments", children);
    Ok(report)
}
