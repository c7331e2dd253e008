//! Notes now and then what this process knows of its queues, and looks at how they stand.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;
use maas_engine::pool::QueuePace;
use maas_model::document::IndexNameError;
use maas_model::message::{QueueInfo, QueueName};
use metrics::gauge;
use tokio_util::sync::CancellationToken;

use super::PATIENCE;
use super::rate::Rates;
use super::standing::Standing;
use super::store::{self, Pace, Paces};
use crate::program::run::activity::Activities;
use crate::program::run::start::Servers;

/// Between two looks. A run that is over before it notes nothing.
const EVERY: Duration = Duration::from_secs(10);

/// The queues of this process at the last look.
#[derive(Debug, Default)]
pub(crate) struct Noted(Mutex<Vec<(QueueInfo, Option<Pace>)>>);

impl Noted {
    /// Sets the metrics; ages grow also between two looks. What is not known is not a number.
    pub(crate) fn publish(&self) {
        let now = Utc::now();
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (info, pace) in noted.iter() {
            let standing = Standing::of(info, *pace, now);
            let queue = || info.name.to_string();
            let states = [
                ("ready", Some(info.ready)),
                ("delayed", Some(info.delayed)),
                ("unsettled", info.unsettled),
            ];
            for (state, messages) in states {
                if let Some(messages) = messages {
                    gauge!("maas_queue_messages", "queue" => queue(), "state" => state)
                        .set(messages as f64);
                }
            }
            let is_empty = standing.backlog_seconds == Some(0.0);
            let age = standing.oldest_seconds.or(is_empty.then_some(0.0));
            gauge!("maas_queue_oldest_message_age_seconds", "queue" => queue())
                .set(age.unwrap_or(f64::NAN));
            gauge!("maas_queue_backlog_seconds", "queue" => queue())
                .set(standing.backlog_seconds.unwrap_or(f64::NAN));
        }
    }
}

/// Notes and looks until `ended`.
pub(crate) async fn note(
    servers: Servers,
    activities: Activities,
    queues: Vec<QueueName>,
    noted: Arc<Noted>,
    ended: CancellationToken,
) {
    if queues.is_empty() {
        return;
    }
    let mut book = Notebook {
        process: uuid::Uuid::new_v4().to_string(),
        servers,
        activities,
        queues,
        rates: Rates::begin(Instant::now()),
        told: BTreeMap::new(),
        is_ready: false,
    };
    while ended
        .run_until_cancelled(tokio::time::sleep(EVERY))
        .await
        .is_some()
    {
        let Some(look) = ended.run_until_cancelled(book.look()).await else {
            return;
        };
        if let Some(look) = look {
            *noted.0.lock().unwrap_or_else(PoisonError::into_inner) = look;
        }
    }
}

struct Notebook {
    /// Names this process in the store.
    process: String,
    servers: Servers,
    activities: Activities,
    queues: Vec<QueueName>,
    rates: Rates,
    /// What was noted last.
    told: BTreeMap<QueueName, Pace>,
    /// The store knows the model, and old notes are gone.
    is_ready: bool,
}

impl Notebook {
    /// Notes what is known; how the queues stand, where the bus tells.
    async fn look(&mut self) -> Option<Vec<(QueueInfo, Option<Pace>)>> {
        let own = self.own();
        if let Err(error) = self.tell(&own).await {
            tracing::debug!(
                error = format!("{error:#}"),
                "cannot note the pace of queues"
            );
        }
        // While the store is away this process knows at least of itself.
        let all = store::read(&*self.servers.store, Utc::now());
        let all = in_time(all).await.unwrap_or_else(|_| {
            let named = own.iter().map(|(queue, pace)| (queue.to_string(), *pace));
            named.collect::<Paces>()
        });
        let infos = in_time(self.servers.bus.queues("*")).await;
        let mut infos = infos
            .inspect_err(|error| {
                tracing::debug!(error = format!("{error:#}"), "cannot look at the queues");
            })
            .ok()?;
        infos.retain(|info| self.queues.contains(&info.name));
        let with_pace = |info: QueueInfo| {
            let pace = all.get(info.name.as_str()).copied();
            (info, pace)
        };
        Some(infos.into_iter().map(with_pace).collect())
    }

    fn own(&mut self) -> Vec<(QueueName, Pace)> {
        let pools = self.activities.pools.iter();
        let paces: Vec<QueuePace> = pools.flat_map(|pool| pool.stats.paces()).collect();
        self.rates.look(Instant::now(), &paces);
        let known = paces.into_iter().map(|QueuePace { queue, oldest, .. }| {
            let per_second = self.rates.of(&queue);
            (queue, Pace { per_second, oldest })
        });
        known.collect()
    }

    /// Notes what is news. A process that does nothing writes nothing.
    async fn tell(&mut self, own: &[(QueueName, Pace)]) -> anyhow::Result<()> {
        let is_news = |(queue, pace): &&(QueueName, Pace)| {
            let told = self.told.get(queue).copied().unwrap_or_default();
            *pace != Pace::default() || told != Pace::default()
        };
        let news: Vec<(QueueName, Pace)> = own.iter().filter(is_news).cloned().collect();
        if news.is_empty() {
            return Ok(());
        }
        let (store, now) = (&*self.servers.store, Utc::now());
        if !self.is_ready {
            let model = store::model().map_err(|error: IndexNameError| anyhow::anyhow!(error))?;
            in_time(store.install(&model)).await?;
            in_time(store::sweep(store, now)).await?;
            self.is_ready = true;
        }
        in_time(store::write(store, &self.process, now, &news)).await?;
        self.told.extend(news);
        Ok(())
    }
}

async fn in_time<T, E>(work: impl Future<Output = Result<T, E>>) -> anyhow::Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    Ok(tokio::time::timeout(PATIENCE, work).await??)
}
