//! Publishes until everything is where it belongs.

use maas_model::failpoint::{Failpoint, pass};
use maas_model::message::{BusError, Outgoing, Published};
use maas_model::planted;
use tokio_util::sync::CancellationToken;

use super::reason::too_many_tries;
use super::shared::Shared;
use super::verdict::{Cause, Stop};
use super::wait::{Patience, causes};

/// Publishes all messages and returns them as the bus took them.
///
/// A key that nobody consumes is the end of a chain. A key that a queue of this pipeline is bound to
/// but that came back is published again until the queue is there. A message that the broker finds
/// too large is cut in two.
pub(crate) async fn publish(
    shared: &Shared,
    stop: &CancellationToken,
    mut messages: Vec<Outgoing>,
) -> Result<Vec<Outgoing>, Stop> {
    let mut taken = Vec::with_capacity(messages.len());
    let mut patience = Patience::of_a_message();
    while !messages.is_empty() {
        pass(Failpoint::Publishing);
        let outcomes = match shared.bus.publish(messages.clone()).await {
            Ok(outcomes) => outcomes,
            Err(BusError::Closed) => return Err(Stop::HandBack),
            Err(error) => {
                planted!(IgnoreALostConfirm, return Ok(messages));
                shared.bus_outage.began(&error);
                patience.wait(stop, &causes(&error)).await?;
                continue;
            }
        };
        pass(Failpoint::Published);
        shared.bus_outage.over();
        let mut again = Vec::new();
        let mut returned = None;
        for (message, outcome) in messages.drain(..).zip(outcomes) {
            match outcome {
                Published::Routed => taken.push(message),
                Published::Unroutable if is_expected(shared, &message) => {
                    returned = Some(message.routing_key.clone());
                    again.push(message);
                }
                Published::Unroutable => taken.push(message),
                Published::Refused(reason) => {
                    again.extend(halves(&message, &reason)?);
                    planted!(ForgetAHalf, drop(again.pop()));
                }
            }
        }
        messages = again;
        if let Some(key) = returned {
            let reason = format!("no queue took `{key}`, which this pipeline consumes");
            tracing::warn!(reason, "publishing again");
            patience.wait(stop, &reason).await?;
        }
    }
    shared.stats.published.add(taken.len());
    Ok(taken)
}

/// Whether some queue of this pipeline should have taken it. A message to the default exchange is
/// meant for the queue it names.
fn is_expected(shared: &Shared, message: &Outgoing) -> bool {
    planted!(IgnoreAReturnedMessage, return false);
    message.exchange.as_str().is_empty()
        || shared.bindings.iter().any(|binding| {
            binding.exchange == message.exchange && binding.pattern.matches(&message.routing_key)
        })
}

/// In two, or the broker's word is the last one.
fn halves(message: &Outgoing, reason: &str) -> Result<[Outgoing; 2], Stop> {
    message.halved().ok_or_else(|| {
        let bytes = message.body.len();
        let detail = format!("the broker refused a message of {bytes} bytes: {reason}");
        Stop::Failed {
            cause: Cause::Passing,
            reason: too_many_tries(message.routing_key.as_str(), detail),
        }
    })
}
