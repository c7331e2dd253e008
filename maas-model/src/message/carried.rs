//! What a message carries about itself in its `x-maas-` headers, on every bus.

use std::collections::BTreeMap;

use super::{DeadEnd, DeadReason, ExchangeName, QueueName, RoutingKey};

/// The exchange a message was first published to, when it went to its queue by another way since.
pub(super) const EXCHANGE: &str = "x-maas-exchange";
/// The key a message was first published with.
pub(super) const ROUTING_KEY: &str = "x-maas-routing-key";
/// How many times it was returned, where the bus does not count.
pub(super) const TRIES: &str = "x-maas-tries";
/// When the delay of a message ends, in milliseconds since 1970, where the bus does not tell.
pub(super) const DUE: &str = "x-maas-due";
/// Set on a message that ended a process, or may have: it is worked on alone from then on.
pub(super) const ALONE: &str = "x-maas-alone";
/// Earlier ends as dead letter: JSON list of [`DeadEnd`].
pub(super) const HISTORY: &str = "x-maas-history";

/// How many times it was replayed from the dead letters.
pub(super) const REPLAYS: &str = "x-maas-replays";

/// The queue from which the broker itself moved a message to the dead letters.
pub(super) const DEATH_QUEUE: &str = "x-maas-death-queue";
/// Why the broker did.
pub(super) const DEATH_REASON: &str = "x-maas-death-reason";

/// The kind of the reason, when it was a worker that moved it.
pub(super) const DEATH_KIND: &str = "x-maas-death-kind";

/// Bytes of a reason kept in [`HISTORY`]: with [`super::DeadLetter::HISTORY`] entries the header stays well
/// under a frame of the broker (128 KiB), which it must not exceed.
const HISTORY_DETAIL_BYTES: usize = 1_000;

/// Makes `headers` remember where the message was published first.
pub(super) fn remember_origin(
    headers: &mut BTreeMap<String, String>,
    exchange: &ExchangeName,
    routing_key: &RoutingKey,
) {
    headers.insert(EXCHANGE.into(), exchange.to_string());
    headers.insert(ROUTING_KEY.into(), routing_key.to_string());
}

/// Takes the remembered origin out of `headers`; without one it is where the message came by.
pub(super) fn take_origin(
    headers: &mut BTreeMap<String, String>,
    exchange: ExchangeName,
    routing_key: RoutingKey,
) -> (ExchangeName, RoutingKey) {
    let first_exchange = headers.remove(EXCHANGE).map(ExchangeName::new);
    let first_key = headers.remove(ROUTING_KEY).map(RoutingKey::new);
    (
        first_exchange.and_then(Result::ok).unwrap_or(exchange),
        first_key.and_then(Result::ok).unwrap_or(routing_key),
    )
}

/// Writes on a message itself why it is a dead letter, for one that is too large to be put into a letter.
pub(super) fn put_death(
    headers: &mut BTreeMap<String, String>,
    queue: &QueueName,
    reason: &DeadReason,
) {
    let mut detail = reason.detail.clone();
    cut(&mut detail, HISTORY_DETAIL_BYTES);
    headers.insert(DEATH_QUEUE.into(), queue.to_string());
    headers.insert(DEATH_KIND.into(), reason.kind.clone());
    headers.insert(DEATH_REASON.into(), detail);
}

/// Takes the earlier ends out of `headers`; what cannot be read is forgotten.
pub(super) fn take_history(headers: &mut BTreeMap<String, String>) -> Vec<DeadEnd> {
    let text = headers.remove(HISTORY).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// Puts earlier ends into `headers`, their details cut.
pub(super) fn put_history(headers: &mut BTreeMap<String, String>, history: &[DeadEnd]) {
    if history.is_empty() {
        return;
    }
    let mut short = history.to_vec();
    for end in &mut short {
        cut(&mut end.reason.detail, HISTORY_DETAIL_BYTES);
        // A stack is read once; what is worth comparing is the reason.
        end.reason.stack = None;
    }
    // Texts always serialize.
    headers.insert(
        HISTORY.into(),
        serde_json::to_string(&short).unwrap_or_default(),
    );
}

/// Shortens a text to at most `bytes`, at a character's end.
pub(super) fn cut(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        let end = text.floor_char_boundary(bytes);
        text.truncate(end);
        text.push('…');
    }
}
