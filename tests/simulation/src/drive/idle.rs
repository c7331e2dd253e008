//! At rest nothing happens, also when messages come twice.

use std::collections::BTreeMap;
use std::sync::Arc;

use maas_model::chance;
use maas_model::message::{ExchangeName, Message, MessageBus, Outgoing, RoutingKey};
use serde_json::Value;

use super::{Drive, LATEST};
use crate::bus::SimulatedBus;
use crate::source;

/// How long nothing may happen at rest.
const IDLE: u64 = 120_000;

impl Drive {
    /// At rest nothing is written, also when messages come twice.
    pub(super) async fn nothing_happens(&mut self) {
        let (writes, messages) = self.effects();
        let until = self.world.millis() + IDLE;
        while self.world.millis() < until {
            self.second().await;
        }
        if self.effects() != (writes, messages) {
            let broken = "at rest something is written or published".to_owned();
            self.world.state().oracle.broken.push(broken);
        }
        self.announce_again().await;
        self.rest(LATEST).await;
        if self.effects().0 != writes {
            let broken = "a message that comes twice writes something".to_owned();
            self.world.state().oracle.broken.push(broken);
        }
    }

    fn effects(&self) -> (u64, u64) {
        let state = self.world.state();
        (state.oracle.writes, state.oracle.messages)
    }

    /// All readings, one message each; the dead ones are left out.
    async fn announce_again(&self) {
        let messages: Vec<Outgoing> = {
            let state = self.world.state();
            let readings = state.documents.all();
            let readings = readings.filter(|(index, id, source)| {
                let station = source.get("station").and_then(Value::as_str);
                index.as_str().starts_with("reading")
                    && station != Some(crate::engine::BAD_STATION)
                    && ![source::NO_COPY, source::DEADLY]
                        .iter()
                        .any(|bad| id.as_str().starts_with(bad))
            });
            readings
                .filter_map(|(_, id, _)| {
                    let message = Message {
                        message_id: chance::uuid().to_string(),
                        document_ids: vec![id.clone()],
                        document_class: "Reading".to_owned(),
                        ..Message::default()
                    };
                    Some(Outgoing {
                        exchange: ExchangeName::collect(),
                        routing_key: RoutingKey::new("new.readings").ok()?,
                        body: message.to_body(),
                        message_id: message.message_id,
                        priority: 0,
                        headers: BTreeMap::new(),
                    })
                })
                .collect()
        };
        let Some(who) = self
            .slots
            .first()
            .and_then(|slot| Some(slot.running.as_ref()?.who))
        else {
            return;
        };
        // Nothing fails any more.
        let _ = SimulatedBus::new(Arc::clone(&self.world), who)
            .publish(messages)
            .await;
    }
}
