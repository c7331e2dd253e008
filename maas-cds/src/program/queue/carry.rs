//! Messages out of a queue: into another one, or into files and back.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maas_model::message::{
    Delivery, ExchangeName, MessageBus, Outgoing, Published, QueueName, RoutingKey, Subscription,
};
use maas_model::{private, safe_file_name};
use serde::{Deserialize, Serialize};

use super::feed::{cut, expand, published};
use crate::program::{Outcome, output};

/// When no further message comes for so long, all have come.
const QUIET: Duration = Duration::from_secs(2);
/// Messages in hand at most.
const PREFETCH: u16 = 100;

/// A message in a file.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    queue: QueueName,
    exchange: ExchangeName,
    routing_key: RoutingKey,
    priority: u8,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// Of a message that is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
}

/// Moves messages to another queue. Each is there before it is gone here.
pub(super) async fn carry(
    bus: &dyn MessageBus,
    from: &QueueName,
    to: &QueueName,
    limit: usize,
) -> anyhow::Result<Outcome> {
    if from == to {
        bail!("that is the same queue");
    }
    let mut subscription = bus.subscribe(from, PREFETCH).await?;
    let mut moved = 0;
    while let Some(delivery) = next(&mut subscription, moved, limit).await {
        let message = Outgoing {
            exchange: ExchangeName::default_exchange(),
            routing_key: RoutingKey::new(to.as_str())?,
            body: delivery.body.clone(),
            message_id: uuid::Uuid::new_v4().to_string(),
            priority: delivery.priority,
            headers: delivery.headers.clone(),
        };
        match bus.publish(vec![message]).await?.as_slice() {
            [Published::Routed] => {}
            [Published::Refused(reason)] => {
                bail!(
                    "`{to}` does not take a message: {reason}; {moved} messages were moved before"
                )
            }
            _ => bail!("there is no queue `{to}`; {moved} messages were moved before"),
        }
        delivery.ack().await?;
        moved += 1;
    }
    output::line(&format!("{moved} messages moved to {to}"))?;
    Ok(Outcome::Done)
}

/// Moves messages into files. Each is on disk before it is gone here.
pub(super) async fn backup(
    bus: &dyn MessageBus,
    queue: &QueueName,
    folder: &Path,
    limit: usize,
) -> anyhow::Result<Outcome> {
    private::make_folder(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let mut subscription = bus.subscribe(queue, PREFETCH).await?;
    let mut kept = 0;
    // Names of one backup sort as the messages came; another backup into the same folder overwrites nothing.
    let name = safe_file_name(queue.as_str());
    let run = uuid::Uuid::now_v7().simple().to_string();
    while let Some(delivery) = next(&mut subscription, kept, limit).await {
        let file = folder.join(format!("{name}-{run}-{kept:06}.json"));
        keep(&file, &delivery)
            // The name of a new file is on disk with its folder only.
            .and_then(|()| Ok(File::open(folder)?.sync_all()?))
            .with_context(|| format!("cannot write `{}`", file.display()))?;
        delivery.ack().await?;
        kept += 1;
    }
    output::line(&format!("{kept} messages kept in {}", folder.display()))?;
    Ok(Outcome::Done)
}

/// Publishes what [`backup`] kept, straight into the queue.
pub(super) async fn restore(
    bus: &dyn MessageBus,
    files: &[PathBuf],
    to: Option<&QueueName>,
    chunk_size: Option<u32>,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::Done;
    for file in expand(files)? {
        let shown = file.display().to_string();
        let text = std::fs::read(&file).with_context(|| format!("cannot read `{shown}`"))?;
        let kept: Kept = serde_json::from_slice(&text)
            .with_context(|| format!("`{shown}` was not made by `maas queue backup`"))?;
        let body = match (kept.body, kept.body_base64) {
            (Some(text), _) => text.into_bytes(),
            (None, Some(text)) => STANDARD.decode(text).with_context(|| shown.clone())?,
            (None, None) => bail!("`{shown}` holds no message"),
        };
        let bodies = match chunk_size {
            Some(_) => cut(body, chunk_size).with_context(|| shown.clone())?,
            None => vec![body],
        };
        for body in bodies {
            let message = Outgoing {
                exchange: kept.exchange.clone(),
                routing_key: kept.routing_key.clone(),
                body,
                message_id: uuid::Uuid::new_v4().to_string(),
                priority: kept.priority,
                headers: kept.headers.clone(),
            };
            let message = message.straight_to(to.unwrap_or(&kept.queue))?;
            if !published(bus, message, &shown).await? {
                outcome = Outcome::NotWell;
            }
        }
    }
    Ok(outcome)
}

async fn next(
    subscription: &mut Box<dyn Subscription>,
    taken: usize,
    limit: usize,
) -> Option<Delivery> {
    if taken >= limit {
        return None;
    }
    let next = tokio::time::timeout(QUIET, subscription.next()).await;
    next.ok().flatten()
}

fn keep(file: &Path, delivery: &Delivery) -> anyhow::Result<()> {
    let text = String::from_utf8(delivery.body.clone()).ok();
    let kept = Kept {
        queue: delivery.queue.clone(),
        exchange: delivery.exchange.clone(),
        routing_key: delivery.routing_key.clone(),
        priority: delivery.priority,
        headers: delivery.headers.clone(),
        body_base64: text.is_none().then(|| STANDARD.encode(&delivery.body)),
        body: text,
    };
    let mut file = private::create_new(file)?;
    file.write_all(&serde_json::to_vec(&kept)?)?;
    Ok(file.sync_all()?)
}
