//! A broker, a proxy before it, and the chain on it; the store is the embedded one.

use std::time::Duration;

use anyhow::{Result, ensure};
use maas_tests::program::Pair;
use maas_tests::proxy::Proxy;
use maas_tests::server::{RabbitMq, RabbitMqOptions};
use tempfile::TempDir;

use crate::chain::Chain;
use crate::goal::Setting;
use crate::judge::State;
use crate::load::{File, Load};
use crate::oracle::{Announced, Oracle};
use crate::program::Running;

/// The queues of the chain's pools.
pub(super) const QUEUES: [&str; 3] = ["copy", "derive", "sum"];

/// Short, so that a dead link is noticed soon.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(2);

pub(super) struct World {
    pub(super) server: RabbitMq,
    pub(super) proxy: Proxy,
    pub(super) chain: Chain,
    /// Not yet fed.
    files: Vec<File>,
    expected: State,
    oracle: Oracle<Announced>,
    _folder: TempDir,
}

impl World {
    /// Starts a broker, and runs the chain on the embedded pair to know what must come of `files` files.
    pub(super) async fn new(
        setting: Setting,
        options: RabbitMqOptions,
        files: usize,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut batch = Load::new(setting.seed).batch(files, 20);
        let calm = Chain::embedded(&folder.path().join("calm"))?;
        calm.feed(&batch.files)?;
        calm.finish().await?;
        let server = RabbitMq::start_with(options).await?;
        let proxy = Proxy::in_front_of(&server.url()).await?;
        let rough = folder.path().join("rough");
        let pair = Pair {
            bus: format!("{}?heartbeat={}", proxy.url(), HEARTBEAT.as_secs()),
            ..Pair::embedded(&rough.join("data"))
        };
        batch.files.reverse();
        Ok(Self {
            server,
            proxy,
            chain: Chain::new(&rough, pair)?,
            files: batch.files,
            expected: calm.state().await?,
            oracle: batch.oracle,
            _folder: folder,
        })
    }

    /// Starts the program, with these arguments beside.
    pub(super) fn start(&self, further: &[&str]) -> Result<Running> {
        Running::start(&mut self.chain.command(further)?)
    }

    /// Puts the next files into the inbox, as many as are left.
    pub(super) fn feed(&mut self, files: usize) -> Result<()> {
        let rest = self.files.len().saturating_sub(files);
        self.chain.feed(&self.files.split_off(rest))
    }

    /// Feeds what is left, lets the program finish, and judges what there is: nothing lost, nothing wrong,
    /// everything announced.
    pub(super) async fn judge(&mut self, mut run: Running) -> Result<Judged> {
        self.feed(usize::MAX)?;
        ensure!(run.ended()?.is_none(), "the process ended:\n{}", run.said());
        run.terminate()?;
        run.finish(Duration::from_secs(30)).await?;
        self.chain.finish().await?;
        self.chain.state().await?.judge(&self.expected)?;
        self.chain.listen(&mut self.oracle).await?;
        self.oracle.judge("announcements")?;
        Ok(Judged {
            documents: self.expected.count(),
            announcements: self.oracle.expected(),
            repeated: self.oracle.repeated(),
        })
    }

    /// As [`judge`](Self::judge), of the documents alone: for goals whose faults make dead letters.
    pub(super) async fn judge_documents(&self) -> Result<State> {
        let mut state = self.chain.state().await?;
        let dead = std::mem::replace(&mut state.dead, self.expected.dead.clone());
        state.judge(&self.expected)?;
        state.dead = dead;
        Ok(state)
    }
}

/// What was there in the end, all of it as without faults.
pub(super) struct Judged {
    pub(super) documents: usize,
    pub(super) announcements: usize,
    pub(super) repeated: usize,
}

impl Judged {
    pub(super) fn tell(&self, report: &mut crate::report::Report) {
        report.figure("documents, all as without faults", self.documents);
        report.figure("announcements, all there", self.announcements);
        report.figure("announcements made twice", self.repeated);
    }
}
