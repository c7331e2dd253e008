//! Measures the chain on really started servers and on the embedded pair, and prints one table.
//!
//! `cargo run --release -p maas-tests --bin maas-bench -- --products 50000`

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use maas_model::message::{
    Binding, BusOptions, ExchangeName, Message, Outgoing, Published, QueueKind, QueueName,
    QueueSpec, RoutingKey, Topology,
};
use maas_tests::bench::{Measured, Report, Row, measure, raw_bulk};
use maas_tests::chain::Chain;
use maas_tests::program::{Pair, workspace};
use maas_tests::sample::Settings;
use maas_tests::server::{OpenSearch, OpenSearchOptions, RabbitMq};
use serde_json::Value;

/// Measures the chain on real servers and on the embedded pair.
#[derive(Parser)]
struct Options {
    /// Products to collect and consolidate.
    #[arg(long, default_value_t = 50_000)]
    products: usize,
    /// Messages to publish through RabbitMQ.
    #[arg(long, default_value_t = 50_000)]
    messages: usize,
    /// How often the chain runs on the real servers; the run in the middle counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Rounds before, which do not count: a server is several times as fast once it has compiled its code.
    #[arg(long, default_value_t = 4)]
    warm_up: usize,
}

/// A part of the chain on real servers.
struct Part {
    only: &'static str,
    work: &'static str,
    /// What it writes for each product: the raw rate is one of documents.
    documents: f64,
    goal: &'static str,
}

/// In the order in which they run.
const REAL: [Part; 3] = [
    Part {
        only: "collectors",
        work: "collect",
        documents: 1.0,
        goal: "40 %, 60 us",
    },
    Part {
        only: "pool=replicate",
        work: "replicate",
        documents: 1.0,
        goal: "50 %, 30 us",
    },
    Part {
        only: "pool=consolidate",
        work: "consolidate: two documents written each",
        documents: 2.0,
        goal: "25 %, 120 us",
    },
];

#[tokio::main]
async fn main() -> Result<()> {
    let options = Options::parse();
    let folder = tempfile::tempdir()?;
    let mut bench = Bench::new(folder.path(), options)?;
    let measured = bench.all().await;
    // What was measured before something failed is worth knowing.
    print(&bench.report.markdown());
    measured
}

#[allow(clippy::print_stdout)] // The table is the result.
fn print(text: &str) {
    println!("{text}");
}

struct Bench {
    chain: Chain,
    folder: PathBuf,
    options: Options,
    report: Report,
}

impl Bench {
    fn new(folder: &Path, options: Options) -> Result<Self> {
        let chain = Chain::copy("copernicus-prip", folder)?;
        let replicate = workspace().join("tests/bench/replicate.yaml");
        std::fs::copy(replicate, chain.pipeline.join("replicate.yaml"))?;
        Ok(Self {
            chain,
            folder: folder.to_path_buf(),
            options,
            report: Report::default(),
        })
    }

    /// The same files for every pair: the inbox is filled anew.
    fn fill(&self) -> Result<()> {
        self.chain.fill(&Settings {
            products: self.options.products,
            page_size: 500,
            seed: 11,
            footprint_points: 24,
            variety: false,
        })
    }

    fn run(&self, pair: &Pair, only: &str) -> Result<Measured> {
        let arguments = [
            "run",
            self.chain.path(),
            "--until-idle",
            "--only",
            only,
            "--output",
            "json",
        ];
        let mut command = pair.command(&arguments)?;
        let done = measure(command.env("MAAS_INBOX", &self.chain.inbox))
            .with_context(|| only.to_owned())?;
        all_written(&done.printed, self.options.products).with_context(|| only.to_owned())?;
        Ok(done)
    }

    /// Adds a row: the seconds are those in which the part worked, as it tells itself.
    fn row(&mut self, work: &str, done: &Measured, raw: Option<f64>, goal: &str) {
        let products = self.options.products as f64;
        let seconds = busy_seconds(&done.printed).unwrap_or(done.wall_seconds);
        let per_second = products / seconds;
        self.report.0.push(Row {
            work: work.to_owned(),
            per_second,
            share: raw.map(|raw| per_second / raw),
            cpu_microseconds: Some(done.cpu_seconds * 1e6 / products),
            peak_mebibytes: Some(done.peak_mebibytes),
            goal: goal.to_owned(),
        });
    }

