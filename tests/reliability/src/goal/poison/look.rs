//! What the program says of itself while it works, asked by itself: a stuck engine is there for a moment only, and
//! nothing else that the goal does may make it miss that.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// An answer that takes longer is none.
const LIMIT: Duration = Duration::from_secs(2);

/// What readiness and metrics told.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    /// How long the engine was stuck, in seconds, when readiness named it first.
    pub(super) ready: Option<f64>,
    pub(super) metric: bool,
}

/// Looks until it is dropped.
pub(super) struct Look {
    told: Arc<Mutex<Told>>,
    looking: JoinHandle<()>,
}

impl Look {
    /// At the program that serves this port, whenever it runs.
    pub(super) fn at(port: u16) -> Self {
        let told = Arc::<Mutex<Told>>::default();
        let looking = tokio::spawn(look(port, Arc::clone(&told)));
        Self { told, looking }
    }

    pub(super) fn told(&self) -> Told {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        self.looking.abort();
    }
}

async fn look(port: u16, told: Arc<Mutex<Told>>) {
    loop {
        let (ready, metrics) = tokio::join!(page(port, "ready"), page(port, "metrics"));
        let named = ready.split_once("engine `HARM` of pool `harm` is stuck for ");
        let since = named.and_then(|(_, told)| told.split(' ').next()?.parse().ok());
        let stuck = |line: &str| line.starts_with("maas_engine_stuck{") && line.ends_with(" 1");
        let metric = metrics.lines().any(stuck);
        {
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            told.ready = told.ready.or(since);
            told.metric |= metric;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn page(port: u16, name: &str) -> String {
    let url = format!("http://127.0.0.1:{port}/{name}");
    let client = reqwest::Client::new().get(url).timeout(LIMIT);
    match client.send().await {
        Ok(answer) => answer.text().await.unwrap_or_default(),
        Err(_) => String::new(),
    }
}
