//! Asks running processes for their metrics again and again, and checks in every answer that they add up.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::report::Report;

/// Between two rounds of questions.
const PAUSE: Duration = Duration::from_millis(100);
/// A process that is frozen or starting is asked again later.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is counted, and by whom: `received`, `settled` by outcome, `in flight`, all with the owner's label.
const LEDGERS: [(&str, &str, &str, &str); 3] = [
    (
        "maas_collect_records_received_total",
        "maas_collect_records_total",
        "maas_collect_records_in_flight",
        "interface",
    ),
    (
        "maas_pool_documents_received_total",
        "maas_pool_documents_total",
        "maas_pool_documents_in_flight",
        "pool",
    ),
    (
        "maas_pool_messages_received_total",
        "maas_pool_messages_total",
        "maas_pool_messages_in_flight",
        "pool",
    ),
];

/// An address for the port of a process, which nobody else of this machine uses: connections leave from `127.0.0.1`,
/// so none of them can have taken it when the process is started again.
pub fn address(number: usize) -> String {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let own = Ipv4Addr::new(127, 100, high, low);
    format!("{own}:{}", 9_100 + number)
}

/// One answer.
#[derive(Debug, Clone, Default)]
pub struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    /// Reads the text form of Prometheus, as far as there is one number in each line.
    ///
    /// # Errors
    /// When a line is something else.
    pub fn read(text: &str) -> Result<Self> {
        let lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        let series = lines.map(|line| {
            let (name, value) = line.rsplit_once(' ').with_context(|| line.to_owned())?;
            Ok((
                name.to_owned(),
                value.parse().with_context(|| line.to_owned())?,
            ))
        });
        Ok(Self(series.collect::<Result<_>>()?))
    }

    /// The sum over all series of this name that have all of these labels.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let wanted: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{value}\""))
            .collect();
        let named = self.0.iter().filter(|(series, _)| {
            let rest = series.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('{'))
                && wanted.iter().all(|label| series.contains(label.as_str()))
        });
        named.map(|(_, value)| value).sum()
    }

    /// How many series there are.
    pub fn series(&self) -> usize {
        self.0.len()
    }

    /// Whether a series is there at all.
    pub fn has(&self, name: &str) -> bool {
        self.0.keys().any(|series| series.starts_with(name))
    }

    /// Fails when something was received of which is neither known what came of it nor that it is in flight. How many
    /// ledgers were looked at.
    ///
    /// # Errors
    /// When one does not add up, to the unit.
    pub fn adds_up(&self) -> Result<usize> {
        let mut looked_at = 0;
        for (received, settled, in_flight, owner) in LEDGERS {
            for name in self.owners(received, owner) {
                let of = [(owner, name.as_str())];
                let (all, done) = (self.sum(received, &of), self.sum(settled, &of));
                let left = self.sum(in_flight, &of);
                ensure!(
                    all == done + left,
                    "`{received}` of `{name}` is {all}, but {done} are settled and {left} in flight"
                );
                looked_at += 1;
            }
        }
        Ok(looked_at)
    }

    fn owners(&self, name: &str, label: &str) -> Vec<String> {
        let (prefix, label) = (format!("{name}{{"), format!("{label}=\""));
        let series = self
            .0
            .keys()
            .filter_map(|series| series.strip_prefix(&prefix));
        let owners = series.filter_map(|labels| {
            let (_, value) = labels.split_once(&label)?;
            value.split('"').next().map(str::to_owned)
        });
        owners.collect()
    }
}

/// Asks several processes.
#[derive(Debug)]
pub struct Scraper {
    client: reqwest::Client,
    addresses: Vec<String>,
    scrapes: usize,
    ledgers: usize,
    unanswered: usize,
    most_series: usize,
    times: Vec<Duration>,
}

impl Scraper {
    /// Of the processes behind these addresses; they need not be there yet, nor always.
    ///
    /// # Errors
    /// When there is no client for HTTP.
    pub fn new(addresses: Vec<String>) -> Result<Self> {
        Ok(Self {
            client: reqwest::Client::builder()
                .no_proxy()
                .timeout(PATIENCE)
                // A process that is killed takes its connections along.
                .pool_max_idle_per_host(0)
                .build()?,
            addresses,
            scrapes: 0,
            ledgers: 0,
            unanswered: 0,
            most_series: 0,
            times: Vec::new(),
        })
    }

    /// Asks all of them once; those that answered.
    ///
    /// # Errors
    /// When an answer does not add up.
    pub async fn ask(&mut self) -> Result<Vec<Scrape>> {
        let mut answers = Vec::new();
        for address in self.addresses.clone() {
            match self.page(&address).await {
                Ok(text) => {
                    let scrape = Scrape::read(&text)?;
                    self.ledgers += scrape.adds_up().with_context(|| address.clone())?;
                    self.most_series = self.most_series.max(scrape.series());
                    self.scrapes += 1;
                    answers.push(scrape);
                }
                // Killed, frozen, or just starting.
                Err(_) => self.unanswered += 1,
            }
        }
        Ok(answers)
    }

    /// Asks again and again; ends only when an answer does not add up.
    ///
    /// # Errors
    /// See [`ask`](Self::ask).
    pub async fn watch(&mut self) -> Result<()> {
        loop {
            self.ask().await?;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Tells what was asked. At least one answer in ten rounds must have come.
    ///
    /// # Errors
    /// When next to nobody answered.
    pub fn report(&mut self, report: &mut Report) -> Result<()> {
        ensure!(
            self.ledgers > 0 && self.scrapes * 10 > self.unanswered,
            "{} answers to {} questions for metrics",
            self.scrapes,
            self.scrapes + self.unanswered
        );
        self.times.sort_unstable();
        let at = self.times.len() * 99 / 100;
        let slow = self.times.get(at).copied().unwrap_or_default();
        report.figure("scrapes in which all adds up", self.scrapes);
        report.figure("ledgers in them", self.ledgers);
        report.figure("series of one process, at most", self.most_series);
        report.figure("a scrape takes, p99, ms", slow.as_millis());
        Ok(())
    }

    async fn page(&mut self, address: &str) -> Result<String> {
        let asked = Instant::now();
        let answer = self.client.get(format!("http://{address}/metrics"));
        let text = answer.send().await?.error_for_status()?.text().await?;
        self.times.push(asked.elapsed());
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(in_flight: u32) -> String {
        format!(
            "# TYPE maas_pool_documents_total counter\n\
             maas_pool_documents_total{{pool=\"copy\",outcome=\"written\"}} 7\n\
             maas_pool_documents_total{{pool=\"copy\",outcome=\"returned\"}} 2\n\
             maas_pool_documents_total{{pool=\"sum\",outcome=\"written\"}} 1\n\n\
             maas_pool_documents_received_total{{pool=\"copy\"}} 12\n\
             maas_pool_documents_in_flight{{pool=\"copy\"}} {in_flight}\n"
        )
    }

    #[test]
    fn what_is_received_must_be_settled_or_in_flight() {
        let fine = Scrape::read(&text(3)).unwrap();
        assert_eq!(fine.adds_up().unwrap(), 1);
        assert_eq!(
            fine.sum("maas_pool_documents_total", &[("pool", "copy")]),
            9.0
        );
        let lost = Scrape::read(&text(2)).unwrap();
        let told = lost.adds_up().unwrap_err().to_string();
        assert!(
            told.contains("`copy` is 12, but 9 are settled and 2 in flight"),
            "{told}"
        );
    }
}