    async fn all(&mut self) -> Result<()> {
        self.check()?;
        self.idle()?;
        self.embedded()?;
        self.real().await
    }

    fn embedded(&mut self) -> Result<()> {
        let pair = Pair::embedded(&self.folder.join("embedded"));
        self.fill()?;
        let done = self.run(&pair, "collectors")?;
        self.row("embedded: collect", &done, None, "10,000/s");
        let done = self.run(&pair, "pool=consolidate")?;
        self.row("embedded: consolidate", &done, None, "5,000/s");
        Ok(())
    }

    async fn real(&mut self) -> Result<()> {
        let store = OpenSearch::start_with(OpenSearchOptions::bench()).await?;
        let bus = RabbitMq::start().await?;
        let pair = Pair {
            store: store.url(),
            bus: bus.url(),
            data: self.folder.join("real"),
        };
        self.publish(&pair).await?;
        let mut runs: [Vec<Measured>; REAL.len()] = Default::default();
        let mut raw: f64 = 0.0;
        let rounds = self.options.rounds.max(1);
        for round in 0..self.options.warm_up + rounds {
            let counts = round >= self.options.warm_up;
            drop_all(&store.url()).await?;
            self.fill()?;
            for (part, runs) in REAL.iter().zip(&mut runs) {
                let run = self.run(&pair, part.only)?;
                if counts {
                    runs.push(run);
                }
            }
            let best = self.raw(&pair, &store.url(), counts).await?;
            if counts {
                raw = raw.max(best);
            }
        }
        for (part, runs) in REAL.iter().zip(runs) {
            self.median_row(part, runs, raw);
        }
        Ok(())
    }

    /// The run in the middle.
    fn median_row(&mut self, part: &Part, mut runs: Vec<Measured>, raw: f64) {
        let seconds = |run: &Measured| busy_seconds(&run.printed).unwrap_or(run.wall_seconds);
        runs.sort_by(|a, b| seconds(a).total_cmp(&seconds(b)));
        let rates: Vec<String> = runs
            .iter()
            .map(|run| format!("{:.0}", self.options.products as f64 / seconds(run)))
            .collect();
        let work = format!("{} ({})", part.work, rates.join(", "));
        let middle = runs.swap_remove(runs.len() / 2);
        self.row(&work, &middle, Some(raw / part.documents), part.goal);
    }

    async fn raw(&mut self, pair: &Pair, url: &str, counts: bool) -> Result<f64> {
        let exported = pair.run(&["export", "raw-data-prip-product"])?;
        let lines: Vec<Value> = exported
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;
        let mut best: f64 = 0.0;
        for _ in 0..3 {
            best = best.max(raw_bulk(url, "raw-data-prip-product-bench", &lines).await?);
        }
        if counts {
            let work = "raw `_bulk` of 5,000, two connections (best of 3)".to_owned();
            self.report.0.push(Row {
                work,
                per_second: best,
                ..Row::default()
            });
        }
        Ok(best)
    }

    /// Confirmed messages through a quorum queue, from one process.
    async fn publish(&mut self, pair: &Pair) -> Result<()> {
        let bus =
            maas_model::message::open(&pair.bus.parse()?, &pair.data, &BusOptions::default())?;
        let queue = QueueName::new("bench")?;
        bus.declare(&Topology {
            exchanges: vec![exchange()],
            queues: vec![QueueSpec {
                name: queue.clone(),
                owner: "bench".to_owned(),
                kind: QueueKind::Quorum,
                bindings: vec![Binding {
                    exchange: exchange(),
                    pattern: key().into(),
                }],
            }],
            parking: Vec::new(),
        })
        .await?;
        let messages: Vec<Outgoing> = (0..self.options.messages).map(outgoing).collect();
        let count = messages.len();
        let start = Instant::now();
        let published = bus.publish(messages).await?;
        let seconds = start.elapsed().as_secs_f64();
        anyhow::ensure!(
            published.iter().all(|one| *one == Published::Routed),
            "a message got lost"
        );
        bus.purge(&queue).await?;
        bus.close().await?;
        self.report.0.push(Row {
            work: "messages confirmed by quorum queues".to_owned(),
            per_second: count as f64 / seconds,
            goal: "5,000/s".to_owned(),
            ..Row::default()
        });
        Ok(())
    }

