//! Cuts reports into messages.

use std::collections::BTreeMap;

use maas_model::chance;
use maas_model::clock::Clock;
use maas_model::document::{DocumentId, zulu};
use maas_model::message::{ExchangeName, Message, Outgoing};

use super::Report;

/// What the messages of a report take from the message that was worked on.
#[derive(Debug)]
pub struct Origin<'a> {
    /// That message.
    pub message: &'a Message,
    /// Its priority.
    pub priority: u8,
    /// The engines that ran, in order.
    pub engines: &'a [String],
    /// Where reports go.
    pub exchange: &'a ExchangeName,
    /// The time.
    pub clock: &'a Clock,
}

impl Origin<'_> {
    /// The messages of one report: one, or more when it has a chunk size.
    pub fn messages(&self, report: &Report) -> Vec<Outgoing> {
        let size = match report.chunk_size {
            0 => report.ids.len().max(1),
            size => size,
        };
        report
            .ids
            .chunks(size)
            .map(|ids| self.message(report, ids))
            .collect()
    }

    fn message(&self, report: &Report, ids: &[DocumentId]) -> Outgoing {
        let received = self.message;
        let mut ancestor_ids = received.ancestor_ids.clone();
        if !received.message_id.is_empty() {
            ancestor_ids.push(received.message_id.clone());
        }
        let message = Message {
            date: zulu(self.clock.now()),
            message_id: chance::uuid().to_string(),
            ancestor_ids,
            pipeline: [&received.pipeline, self.engines].concat(),
            force: received.force,
            document_ids: ids.to_vec(),
            document_indices: report.indices.iter().map(ToString::to_string).collect(),
            document_class: report.document_class.clone(),
        };
        Outgoing {
            exchange: self.exchange.clone(),
            routing_key: report.routing_key.clone(),
            body: message.to_body(),
            message_id: message.message_id,
            priority: self.priority,
            headers: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::DateTime;
    use maas_model::document::IndexName;
    use maas_model::message::RoutingKey;

    use super::*;

    fn sizes(ids: usize, chunk_size: usize) -> Vec<usize> {
        let ids = (0..ids).map(|n| DocumentId::new(n.to_string()).unwrap());
        let report = Report {
            routing_key: RoutingKey::new("new.a").unwrap(),
            document_class: "A".to_owned(),
            ids: ids.collect(),
            indices: BTreeSet::from(["b", "a"].map(|name| IndexName::new(name).unwrap())),
            chunk_size,
        };
        let received = Message {
            message_id: "m1".to_owned(),
            ancestor_ids: vec!["m0".to_owned()],
            pipeline: vec!["FileCollector".to_owned()],
            force: false,
            ..Message::default()
        };
        let origin = Origin {
            message: &received,
            priority: 7,
            engines: &["X".to_owned()],
            exchange: &ExchangeName::new("etl-exchange").unwrap(),
            clock: &Clock::frozen(DateTime::UNIX_EPOCH),
        };
        let messages = origin.messages(&report);
        for outgoing in &messages {
            let message = Message::parse(&outgoing.body).unwrap();
            assert_eq!(message.ancestor_ids, ["m0", "m1"]);
            assert_eq!(message.pipeline, ["FileCollector", "X"]);
            assert_eq!(message.document_indices, ["a", "b"]);
            assert_eq!(message.date, "1970-01-01T00:00:00.000Z");
            assert_eq!(message.message_id, outgoing.message_id);
            assert!(!message.force);
            assert_eq!(outgoing.priority, 7);
        }
        let parse = |outgoing: &Outgoing| Message::parse(&outgoing.body).unwrap();
        messages
            .iter()
            .map(|m| parse(m).document_ids.len())
            .collect()
    }

    #[test]
    fn reports_are_cut_by_chunk_size() {
        assert_eq!(sizes(0, 3), [0; 0]);
        assert_eq!(sizes(1, 0), [1]);
        assert_eq!(sizes(7, 0), [7]);
        assert_eq!(sizes(7, 3), [3, 3, 1]);
        assert_eq!(sizes(6, 3), [3, 3]);
        assert_eq!(sizes(2, 3), [2]);
    }
}
