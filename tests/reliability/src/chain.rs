//! Three chained pools behind a collector, as the program under test runs them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use maas_model::message::{
    BusOptions, DeadLetter, ExchangeName, MessageBus, Outgoing, Published, QueueName, RoutingKey,
    Topology,
};
use maas_tests::audit::{self, EAR};
use maas_tests::program::{Pair, workspace};

use crate::crew::Crew;
use crate::judge::{State, View};
use crate::load::File;
use crate::oracle::{Announced, Oracle};
use crate::program::{Running, command};

/// How long a run to the end may take. Generous: machines of tests are busy.
pub const LIMIT: Duration = Duration::from_secs(600);

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
        self.command_for(&Crew::PARTS, further)
    }

    /// The program on some parts, with these arguments beside.
    pub fn command_for(&self, parts: &[&str], further: &[&str]) -> Result<Command> {
        let pipeline = self.pipeline.to_string_lossy();
        let mut arguments = vec!["run", &pipeline];
        for part in parts {
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

    /// Puts a text into a queue, past all exchanges. The queue must be there.
    pub async fn send(&self, queue: &str, body: &str) -> Result<()> {
        let bus = self.bus()?;
        let message = Outgoing {
            exchange: ExchangeName::default_exchange(),
            routing_key: RoutingKey::new(queue)?,
            body: body.as_bytes().to_vec(),
            message_id: body.to_owned(),
            priority: 0,
            headers: BTreeMap::new(),
        };
        let published = bus.publish(vec![message]).await?;
        ensure!(
            published == [Published::Routed],
            "queue `{queue}` did not take a message: {published:?}"
        );
        Ok(bus.close().await?)
    }

    fn bus(&self) -> Result<Arc<dyn MessageBus>> {
        let options = BusOptions::default();
        Ok(maas_model::message::open(
            &self.pair.bus.parse()?,
            &self.pair.data,
            &options,
        )?)
    }

    /// Tells the oracle what was announced since the last call.
    pub async fn listen(&self, oracle: &mut Oracle<Announced>) -> Result<()> {
        for heard in audit::heard(&self.pair).await? {
            oracle.observe(heard.into());
        }
        let bus = self.bus()?;
        bus.purge(&QueueName::new(EAR)?).await?;
        Ok(bus.close().await?)
    }

    /// The dead letters of a pool or interface.
    pub async fn letters(&self, owner: &str) -> Result<Vec<DeadLetter>> {
        let bus = self.bus()?;
        let peeked = bus.peek(&Topology::parking_queue(owner)?, 100_000).await?;
        bus.close().await?;
        let letters = peeked.iter().map(|letter| DeadLetter::parse(&letter.body));
        letters
            .collect::<Result<_, _>>()
            .context("a dead letter is malformed")
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
