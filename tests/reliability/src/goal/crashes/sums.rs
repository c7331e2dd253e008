//! What the metrics say of processes that live through a whole load, against what the oracle issued.

use std::time::Instant;

use anyhow::{Result, bail, ensure};

use crate::chain::LIMIT;
use crate::crew::Crew;
use crate::lab::Lab;
use crate::report::Report;
use crate::scrape::{Scrape, Scraper};

/// What is issued.
const FILES: usize = 20;
const RECORDS: usize = 40;

/// Feeds the chain once more, kills nobody, and compares the sums when nothing is in flight any more.
pub(super) async fn compare(lab: &mut Lab, report: &mut Report) -> Result<()> {
    let files = lab.issue(FILES, RECORDS);
    let records: usize = files.iter().map(|file| file.text.lines().count() - 1).sum();
    let [readings, copies, derived] = ["Reading", "Copy", "Derived"].map(|class| lab.wanted(class));
    let crew = Crew::start(&lab.chain)?;
    let mut scraper = Scraper::new(Crew::addresses())?;
    lab.chain.feed(&files)?;
    let last = until_done(&mut scraper, derived).await?;
    for member in crew.members() {
        member.terminate()?;
    }
    for mut member in crew.into_members() {
        member.finish(LIMIT).await?;
    }
    lab.settle().await?;

    let sums = Sums(&last);
    sums.is(
        "records received",
        "maas_collect_records_received_total",
        &[],
        records,
    )?;
    sums.is(
        "records written",
        "maas_collect_records_total",
        &[("outcome", "written")],
        readings,
    )?;
    sums.is(
        "records unchanged",
        "maas_collect_records_total",
        &[("outcome", "unchanged")],
        records - readings,
    )?;
    for (pool, received, written) in [
        ("copy", readings, Some(copies)),
        ("derive", copies, Some(derived)),
        ("sum", derived, None),
    ] {
        let of = ("pool", pool);
        sums.is(pool, "maas_pool_documents_received_total", &[of], received)?;
        if let Some(written) = written {
            sums.is(
                pool,
                "maas_pool_documents_total",
                &[of, ("outcome", "written")],
                written,
            )?;
        }
        for outcome in ["dead_lettered", "returned"] {
            sums.is(
                pool,
                "maas_pool_documents_total",
                &[of, ("outcome", outcome)],
                0,
            )?;
        }
    }
    report.figure(
        "records and documents whose sums are the oracle's",
        records + readings + copies + derived,
    );
    Ok(())
}

/// The answers of all processes once the last pool has got all and nothing is in flight.
async fn until_done(scraper: &mut Scraper, derived: usize) -> Result<Vec<Scrape>> {
    let deadline = Instant::now() + LIMIT;
    loop {
        let last = scraper.ask().await?;
        let sums = Sums(&last);
        let received = sums.of("maas_pool_documents_received_total", &[("pool", "sum")]);
        let left = sums.of("maas_pool_documents_in_flight", &[])
            + sums.of("maas_pool_messages_in_flight", &[])
            + sums.of("maas_collect_records_in_flight", &[]);
        if last.len() == Crew::PARTS.len() && received >= derived as f64 && left == 0.0 {
            return Ok(last);
        }
        if Instant::now() > deadline {
            bail!(
                "after {LIMIT:?} the last pool received {received} of {derived} documents, {left} are in flight"
            );
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

/// Over all processes.
struct Sums<'a>(&'a [Scrape]);

impl Sums<'_> {
    fn of(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.0.iter().map(|scrape| scrape.sum(name, labels)).sum()
    }

    fn is(&self, what: &str, name: &str, labels: &[(&str, &str)], expected: usize) -> Result<()> {
        let sum = self.of(name, labels);
        ensure!(
            sum == expected as f64,
            "{what}: `{name}` {labels:?} is {sum}, the oracle says {expected}"
        );
        Ok(())
    }
}
