//! Three chained pools behind a collector, what they are fed with, and what must come of that.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use maas_model::message::{BusOptions, QueueName};
use maas_tests::audit::{self, EAR};
use maas_tests::program::{Pair, workspace};
use maas_tests::random::Random;

use crate::judge::{State, View};
use crate::oracle::{Announced, Oracle};
use crate::program::{Running, command};

/// How long a run to the end may take. Generous: machines of tests are busy.
pub const LIMIT: Duration = Duration::from_secs(180);

/// The pipeline of this package in a folder of its own, with an ear, on a pair.
#[derive(Debug)]
pub struct Chain {
    /// Where documents and messages are kept.
    pub pair: Pair,
    /// The pipeline's folder.
    pub pipeline: PathBuf,
    /// Where its files come from.
    pub inbox: PathBuf,
}

impl Chain {
    /// Makes it below `folder`.
    pub fn new(folder: &Path, pair: Pair) -> Result<Self> {
        let (pipeline, inbox) = (folder.join("pipeline"), folder.join("inbox"));
        std::fs::create_dir_all(&pipeline)?;
        std::fs::create_dir_all(&inbox)?;
        let source = workspace().join("tests/reliability/pipeline.yaml");
        std::fs::copy(source, pipeline.join("pipeline.yaml"))?;
        let ear = audit::ear(&["collect-exchange", "etl-exchange"]);
        std::fs::write(pipeline.join("audit.yaml"), ear)?;
        Ok(Self {
            pair,
            pipeline,
            inbox,
        })
    }

    /// The same on an embedded pair of its own.
    pub fn embedded(folder: &Path) -> Result<Self> {
        Self::new(folder, Pair::embedded(&folder.join("data")))
    }

    /// Puts files into the inbox.
    pub fn feed(&self, files: &[File]) -> Result<()> {
        for file in files {
            // Whole when it has its name.
            let unfinished = self.inbox.join(format!("{}.part", file.name));
            std::fs::write(&unfinished, &file.text)?;
            std::fs::rename(&unfinished, self.inbox.join(&file.name))?;
        }
        Ok(())
    }

    /// The program on all of it but the ear, with these arguments beside.
    pub fn command(&self, further: &[&str]) -> Result<Command> {
        let pipeline = self.pipeline.to_string_lossy();
        let mut arguments = vec!["run", &pipeline];
        for part in ["collectors", "pool=copy", "pool=derive", "pool=sum"] {
            arguments.extend(["--only", part]);
        }
        arguments.extend(further);
        let mut command = command(&self.pair, &arguments)?;
        command.env("MAAS_INBOX", &self.inbox);
        Ok(command)
    }

    /// Runs it until nothing is left to do.
    pub async fn finish(&self) -> Result<String> {
        let mut run = Running::start(&mut self.command(&["--until-idle"])?)?;
        run.finish(LIMIT).await
    }

    /// Tells the oracle what was announced since the last call.
    pub async fn listen(&self, oracle: &mut Oracle<Announced>) -> Result<()> {
        for heard in audit::heard(&self.pair).await? {
            oracle.observe(heard.into());
        }
        let bus = maas_model::message::open(
            &self.pair.bus.parse()?,
            &self.pair.data,
            &BusOptions::default(),
        )?;
        bus.purge(&QueueName::new(EAR)?).await?;
        Ok(bus.close().await?)
    }

    /// What there is now.
    pub async fn state(&self) -> Result<State> {
        let view = View {
            aliases: &["raw-data-reading", "copy", "derived", "site"],
            inbox: &self.inbox,
            queues: &["copy", "derive", "sum"],
            owners: &["readings", "copy", "derive", "sum"],
        };
        State::of(&self.pair, view).await
    }
}

/// A file for the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its base name.
    pub name: String,
    /// A table with a head line.
    pub text: String,
}

/// Sites that readings belong to.
const SITES: i64 = 5;

