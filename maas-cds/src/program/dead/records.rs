//! Records of dead letters, through the interfaces of the pipeline as it is now.

use async_trait::async_trait;
use maas_collector::flow::{FlowContext, Force, RecordReplay, Room};
use maas_model::message::{DeadLetter, ReplayRecord, Replayed};
use maas_model::pipeline::Pipeline;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::program::run::parts;
use crate::program::run::start::{self, Servers};

/// Installs the models of the pipeline before the first record: they may be what was mended.
pub(super) struct Records {
    pipeline: Pipeline,
    servers: Servers,
    replay: RecordReplay,
    prepared: OnceCell<()>,
}

impl Records {
    pub(super) fn new(pipeline: Pipeline, servers: Servers) -> Self {
        let context = FlowContext {
            store: servers.store.clone(),
            bus: servers.bus.clone(),
            clock: servers.clock.clone(),
            force: Force::default(),
            bindings: parts::bindings(&pipeline),
            room: Room::default(),
        };
        Self {
            replay: RecordReplay::new(pipeline.interfaces.clone(), context),
            pipeline,
            servers,
            prepared: OnceCell::new(),
        }
    }

    async fn prepare(&self) -> anyhow::Result<()> {
        // Whoever does not want to wait for a server ends the program.
        start::prepare(&self.pipeline, &self.servers, &CancellationToken::new()).await?;
        Ok(())
    }
}

#[async_trait]
impl ReplayRecord for Records {
    async fn replay(&self, letter: &DeadLetter) -> Replayed {
        match self.prepared.get_or_try_init(|| self.prepare()).await {
            Ok(()) => self.replay.replay(letter).await,
            Err(error) => Replayed::Kept(format!("{error:#}")),
        }
    }
}
