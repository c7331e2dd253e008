//! The pools of a test at work.

use anyhow::bail;
use maas_engine::pool::{Verdict, Work, contain};
use maas_model::message::{DeadLetter, DeadMessage, ExchangeName, Message, Outgoing, QueueName};

use super::World;
use crate::program::test::file::GivenMessage;

/// More messages than any test means: they go round.
const MOST_MESSAGES: usize = 10_000;

impl World<'_> {
    pub(super) fn publish(&self, given: &GivenMessage) -> anyhow::Result<()> {
        let mut message = Message::new(&self.clock());
        message.document_class.clone_from(&given.document_class);
        message.document_ids.clone_from(&given.document_ids);
        message.document_indices.clone_from(&given.document_indices);
        let exchange = match &given.exchange {
            Some(exchange) => exchange.clone(),
            None => self.exchange_of(given)?,
        };
        let outgoing = Outgoing {
            exchange,
            routing_key: given.key.clone(),
            body: message.to_body(),
            message_id: message.message_id,
            priority: 5,
            headers: Default::default(),
        };
        // What a test publishes itself is nothing that came of it.
        self.bus.hand_in(&outgoing);
        Ok(())
    }

    fn exchange_of(&self, given: &GivenMessage) -> anyhow::Result<ExchangeName> {
        let queues = self.pipeline.pools.iter().flat_map(|pool| &pool.queues);
        let mut bindings = queues.flat_map(|queue| &queue.bindings);
        let taken = bindings.find(|binding| binding.pattern.matches(&given.key));
        let Some(taken) = taken else {
            bail!("no queue takes a message `{}`", given.key);
        };
        Ok(taken.exchange.clone())
    }

    /// Works on messages, oldest first, until none is left for the pools that work.
    pub(super) async fn work(&mut self) -> anyhow::Result<()> {
        for _ in 0..MOST_MESSAGES {
            let Some((lease, kept)) = self.bus.take() else {
                return Ok(());
            };
            let queue = &lease.queue;
            let Some(pool) = self.pools.get(queue) else {
                self.bus.ack(&lease);
                continue;
            };
            let (exchange, routing_key, headers) = kept.origin();
            let work = Work {
                queue,
                exchange: &exchange,
                routing_key: &routing_key,
                body: &kept.message.body,
                priority: kept.message.priority,
                headers: &headers,
                redelivered: kept.redelivered,
                tries: kept.tries,
            };
            match pool.run_once(work).await.verdict {
                Verdict::Done => self.bus.ack(&lease),
                Verdict::Dead(reason) => {
                    let message = DeadMessage {
                        exchange,
                        routing_key,
                        queue: queue.clone(),
                        priority: kept.message.priority,
                        body: kept.message.body,
                        headers,
                    };
                    let (owner, tries) = (self.owner(queue), kept.tries + 1);
                    let letter = DeadLetter::of_message(&owner, reason, tries, message);
                    self.dead.push(letter);
                    self.bus.ack(&lease);
                }
                Verdict::Parts(shares, _) => {
                    let parts = contain::parts(&kept.message.body, shares);
                    self.bus.replace(&lease, parts);
                }
                Verdict::Again(..) | Verdict::HandBack => self.bus.put_back(&lease),
            }
        }
        bail!("more than {MOST_MESSAGES} messages: do they go round?")
    }

    fn owner(&self, queue: &QueueName) -> String {
        let mut pools = self.pipeline.pools.iter();
        let owner = pools.find(|pool| pool.queues.iter().any(|known| known.name == *queue));
        owner.map(|pool| pool.name.clone()).unwrap_or_default()
    }
}
