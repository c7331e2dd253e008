//! The HTTP port of a run: metrics, and whether it lives and is ready.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use maas_model::message::MessageBus;
use maas_model::store::DocumentStore;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::watchdog::Watchdog;

/// A probe waits no longer than this for a server's answer: platforms give up after a few seconds.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Clone)]
struct Port {
    metrics: PrometheusHandle,
    health: Health,
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
            get(|State(port): State<Port>| async move { port.metrics.render() }),
        )
        .route("/live", get(|| async { "alive\n" }))
        .route("/ready", get(ready))
        .with_state(Port { metrics, health });
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
    let health = port.health;
    let (store, bus) = tokio::join!(
        tokio::time::timeout(PROBE_TIMEOUT, health.store.status()),
        tokio::time::timeout(PROBE_TIMEOUT, health.bus.status()),
    );
    let store = match store {
        Ok(Ok(status)) if status.healthy => None,
        Ok(Ok(status)) => Some(format!("store is not healthy: {}", status.detail)),
        Ok(Err(error)) => Some(format!("store: {error}")),
        Err(_) => Some("store does not answer".to_owned()),
    };
    let bus = match bus {
        Ok(Ok(status)) if status.healthy => None,
        Ok(Ok(status)) => Some(format!("bus is not healthy: {}", status.detail)),
        Ok(Err(error)) => Some(format!("bus: {error}")),
        Err(_) => Some("bus does not answer".to_owned()),
    };
    let stuck = health.watchdog.reasons();
    let reasons: Vec<String> = [store, bus].into_iter().flatten().chain(stuck).collect();
    match reasons.is_empty() {
        true => (StatusCode::OK, "ready\n".to_owned()),
        false => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{}\n", reasons.join("\n")),
        ),
    }
}
