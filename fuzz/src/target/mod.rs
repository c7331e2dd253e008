//! What is fuzzed, by name.

mod expression;
mod extractor;
mod legacy;
mod message;
mod opensearch;
mod path;
mod pipeline;

use std::path::{Path, PathBuf};

use maas_collector::extract::ExtractorPlugin;

/// Something that reads bytes of others.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, and that of the folder of its seeds.
    pub name: &'static str,
    kind: Kind,
}

type Run = fn(&[u8]);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Fixed(Run),
    /// Every extractor that is linked.
    Extractor,
}

const FIXED: [(&str, Run); 9] = [
    ("expression", expression::expression),
    ("lambda", expression::lambda),
    ("legacy_config", legacy::config),
    ("legacy_extractor", legacy::extractor),
    ("message", message::message),
    ("opensearch", opensearch::answers),
    ("path", path::path),
    ("pipeline", pipeline::pipeline),
    ("tests", pipeline::tests),
];

impl Target {
    /// All of them, by name.
    pub fn all() -> Vec<Self> {
        let fixed = FIXED.map(|(name, run)| Self {
            name,
            kind: Kind::Fixed(run),
        });
        let extractors = ExtractorPlugin::all().map(|plugin| Self {
            name: plugin.info().name,
            kind: Kind::Extractor,
        });
        let mut all: Vec<Self> = extractors.chain(fixed).collect();
        all.sort_by_key(|target| target.name);
        all
    }

    /// The one of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|target| target.name == name)
    }

    /// Reads some bytes. Panics when a promise is broken.
    pub fn run(&self, bytes: &[u8]) {
        match self.kind {
            Kind::Fixed(run) => run(bytes),
            Kind::Extractor => extractor::extract(self.name, bytes),
        }
    }

    /// Inputs to start from: the files of its folder in `corpus`, and what is made here because it is no text.
    pub fn seeds(&self) -> std::io::Result<Vec<Vec<u8>>> {
        let mut seeds = match self.kind {
            Kind::Extractor => extractor::seeds(self.name),
            Kind::Fixed(_) => Vec::new(),
        };
        let folder = Self::corpus().join(self.name);
        if folder.is_dir() {
            let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
                .map(|entry| Ok(entry?.path()))
                .collect::<std::io::Result<_>>()?;
            files.sort();
            for file in files {
                seeds.push(std::fs::read(file)?);
            }
        }
        if seeds.is_empty() {
            seeds.push(Vec::new());
        }
        Ok(seeds)
    }

    fn corpus() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
    }
}

/// The first byte, which chooses among variants, and the rest.
fn choice(bytes: &[u8]) -> (usize, &[u8]) {
    match bytes.split_first() {
        Some((first, rest)) => (usize::from(*first), rest),
        None => (0, bytes),
    }
}

/// Every error says what is wrong.
fn says_something(text: &str) {
    assert!(!text.trim().is_empty(), "an error without words");
}