/// Readings as they are after all batches that were made.
#[derive(Debug)]
pub struct Load {
    random: Random,
    readings: BTreeMap<String, Reading>,
    batches: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Reading {
    site: String,
    value: i64,
}

/// Files, and what the rest of the chain must learn of them.
#[derive(Debug)]
pub struct Batch {
    /// In the order in which they are to be taken.
    pub files: Vec<File>,
    /// What must be announced.
    pub oracle: Oracle<Announced>,
}

impl Load {
    /// Other seeds give other readings.
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            readings: BTreeMap::new(),
            batches: 0,
        }
    }

    /// The next readings: new, changed, withdrawn and unchanged ones, each reading once in a batch, so that what
    /// is to be announced does not depend on how the work falls into messages.
    pub fn batch(&mut self, files: usize, records: usize) -> Batch {
        let mut oracle = Oracle::default();
        let known: Vec<String> = self.readings.keys().cloned().collect();
        let mut touched = std::collections::BTreeSet::new();
        let mut made = Vec::with_capacity(files);
        for file in 0..files {
            let mut text = "reading,site,value\n".to_owned();
            for record in 0..records {
                let id = self.choose(&known, file * records + record);
                if !touched.insert(id.clone()) {
                    continue;
                }
                let reading = self.read(&id, &mut oracle);
                // Writing to a text cannot fail.
                let _ = writeln!(text, "{id},{},{}", reading.site, reading.value);
            }
            let name = format!("readings-{:05}-{file:05}.csv", self.batches);
            made.push(File { name, text });
        }
        self.batches += 1;
        Batch {
            files: made,
            oracle,
        }
    }

    /// A known reading, or a new one; the first of all are those that are never withdrawn, one for every site.
    fn choose(&mut self, known: &[String], number: usize) -> String {
        let fresh = format!("r{:05}-{number:06}", self.batches);
        match known {
            [] => fresh,
            known if self.random.between(0, 10) < 5 => {
                known[self.random.between(0, known.len() as i64) as usize].clone()
            }
            _ => fresh,
        }
    }

    fn read(&mut self, id: &str, oracle: &mut Oracle<Announced>) -> Reading {
        let before = self.readings.get(id).cloned();
        let number = self.readings.len() as i64;
        let site = before
            .as_ref()
            .map_or_else(|| format!("site-{}", number % SITES), |b| b.site.clone());
        let keeps_its_site =
            self.readings.keys().take(SITES as usize).any(|k| k == id) || number < SITES;
        let value = match (&before, self.random.between(0, 10)) {
            (Some(before), 0..2) => before.value,
            (_, 2..4) if !keeps_its_site => -1,
            _ => self.random.between(0, 1_000_000),
        };
        let reading = Reading { site, value };
        expect(oracle, id, before.as_ref(), &reading);
        if before.is_none() && number < SITES {
            oracle.expect(Announced::new("Site", &reading.site, "new"));
        }
        oracle.tolerate(Announced::new("Site", &reading.site, "update"));
        self.readings.insert(id.to_owned(), reading.clone());
        reading
    }
}

/// What the chain must say of one reading.
fn expect(oracle: &mut Oracle<Announced>, id: &str, before: Option<&Reading>, now: &Reading) {
    let raw = Announced::new("Reading", id, "new");
    if before == Some(now) {
        // A file that a killed process had begun is announced whole, also what did not change.
        return oracle.tolerate(raw);
    }
    oracle.expect(raw);
    let copied = if before.is_none() { "new" } else { "update" };
    oracle.expect(Announced::new("Copy", id, copied));
    let stood = before.is_some_and(|before| before.value >= 0);
    let derived = match (stood, now.value >= 0) {
        (false, true) => "new",
        (true, true) => "update",
        (true, false) => "delete",
        (false, false) => return,
    };
    oracle.expect(Announced::new("Derived", id, derived));
}
