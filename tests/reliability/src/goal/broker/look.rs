//! What the broker itself says of its queues.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use lapin::{Connection, ConnectionProperties};
use maas_tests::server::RabbitMq;
use tokio::time::{Instant, sleep, timeout};

const PAUSE: Duration = Duration::from_millis(50);
/// A broker that is being stopped may never answer.
const ANSWER: Duration = Duration::from_secs(2);

/// How many consumers each of these queues has; an error while the broker is away or a queue is missing.
pub(super) async fn consumers(server: &RabbitMq, queues: &[&str]) -> Result<Vec<u32>> {
    let asked = async {
        let connection =
            Connection::connect(&server.url(), ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let mut counts = Vec::with_capacity(queues.len());
        for &queue in queues {
            let options = QueueDeclareOptions {
                passive: true,
                ..QueueDeclareOptions::default()
            };
            let found = channel.queue_declare(queue.into(), options, FieldTable::default());
            counts.push(found.await?.consumer_count());
        }
        connection.close(200, "seen".into()).await?;
        Ok(counts)
    };
    timeout(ANSWER, asked).await.context("no answer")?
}

/// Waits until each queue has exactly one consumer; tells how long that took.
pub(super) async fn one_each(
    server: &RabbitMq,
    queues: &[&str],
    limit: Duration,
) -> Result<Duration> {
    let start = Instant::now();
    loop {
        let seen = consumers(server, queues).await;
        match seen {
            Ok(counts) if counts.iter().all(|count| *count == 1) => return Ok(start.elapsed()),
            seen if start.elapsed() > limit => {
                bail!("consumers of {queues:?} after {limit:?}: {seen:?}")
            }
            _ => sleep(PAUSE).await,
        }
    }
}

/// Messages of each queue, those in hand too.
pub(super) async fn messages(server: &RabbitMq) -> Result<BTreeMap<String, usize>> {
    let listed = server.control(&["list_queues", "name", "messages"]).await?;
    let lines = listed.lines().filter_map(|line| line.split_once('\t'));
    Ok(lines
        .filter_map(|(name, count)| Some((name.to_owned(), count.parse().ok()?)))
        .collect())
}

/// Waits until these queues have no message, nor anybody a message of them in hand.
pub(super) async fn empty(server: &RabbitMq, queues: &[&str], limit: Duration) -> Result<()> {
    let start = Instant::now();
    let mut seen = 0;
    loop {
        let counts = messages(server).await?;
        let are_empty = queues.iter().all(|queue| counts.get(*queue) == Some(&0));
        seen = if are_empty { seen + 1 } else { 0 };
        // Once may be from before the messages came: a queue tells of itself now and then only.
        if seen == 2 {
            return Ok(());
        }
        if start.elapsed() > limit {
            bail!("{queues:?} are not empty after {limit:?}: {counts:?}");
        }
    }
}

/// Waits until the broker takes connections.
pub(super) async fn answers(server: &RabbitMq, limit: Duration) -> Result<()> {
    let start = Instant::now();
    while consumers(server, &[]).await.is_err() {
        if start.elapsed() > limit {
            bail!("the broker is not back after {limit:?}");
        }
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
