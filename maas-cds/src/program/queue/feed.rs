//! Messages from files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use maas_model::message::{ExchangeName, Message, MessageBus, Outgoing, Published, RoutingKey};

use crate::program::{Outcome, output};

/// How messages from files are published.
pub(super) struct Feed {
    pub(super) exchange: ExchangeName,
    pub(super) key: RoutingKey,
    pub(super) priority: u8,
    pub(super) chunk_size: Option<u32>,
}

impl Feed {
    /// Publishes one message per file, or its parts.
    pub(super) async fn publish(
        self,
        bus: &dyn MessageBus,
        files: &[PathBuf],
    ) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome::Done;
        for file in expand(files)? {
            let shown = file.display().to_string();
            let body = std::fs::read(&file).with_context(|| format!("cannot read `{shown}`"))?;
            for body in cut(body, self.chunk_size).with_context(|| shown.clone())? {
                let message = Message::parse(&body)?;
                let message_id = match message.message_id.is_empty() {
                    true => uuid::Uuid::new_v4().to_string(),
                    false => message.message_id,
                };
                let outgoing = Outgoing {
                    exchange: self.exchange.clone(),
                    routing_key: self.key.clone(),
                    body,
                    message_id,
                    priority: self.priority,
                    headers: BTreeMap::new(),
                };
                if !published(bus, outgoing, &shown).await? {
                    outcome = Outcome::NotWell;
                }
            }
        }
        Ok(outcome)
    }
}

/// Publishes one message and tells what came of it. Whether a queue took it.
pub(super) async fn published(
    bus: &dyn MessageBus,
    message: Outgoing,
    shown: &str,
) -> anyhow::Result<bool> {
    let (exchange, key) = (message.exchange.clone(), message.routing_key.clone());
    match bus.publish(vec![message]).await?.as_slice() {
        [Published::Routed] => {
            output::line(&format!("{shown}: published"))?;
            Ok(true)
        }
        [Published::Refused(reason)] => {
            output::line(&format!("{shown}: refused: {reason}"))?;
            Ok(false)
        }
        _ => {
            let place = match exchange.as_str() {
                "" => format!("there is no queue `{key}`"),
                exchange => format!("no queue of `{exchange}` takes `{key}`"),
            };
            output::line(&format!("{shown}: {place}"))?;
            Ok(false)
        }
    }
}

/// The message as it is, or messages that name so many of its documents at most.
pub(super) fn cut(body: Vec<u8>, chunk_size: Option<u32>) -> anyhow::Result<Vec<Vec<u8>>> {
    let whole = Message::parse(&body)?;
    let most = chunk_size.map_or(usize::MAX, |most| most as usize);
    if whole.document_ids.len() <= most {
        return Ok(vec![body]);
    }
    let part = |ids: &[_]| {
        let mut part = Message {
            message_id: uuid::Uuid::new_v4().to_string(),
            document_ids: ids.to_vec(),
            ..whole.clone()
        };
        if !whole.message_id.is_empty() {
            part.ancestor_ids.push(whole.message_id.clone());
        }
        part.to_body()
    };
    Ok(whole.document_ids.chunks(most).map(part).collect())
}

/// Folders become their `*.json` files, by name.
pub(super) fn expand(files: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut expanded = Vec::new();
    for file in files {
        if !file.is_dir() {
            expanded.push(file.clone());
            continue;
        }
        let entries =
            std::fs::read_dir(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        let mut found: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
            .collect();
        found.sort();
        expanded.extend(found);
    }
    Ok(expanded)
}
