//! What the chain is fed with, and what must come of it: announcements and documents, worked out without the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use maas_tests::audit::Documents;
use maas_tests::random::Random;
use serde_json::{Value, json};

use crate::oracle::{Announced, Oracle};

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
    /// The file that changed it last.
    file: String,
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
        let mut touched = BTreeSet::new();
        let mut made = Vec::with_capacity(files);
        for file in 0..files {
            let name = format!("readings-{:05}-{file:05}.csv", self.batches);
            let mut text = "reading,site,value\n".to_owned();
            for record in 0..records {
                let id = self.choose(&known, file * records + record);
                if !touched.insert(id.clone()) {
                    continue;
                }
                let reading = self.read(&id, &name, &mut oracle);
                // Writing to a text cannot fail.
                let _ = writeln!(text, "{id},{},{}", reading.site, reading.value);
            }
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

    fn read(&mut self, id: &str, file: &str, oracle: &mut Oracle<Announced>) -> Reading {
        let before = self.readings.get(id).cloned();
        let number = self.readings.len() as i64;
        let site = before
            .as_ref()
            .map_or_else(|| format!("site-{}", number % SITES), |b| b.site.clone());
        let keeps_its_site =
            self.readings.keys().take(SITES as usize).any(|k| k == id) || number < SITES;
        let mut reading = Reading {
            site,
            value: self.random.between(0, 1_000_000),
            file: file.to_owned(),
        };
        match (&before, self.random.between(0, 10)) {
            (Some(before), 0..2) => reading = before.clone(),
            (before, 2..4) if !keeps_its_site => {
                reading.value = -1;
                // Withdrawn before: nothing changes.
                if let Some(before) = before.as_ref().filter(|before| before.value < 0) {
                    reading = before.clone();
                }
            }
            _ => {}
        }
        expect(oracle, id, before.as_ref(), &reading);
        if before.is_none() && number < SITES {
            oracle.expect(Announced::new("Site", &reading.site, "new"));
        }
        oracle.tolerate(Announced::new("Site", &reading.site, "update"));
        self.readings.insert(id.to_owned(), reading.clone());
        reading
    }
}

impl Load {
    /// What stands in the store when all batches are done.
    pub fn documents(&self) -> BTreeMap<String, Documents> {
        let mut documents: BTreeMap<String, Documents> = BTreeMap::new();
        let mut sites: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
        let mut put = |alias: &str, id: &str, source: Value| {
            let key = (alias.to_owned(), id.to_owned());
            documents
                .entry(alias.to_owned())
                .or_default()
                .insert(key, source);
        };
        for (id, reading) in &self.readings {
            let Reading { site, value, file } = reading;
            let collected = json!({
                "reading": id, "reportFolder": "inbox", "reportName": file, "site": site, "value": value
            });
            put("raw-data-reading", id, collected.clone());
            put("copy", id, collected);
            if *value >= 0 {
                put("derived", id, json!({"site": site, "value": 2 * value}));
                let (count, sum) = sites.entry(site).or_default();
                *count += 1;
                *sum += 2 * value;
            }
        }
        for (site, (count, sum)) in sites {
            put(
                "site",
                site,
                json!({"count": count, "site": site, "sum": sum}),
            );
        }
        documents
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
