//! The metrics of pools in this process, read as a scrape of their port would read them.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use maas_engine::pool::PoolStats;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::scrape::Scrape;

/// Between two scrapes.
const PAUSE: Duration = Duration::from_millis(5);

/// Some pools.
#[derive(Debug, Clone, Default)]
pub struct Meters(Vec<(String, Arc<PoolStats>)>);

impl Meters {
    /// One pool more.
    pub fn add(&mut self, pool: &str, stats: Arc<PoolStats>) {
        self.0.push((pool.to_owned(), stats));
    }

    /// One scrape of each pool, which must add up.
    ///
    /// # Errors
    /// When it does not.
    pub fn scrape(&self) -> Result<Vec<Scrape>> {
        let scrapes = self.0.iter().map(|(pool, stats)| {
            let recorder = PrometheusBuilder::new().build_recorder();
            metrics::with_local_recorder(&recorder, || stats.publish(pool));
            let scrape = Scrape::read(&recorder.handle().render())?;
            scrape.adds_up()?;
            Ok(scrape)
        });
        scrapes.collect()
    }

    /// Scrapes while `work` goes on; what came of that, and how many scrapes there were.
    ///
    /// # Errors
    /// When a scrape does not add up, or the work fails.
    pub async fn during<T>(&self, work: impl Future<Output = Result<T>>) -> Result<(T, usize)> {
        let mut work = std::pin::pin!(work);
        let mut scrapes = 0;
        loop {
            scrapes += self.scrape()?.len();
            if let Ok(done) = tokio::time::timeout(PAUSE, &mut work).await {
                return Ok((done?, scrapes));
            }
        }
    }
}
