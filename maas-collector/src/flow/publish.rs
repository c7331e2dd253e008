//! Publishes until everything is where it belongs.

use maas_model::failpoint::{Failpoint, pass};
use maas_model::message::{DeadLetter, Outgoing, Published};
use maas_model::planted;
use tracing::{debug, error, info, warn};

use super::patience::{Delays, Patience};
use super::stats::Count;
use super::{Flow, FlowError, Shared, dead};

/// What became of some messages.
#[derive(Default)]
struct Delivered {
    taken: u64,
    /// Those that the broker will never take, with its reason. None names more than one document.
    refused: Vec<(Outgoing, String)>,
}

impl Flow {
    /// Publishes and confirms. What the broker will never take becomes a dead letter; tells how many did.
    pub(super) async fn publish(
        &self,
        patience: &Patience,
        messages: Vec<Outgoing>,
    ) -> Result<u64, FlowError> {
        let Delivered { taken, refused } = self.deliver(patience, messages).await?;
        let count = refused.len() as u64;
        let letters = refused.into_iter().map(|(message, reason)| {
            dead::message(&self.shared.recipe.interface, message, &reason)
        });
        self.publish_dead(patience, letters.collect()).await?;
        self.shared.stats.add(Count::Messages, taken);
        self.shared.stats.add(Count::Refused, count);
        Ok(count)
    }

    pub(super) async fn publish_dead(
        &self,
        patience: &Patience,
        letters: Vec<DeadLetter>,
    ) -> Result<(), FlowError> {
        let interface = &self.shared.recipe.interface;
        let mut messages = Vec::with_capacity(letters.len());
        for letter in &letters {
            let (kind, reason) = (&letter.reason.kind, &letter.reason.detail);
            warn!(%interface, kind, reason, "a dead letter");
            messages.push(letter.to_outgoing()?);
        }
        for (letter, reason) in self.deliver(patience, messages).await?.refused {
            // Better in the log than nowhere.
            let letter = String::from_utf8_lossy(&letter.body);
            error!(%interface, reason, %letter, "the broker refuses a dead letter");
        }
        Ok(())
    }

    /// A key that nobody consumes is the end of a chain. A message that a queue should have taken is
    /// published again until that queue is there, one that is too large is cut in two.
    async fn deliver(
        &self,
        patience: &Patience,
        mut messages: Vec<Outgoing>,
    ) -> Result<Delivered, FlowError> {
        let (interface, bus) = (&self.shared.recipe.interface, &self.shared.context.bus);
        let mut delivered = Delivered::default();
        let mut delays = Delays::new();
        let mut waiting = false;
        while !messages.is_empty() {
            pass(Failpoint::Announcing);
            let outcomes = patience
                .until_done("publishing", || bus.publish(messages.clone()))
                .await?;
            pass(Failpoint::Announced);
            let mut again = Vec::new();
            let mut returned = None;
            for (message, outcome) in messages.into_iter().zip(outcomes) {
                match outcome {
                    Published::Routed => delivered.taken += 1,
                    Published::Unroutable if self.shared.expects(&message) => {
                        returned = Some(message.routing_key.clone());
                        again.push(message);
                    }
                    Published::Unroutable => {
                        debug!(%interface, key = %message.routing_key, "no queue takes this key");
                        delivered.taken += 1;
                    }
                    Published::Refused(reason) => match message.halved() {
                        Some(halves) => again.extend(halves),
                        None => delivered.refused.push((message, reason)),
                    },
                }
            }
            messages = again;
            if let Some(key) = returned {
                if !waiting {
                    warn!(%interface, %key, "waiting for a queue of this pipeline that is gone");
                    waiting = true;
                }
                patience.pause(&mut delays).await?;
            }
        }
        if waiting {
            info!(%interface, "the queue is back");
        }
        Ok(delivered)
    }
}

impl Shared {
    /// Whether some queue of this pipeline should have taken it. A message to the default exchange is
    /// meant for the queue it names.
    fn expects(&self, message: &Outgoing) -> bool {
        planted!(IgnoreAReturnedMessageOfAFlow, return false);
        message.exchange.as_str().is_empty()
            || self.context.bindings.iter().any(|binding| {
                binding.exchange == message.exchange
                    && binding.pattern.matches(&message.routing_key)
            })
    }
}
