//! What must be true of a message, or of an item, that somebody says is done.

use std::collections::BTreeSet;

use maas_model::document::DocumentId;
use maas_model::message::{Message, QueueName};

use super::Oracle;
use crate::engine::BAD_STATION;
use crate::source::{DEADLY, Line, NO_COPY, REFUSED};

impl Oracle {
    /// A worker acknowledged a message: all of it must be written and announced, but for what other messages
    /// of the queue are about, too: their workers may be in the middle of it.
    pub fn acked<'a>(
        &mut self,
        queue: &QueueName,
        body: &[u8],
        others: impl Iterator<Item = &'a [u8]>,
    ) {
        let Ok(message) = Message::parse(body) else {
            self.breaks("a message that cannot be read was acknowledged".to_owned());
            return;
        };
        let others: BTreeSet<DocumentId> = others
            .filter_map(|body| Message::parse(body).ok())
            .flat_map(|message| message.document_ids)
            .collect();
        let theirs: BTreeSet<&String> = others
            .iter()
            .filter_map(|id| self.station_of.get(id.as_str()))
            .collect();
        let ids = message.document_ids.iter();
        let ids: Vec<(&str, String)> = ids
            .filter(|id| !others.contains(*id))
            .map(|id| {
                let station = self.station_of.get(id.as_str());
                (id.as_str(), station.cloned().unwrap_or_default())
            })
            .filter(|(_, station)| queue.as_str() != "q-copies" || !theirs.contains(station))
            .collect();
        for (id, station) in ids {
            match queue.as_str() {
                "q-readings" if id.starts_with(NO_COPY) => {
                    let letter = format!("first/document refused/copy/{id}");
                    self.is_dead(queue.as_str(), &letter);
                    self.gathered(queue, id, &station);
                }
                "q-readings" if id.starts_with(DEADLY) => {
                    self.breaks(format!(
                        "{queue}: {id} was acknowledged and ends who gathers it"
                    ));
                }
                "q-readings" => {
                    self.stands(queue, "Copy", id);
                    self.gathered(queue, id, &station);
                }
                "q-copies" => self.stands(queue, "Summary", &station),
                "q-stations" => self.stands(queue, "Board", id),
                _ => {}
            }
        }
    }

    fn stands(&mut self, by: &QueueName, class: &'static str, id: &str) {
        let created = self.created.get(&(class, id.to_owned())).copied();
        self.is_announced(by.as_str(), class, id, created);
    }

    fn gathered(&mut self, by: &QueueName, id: &str, station: &str) {
        if station == BAD_STATION {
            let letter = format!("first/engine failed/{id}");
            if !self.dead.contains(&letter) {
                self.breaks(format!("{by}: acknowledged without dead letter {letter}"));
            }
            return;
        }
        let member = (station.to_owned(), id.to_owned());
        let since = self.member.get(&member).copied();
        self.is_announced(by.as_str(), "Station", station, since);
    }

    fn is_announced(&mut self, by: &str, class: &str, id: &str, since: Option<u64>) {
        let Some(since) = since else {
            self.breaks(format!("{by}: done, and {class} {id} is not written"));
            return;
        };
        let key = (class.to_owned(), id.to_owned());
        let announced = self.announced.get(&key);
        let owed = self.owed.contains(&key);
        if !owed && announced.is_none_or(|announced| *announced < since) {
            self.breaks(format!("{by}: done, and {class} {id} is not announced"));
        }
    }

    /// The collector was told that an item is done.
    pub fn item_settled(&mut self, name: &str) {
        // Another item may be about the same reading.
        let others: BTreeSet<String> = self
            .items
            .iter()
            .filter(|(other, _)| *other != name && !self.settled.contains(*other))
            .flat_map(|(_, lines)| lines.iter().filter_map(reading))
            .collect();
        self.settled.insert(name.to_owned());
        for line in self.items.get(name).cloned().unwrap_or_default() {
            match line {
                Line::Bad(raw) => self.is_dead(name, &format!("readings/record refused/{raw}")),
                Line::Record(record) => {
                    let id = reading(&Line::Record(record)).unwrap_or_default();
                    if others.contains(&id) {
                        continue;
                    }
                    if id.starts_with(REFUSED) {
                        let index = "reading-2026-11";
                        self.is_dead(name, &format!("readings/document refused/{index}/{id}"));
                    } else {
                        let created = self.created.get(&("Reading", id.clone())).copied();
                        self.is_announced(name, "Reading", &id, created);
                    }
                }
            }
        }
    }

    fn is_dead(&mut self, by: &str, letter: &str) {
        if !self.dead.contains(letter) {
            self.breaks(format!("{by}: done without dead letter {letter}"));
        }
    }
}

/// The id of a reading.
fn reading(line: &Line) -> Option<String> {
    match line {
        Line::Record(record) => Some(record.get("reading")?.as_str()?.to_owned()),
        Line::Bad(_) => None,
    }
}
