//! The HTTP port of a run: metrics, and whether it lives and is ready.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use maas_model::message::{BusError, MessageBus};
use maas_model::secret::covered;
use maas_model::store::{DocumentStore, StoreError};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::activity::Activities;
use super::watchdog::Watchdog;
use crate::program::pace::Noted;

/// A probe waits no longer than this for a server's answer: platforms give up after a few seconds.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Clone)]
struct Port {
    metrics: PrometheusHandle,
    figures: Figures,
    health: Health,
}

/// What is not counted as it happens, but read when it is asked for: so that it adds up.
#[derive(Clone)]
pub(crate) struct Figures {
    pub(crate) activities: Activities,
    pub(crate) queues: Arc<Noted>,
    /// One scrape at a time.
    pub(crate) turn: Arc<Mutex<()>>,
}

impl Figures {
    fn render(&self, metrics: &PrometheusHandle) -> String {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        for flow in &self.activities.flows {
            flow.stats.publish();
        }
        for pool in &self.activities.pools {
            pool.stats.publish(&pool.name);
        }
        self.queues.publish();
        metrics.render()
    }
}

/// What readiness depends on.
#[derive(Clone)]
pub(crate) struct Health {
    pub(crate) store: Arc<dyn DocumentStore>,
    pub(crate) bus: Arc<dyn MessageBus>,
    pub(crate) watchdog: Arc<Watchdog>,
}

/// Starts to record. Must be called before anything counts, at most once.
pub(crate) fn record() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .install_recorder()
        .context("cannot record metrics")
}

/// Serves `/metrics`, `/live` and `/ready` until `cancel`; returns the address it listens on.
///
/// `/live` is green as long as the process answers: it does not look at servers, restarting would not
/// bring them back. `/ready` is red while store or bus is away or an engine is stuck, with the reason.
pub(crate) async fn serve(
    address: SocketAddr,
    metrics: PrometheusHandle,
    figures: Figures,
    health: Health,
    cancel: CancellationToken,
) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address} (`--metrics`)"))?;
    let bound = listener.local_addr()?;
    let upkeep = metrics.clone();
    let routes = Router::new()
        .route(
            "/metrics",
            get(|State(port): State<Port>| async move { port.figures.render(&port.metrics) }),
        )
        .route("/live", get(|| async { "alive\n" }))
        .route("/ready", get(ready))
        .with_state(Port {
            metrics,
            figures,
            health,
        });
    let stop = cancel.clone();
    tokio::spawn(async move {
        let served = axum::serve(listener, routes).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = served.await {
            tracing::error!(%error, "the metrics port is gone");
        }
    });
    tokio::spawn(async move {
        // Histograms keep every sample until they are drained.
        let mut tick = tokio::time::interval(Duration::from_secs(5));
        while cancel.run_until_cancelled(tick.tick()).await.is_some() {
            upkeep.run_upkeep();
        }
    });
    tracing::info!(address = %bound, "metrics at /metrics, health at /live and /ready");
    Ok(bound)
}

async fn ready(State(port): State<Port>) -> (StatusCode, String) {
    let reasons = port.health.reasons().await;
    match reasons.is_empty() {
        true => (StatusCode::OK, "ready\n".to_owned()),
        false => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{}\n", covered(&reasons.join("\n"))),
        ),
    }
}

impl Health {
    /// Why it is not ready, one line each, which begins with what is not well.
    async fn reasons(&self) -> Vec<String> {
        let store = async {
            let status = self.store.status().await?;
            Ok::<_, StoreError>((status.healthy, status.detail))
        };
        let bus = async {
            let status = self.bus.status().await?;
            Ok::<_, BusError>((status.healthy, status.detail))
        };
        let (store, bus) = tokio::join!(probe("store", store), probe("bus", bus));
        let stuck = self.watchdog.reasons();
        [store, bus].into_iter().flatten().chain(stuck).collect()
    }
}

/// What is wrong with a server.
async fn probe<E>(
    server: &str,
    status: impl Future<Output = Result<(bool, String), E>>,
) -> Option<String>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let reason = match tokio::time::timeout(PROBE_TIMEOUT, status).await {
        Ok(Ok((true, _))) => return None,
        Ok(Ok((false, detail))) => format!("is not healthy: {detail}"),
        Ok(Err(error)) => format!("{:#}", anyhow::Error::new(error)),
        Err(_) => format!("does not answer within {} s", PROBE_TIMEOUT.as_secs()),
    };
    Some(format!("{server}: {}", reason.replace('\n', " ")))
}
