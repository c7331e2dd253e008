//! A chain that is fed, hurt, and judged, round after round.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use maas_tests::program::Pair;

use crate::chain::Chain;
use crate::judge::State;
use crate::load::{File, Load};
use crate::oracle::{Announced, Oracle};
use crate::report::Report;

/// One chain, what it is fed with, and what is to come of that.
#[derive(Debug)]
pub struct Lab {
    /// The chain. Whatever is done to it: [`settle`](Self::settle) lets it finish.
    pub chain: Chain,
    load: Load,
    oracle: Oracle<Announced>,
    dead: BTreeSet<(String, String, String)>,
    announced: usize,
    repeated: usize,
    documents: usize,
    /// How long the last run to the end took.
    pub drained: Duration,
}

impl Lab {
    /// A chain below `folder` on `pair`, that has run once: its queues are there.
    pub async fn new(seed: u64, folder: &Path, pair: Pair) -> Result<Self> {
        let chain = Chain::new(folder, pair)?;
        chain.finish().await?;
        Ok(Self {
            chain,
            load: Load::new(seed),
            oracle: Oracle::default(),
            dead: BTreeSet::new(),
            announced: 0,
            repeated: 0,
            documents: 0,
            drained: Duration::ZERO,
        })
    }

    /// On an embedded pair.
    pub async fn embedded(seed: u64, folder: &Path) -> Result<Self> {
        Self::new(seed, folder, Pair::embedded(&folder.join("data"))).await
    }

    /// Puts new files into the inbox. Between two calls the work must be [settled](Self::settle): what is to be
    /// announced would depend on how it falls into messages otherwise.
    pub fn feed(&mut self, files: usize, records: usize) -> Result<()> {
        let files = self.issue(files, records);
        self.chain.feed(&files)
    }

    /// Makes new files without putting them anywhere.
    pub fn issue(&mut self, files: usize, records: usize) -> Vec<File> {
        let batch = self.load.batch(files, records);
        self.oracle = batch.oracle;
        batch.files
    }

    /// How many documents of a class must be announced because of the last files.
    pub fn wanted(&self, class: &str) -> usize {
        let wanted = self.oracle.wanted();
        wanted.filter(|announced| announced.class == class).count()
    }

    /// Puts a message that is none into a queue; it must become a dead letter.
    pub async fn feed_garbage(&mut self, queue: &str) -> Result<()> {
        let text = format!("no message {}", self.dead.len());
        self.chain.send(queue, &text).await?;
        let kind = "malformed message".to_owned();
        self.dead
            .insert((queue.to_owned(), kind, format!("{queue}: {text}")));
        Ok(())
    }

    /// Whether all files were taken, stored, announced and put away.
    pub fn inbox_is_empty(&self) -> bool {
        let files = std::fs::read_dir(&self.chain.inbox).map(Iterator::count);
        files.is_ok_and(|files| files == 0)
    }

    /// Lets the chain finish, and judges what was announced of the last files.
    pub async fn settle(&mut self) -> Result<()> {
        let started = Instant::now();
        self.chain.finish().await?;
        self.drained = started.elapsed();
        let mut oracle = std::mem::take(&mut self.oracle);
        self.chain.listen(&mut oracle).await?;
        self.announced += oracle.expected();
        self.repeated += oracle.repeated();
        if let Err(error) = oracle.judge("announcements") {
            // What became a dead letter, or was never written, cannot be announced.
            let state = self.chain.state().await?;
            let documents: usize = state.documents.values().map(BTreeMap::len).sum();
            let dead = state.dead.difference(&self.dead).take(3);
            let dead: Vec<_> = dead.collect();
            // What a lost worker wrote is announced by the sweep, later than a goal waits.
            let intents = self.chain.pair.run(&["export", "maas-intents"])?;
            let intents: Vec<_> = intents.lines().take(3).collect();
            return Err(error.context(format!(
                "there are {documents} documents of {}; dead letters that should not be: {dead:?}; waiting: {:?}; intents that stay: {intents:#?}",
                self.load.documents().values().map(BTreeMap::len).sum::<usize>(),
                state.waiting,
            )));
        }
        Ok(())
    }

    /// Compares all that is left with what must be there.
    pub async fn compare(&mut self) -> Result<()> {
        let state = self.chain.state().await?;
        let expected = State {
            documents: self.load.documents(),
            waiting: state
                .waiting
                .keys()
                .map(|queue| (queue.clone(), 0))
                .collect(),
            dead: self.dead.clone(),
        };
        self.documents = expected.count();
        state.judge(&expected).context("after all rounds")
    }

    /// Notes what was judged.
    pub fn report(&self, report: &mut Report) {
        report.figure("announcements, all there and no other", self.announced);
        report.figure("announcements made twice", self.repeated);
        report.figure("documents, all as they must be", self.documents);
        report.figure("dead letters, all there and no other", self.dead.len());
    }
}
