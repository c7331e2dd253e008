//! What a run does before its parts start: servers, topology, templates.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use maas_model::clock::Clock;
use maas_model::layer::MeteredStore;
use maas_model::message::MessageBus;
use maas_model::pipeline::Pipeline;
use maas_model::store::DocumentStore;
use tokio_util::sync::CancellationToken;

use crate::program::options::Connection;

/// Between two attempts to prepare the store.
const PAUSE: Duration = Duration::from_secs(2);

/// Where documents and messages are kept.
#[derive(Clone)]
pub(crate) struct Servers {
    pub(crate) store: Arc<dyn DocumentStore>,
    pub(crate) bus: Arc<dyn MessageBus>,
    pub(crate) clock: Clock,
}

/// Opens both; a server that is away is no error yet. Nothing is tried again here: a flow or pool must know
/// of a write whose answer was lost, or it would take what it finds written for somebody else's.
pub(crate) async fn open(connection: &Connection) -> anyhow::Result<Servers> {
    let store = connection.open_store()?;
    let store = Arc::new(MeteredStore::new(store));
    Ok(Servers {
        store,
        bus: connection.open_bus()?,
        clock: Clock::system(),
    })
}

/// Declares queues and installs templates, waiting for servers that are away. `false`: stopped meanwhile.
pub(crate) async fn prepare(
    pipeline: &Pipeline,
    servers: &Servers,
    cancel: &CancellationToken,
) -> anyhow::Result<bool> {
    let prepared = cancel.run_until_cancelled(async {
        declare(pipeline, servers).await?;
        install(pipeline, servers).await
    });
    Ok(prepared.await.transpose()?.is_some())
}

async fn declare(pipeline: &Pipeline, servers: &Servers) -> anyhow::Result<()> {
    let topology = pipeline.topology();
    let mut outage = Outage::of("the bus");
    loop {
        match servers.bus.declare(&topology).await {
            Err(error) if error.is_temporary() => outage.pause(&error).await,
            result => {
                outage.over();
                return result.context("cannot declare the queues of the pipeline");
            }
        }
    }
}

async fn install(pipeline: &Pipeline, servers: &Servers) -> anyhow::Result<()> {
    let mut outage = Outage::of("the store");
    for model in pipeline.models.values() {
        loop {
            match servers.store.install(model).await {
                Err(error) if error.is_temporary() => outage.pause(&error).await,
                result => {
                    outage.over();
                    result.with_context(|| format!("cannot install the model `{}`", model.name))?;
                    break;
                }
            }
        }
    }
    Ok(())
}

/// Says once that something is away, and once that it is back.
struct Outage {
    what: &'static str,
    away: bool,
}

impl Outage {
    fn of(what: &'static str) -> Self {
        Self { what, away: false }
    }

    async fn pause(&mut self, error: &(dyn std::error::Error + Sync)) {
        if !self.away {
            let cause = error.source().map(ToString::to_string);
            tracing::warn!(%error, cause, "{} is away, waiting", self.what);
            self.away = true;
        }
        tokio::time::sleep(PAUSE).await;
    }

    fn over(&mut self) {
        if self.away {
            tracing::info!("{} is there", self.what);
            self.away = false;
        }
    }
}
