//! `maas collect`: given files, once.

use std::path::PathBuf;

use clap::Args;
use maas_collector::collect::GivenFiles;
use maas_collector::flow::{Flow, FlowContext, FlowMode, Force, Room};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::options::{Connection, OutputOption, PipelineOption};
use super::output::Rows;
use super::run::{parts, shutdown, start};
use super::{Outcome, connect};

/// Ingest given files through an interface, once, in the order given.
///
/// The files stay where they are; documents are stored and announced as usual. Exit code 1 when a file or
/// a record was refused.
#[derive(Debug, Args)]
pub(crate) struct Collect {
    /// The interface whose extractor, model and announcement are used.
    #[arg(short, long)]
    interface: String,
    /// The files.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Announce also documents that are not new.
    #[arg(long)]
    announce_unchanged: bool,
    #[command(flatten)]
    pipeline: PipelineOption,
    #[command(flatten)]
    output: OutputOption,
}

impl Collect {
    pub(crate) async fn execute(self, connection: &Connection) -> anyhow::Result<Outcome> {
        let pipeline = self.pipeline.require(connection)?;
        let interface = connect::interface(&pipeline, &self.interface)?;
        let cancel = CancellationToken::new();
        shutdown::watch(cancel.clone())?;
        let servers = start::open(connection).await?;
        if !start::prepare(&pipeline, &servers, &cancel).await? {
            return Ok(Outcome::Done);
        }
        let context = FlowContext {
            store: servers.store.clone(),
            bus: servers.bus.clone(),
            clock: servers.clock.clone(),
            force: Force {
                announce: self.announce_unchanged,
                write: false,
            },
            bindings: parts::bindings(&pipeline),
            room: Room::default(),
        };
        let files = GivenFiles::new(self.paths);
        let flow = Flow::with_collector(interface, Box::new(files), context)?;
        let counts = flow.run(cancel, FlowMode::Once).await?;
        servers.bus.close().await?;
        servers.store.close().await?;
        let columns = [
            "files",
            "broken",
            "records",
            "new",
            "updated",
            "unchanged",
            "refused",
        ];
        let counted = json!(counts);
        let mut rows = Rows::new(columns);
        rows.push(columns.iter().map(|column| counted[column].clone()));
        rows.print(self.output.output)?;
        let well = counts.broken == 0 && counts.refused == 0;
        Ok(if well {
            Outcome::Done
        } else {
            Outcome::NotWell
        })
    }
}