    /// `maas check`, start and end of the process included.
    fn check(&mut self) -> Result<()> {
        let pair = Pair::embedded(&self.folder.join("unused"));
        let mut seconds: Vec<f64> = Vec::new();
        for _ in 0..20 {
            let start = Instant::now();
            pair.run(&["check", self.chain.path()])?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        self.report.0.push(Row {
            work: format!(
                "`maas check`: median {:.0} ms",
                seconds[seconds.len() / 2] * 1e3
            ),
            per_second: 1.0 / seconds[seconds.len() / 2],
            goal: "100 ms".to_owned(),
            ..Row::default()
        });
        Ok(())
    }

    /// Resident memory of a whole pipeline with nothing to do.
    fn idle(&mut self) -> Result<()> {
        let pair = Pair::embedded(&self.folder.join("idle"));
        let mut command = pair.command(&["run", self.chain.path()])?;
        let mut process = command.env("MAAS_INBOX", &self.chain.inbox).spawn()?;
        std::thread::sleep(std::time::Duration::from_secs(5));
        let resident = maas_tests::bench::status_mebibytes(process.id(), "VmRSS:");
        process.kill()?;
        process.wait()?;
        self.report.0.push(Row {
            work: "idle, embedded".to_owned(),
            peak_mebibytes: resident,
            goal: "25 MiB".to_owned(),
            ..Row::default()
        });
        Ok(())
    }
}

/// Every round begins with an empty store.
async fn drop_all(url: &str) -> Result<()> {
    let all = format!("{url}/raw-data-*,cds-*,bench-*,maas-*");
    reqwest::Client::new()
        .delete(all)
        .send()
        .await?
        .error_for_status()?;
    Ok(())
}

/// A rate of documents that were refused would mean nothing.
fn all_written(printed: &str, products: usize) -> Result<()> {
    let summary: Value = serde_json::from_str(printed)?;
    let sum = |part: &str, count: &str| -> u64 {
        let parts = summary[part].as_array().into_iter().flatten();
        parts.filter_map(|part| part[count].as_u64()).sum()
    };
    let refused = sum("interfaces", "refused") + sum("pools", "dead");
    let written = sum("interfaces", "new") + sum("pools", "written");
    anyhow::ensure!(refused == 0, "{refused} documents were refused");
    anyhow::ensure!(
        written >= products as u64,
        "{written} documents were written of {products} products"
    );
    Ok(())
}

/// The longest time that a part of the run was at work.
fn busy_seconds(printed: &str) -> Option<f64> {
    let summary: Value = serde_json::from_str(printed).ok()?;
    let parts = ["interfaces", "pools"]
        .iter()
        .filter_map(|part| summary[part].as_array());
    parts
        .flatten()
        .filter_map(|part| part["seconds"].as_f64())
        .reduce(f64::max)
}

fn outgoing(number: usize) -> Outgoing {
    let message = Message {
        message_id: format!("bench-{number}"),
        document_class: "PripProduct".to_owned(),
        ..Message::default()
    };
    Outgoing {
        exchange: exchange(),
        routing_key: key(),
        body: message.to_body(),
        message_id: message.message_id,
        priority: 5,
        headers: Default::default(),
    }
}

#[allow(clippy::expect_used)] // Literals.
fn exchange() -> ExchangeName {
    ExchangeName::new("collect-exchange").expect("a name")
}

#[allow(clippy::expect_used)] // Literals.
fn key() -> RoutingKey {
    RoutingKey::new("bench.publish").expect("a key")
}
