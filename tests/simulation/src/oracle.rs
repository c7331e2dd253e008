//! What must be true whatever goes wrong. Sees every effect on store and bus, and nothing of the product.

use std::collections::{BTreeMap, BTreeSet};

use maas_model::document::{Document, DocumentId, IndexName};
use maas_model::message::{
    DeadLetter, DeadOriginal, DeadReason, Message, Outgoing, Published, QueueName, Topology,
};

use maas_model::store::memory::Documents;

use crate::engine::BAD_STATION;
use crate::source::{Item, Line, NO_COPY, REFUSED};

/// A document, by class and id.
type Key = (&'static str, String);

/// Everything that was seen.
#[derive(Debug, Default)]
pub struct Oracle {
    items: BTreeMap<String, Vec<Line>>,
    settled: BTreeSet<String>,
    moment: u64,
    /// When a document was made, and when it was written last.
    created: BTreeMap<Key, u64>,
    changed: BTreeMap<Key, u64>,
    /// Since when a reading is in its station.
    member: BTreeMap<(String, String), u64>,
    station_of: BTreeMap<String, String>,
    /// When a document was last announced.
    announced: BTreeMap<(String, String), u64>,
    /// Announced as new.
    announced_new: BTreeSet<(String, String)>,
    /// What intents name.
    owed: BTreeSet<(String, String)>,
    /// Dead letters, by owner, kind and what they hold.
    dead: BTreeSet<String>,
    /// Writes of documents, and messages published.
    pub writes: u64,
    /// Messages published.
    pub messages: u64,
    /// What was not true.
    pub broken: Vec<String>,
}

const CLASSES: [(&str, &str); 5] = [
    ("reading", "Reading"),
    ("copy", "Copy"),
    ("station", "Station"),
    ("summary", "Summary"),
    ("board", "Board"),
];

fn class_of(index: &IndexName) -> Option<&'static str> {
    let classes = CLASSES.iter();
    let fits = |(prefix, _): &&(&str, &str)| index.as_str().starts_with(prefix);
    classes
        .copied()
        .find(|class| fits(&class))
        .map(|(_, class)| class)
}

impl Oracle {
    /// Knows what stands in the items.
    pub fn new(items: &[Item]) -> Self {
        let items = items.iter();
        Self {
            items: items
                .map(|item| (item.name.clone(), item.lines.clone()))
                .collect(),
            ..Self::default()
        }
    }

    fn now(&mut self) -> u64 {
        self.moment += 1;
        self.moment
    }

    fn breaks(&mut self, what: String) {
        if self.broken.len() < 10 {
            self.broken.push(what);
        }
    }

    /// The store executed a write; `now`: the document after it.
    pub fn wrote(&mut self, index: &IndexName, id: &DocumentId, now: Option<&Document>) {
        self.writes += 1;
        let Some(class) = class_of(index) else {
            return;
        };
        let moment = self.now();
        let key = (class, id.to_string());
        let Some(document) = now else {
            self.forget(class, id);
            return;
        };
        self.created.entry(key.clone()).or_insert(moment);
        self.changed.insert(key, moment);
        match class {
            "Station" => {
                let members = document.source.get("members");
                let members = members.and_then(|members| members.as_object());
                for reading in members.into_iter().flat_map(|members| members.keys()) {
                    let member = (id.to_string(), reading.clone());
                    self.member.entry(member).or_insert(moment);
                }
            }
            "Reading" | "Copy" => {
                if let Some(station) = document.text("station") {
                    self.station_of.insert(id.to_string(), station.to_owned());
                }
            }
            _ => {}
        }
    }

    /// A crash of the store undid writes of a document; `now`: what is left of it.
    pub fn lost(&mut self, index: &IndexName, id: &DocumentId, now: Option<&Document>) {
        let Some(class) = class_of(index) else {
            return;
        };
        if now.is_none() {
            self.forget(class, id);
        }
        if class == "Station" {
            let members = now.and_then(|now| now.source.get("members"));
            let members = members.and_then(|members| members.as_object());
            let stays =
                |reading: &str| members.is_some_and(|members| members.contains_key(reading));
            self.member
                .retain(|(station, reading), _| station != id.as_str() || stays(reading));
        }
    }

    fn forget(&mut self, class: &'static str, id: &DocumentId) {
        let key = (class, id.to_string());
        self.created.remove(&key);
        self.changed.remove(&key);
    }

    /// The broker has a message, or has it not.
    pub fn published(&mut self, message: &Outgoing, outcome: &Published) {
        if *outcome != Published::Routed {
            return;
        }
        self.messages += 1;
        if message.routing_key.as_str().starts_with(Topology::PARKING) {
            if let Ok(letter) = DeadLetter::parse(&message.body) {
                self.letter(&letter);
            }
        } else {
            self.announced(message);
        }
    }

    /// What came back to the publisher: a key that nobody takes is the end of the chain.
    pub fn confirmed(&mut self, messages: &[Outgoing], outcomes: &[Published]) {
        for (message, outcome) in messages.iter().zip(outcomes) {
            let key = message.routing_key.as_str();
            let end = key.ends_with(".summary") || key.ends_with(".board");
            if *outcome == Published::Unroutable && end {
                self.messages += 1;
                self.announced(message);
            }
        }
    }

    fn announced(&mut self, outgoing: &Outgoing) {
        let Ok(message) = Message::parse(&outgoing.body) else {
            self.breaks("a message that cannot be read was published".to_owned());
            return;
        };
        let moment = self.now();
        let new = outgoing.routing_key.as_str().starts_with("new.");
        for id in &message.document_ids {
            let key = (message.document_class.clone(), id.to_string());
            let known = CLASSES.iter().find(|(_, class)| *class == key.0);
            let there =
                known.is_some_and(|(_, class)| self.created.contains_key(&(*class, key.1.clone())));
            if !there {
                self.breaks(format!("{} {} is announced and not written", key.0, key.1));
            }
            if new {
                self.announced_new.insert(key.clone());
            }
            self.announced.insert(key, moment);
        }
    }

    fn letter(&mut self, letter: &DeadLetter) {
        let (owner, kind) = (&letter.owner, &letter.reason.kind);
        match &letter.original {
            DeadOriginal::Record { raw, .. } => {
                self.dead.insert(format!("{owner}/{kind}/{raw}"));
            }
            DeadOriginal::Document { index, id, .. } => {
                self.dead.insert(format!("{owner}/{kind}/{index}/{id}"));
            }
            DeadOriginal::Message { body, .. } => {
                let body = body.as_deref().unwrap_or_default();
                self.dead_message(
                    owner.clone().as_str(),
                    kind.clone().as_str(),
                    body.as_bytes(),
                );
            }
        }
    }

    fn dead_message(&mut self, owner: &str, kind: &str, body: &[u8]) {
        for id in Message::parse(body)
            .map(|message| message.document_ids)
            .unwrap_or_default()
        {
            self.dead.insert(format!("{owner}/{kind}/{id}"));
        }
    }

    /// A worker gave a whole message up. Nothing in this pipeline deserves that.
    pub fn parked(&mut self, reason: &DeadReason, body: &[u8]) {
        let ids = Message::parse(body)
            .map(|message| message.document_ids)
            .unwrap_or_default();
        self.breaks(format!(
            "a message with {ids:?} was given up: {}: {}",
            reason.kind, reason.detail
        ));
    }

    /// Learns what workers have yet to announce.
    pub fn intents(&mut self, documents: &Documents) {
        let intents = documents.all();
        let intents = intents.filter(|(index, ..)| index.as_str() == "maas-intents");
        let planned = intents.filter_map(|(_, _, intent)| intent.get("plan")?.get("documents"));
        let planned = planned.filter_map(|planned| planned.as_array()).flatten();
        self.owed = planned.filter_map(planned_key).collect();
    }

    /// What earlier workers of this message left to be announced, and when it was looked up.
    pub fn debts(&self, documents: &Documents, message_id: &str) -> Debts {
        let intents = documents.all().filter(|(index, _, intent)| {
            let of = intent.get("message_id").and_then(|id| id.as_str());
            index.as_str() == "maas-intents" && of == Some(message_id)
        });
        let planned = intents.filter_map(|(_, _, intent)| intent.get("plan")?.get("documents"));
        let planned = planned.filter_map(|planned| planned.as_array()).flatten();
        Debts {
            since: self.moment,
            documents: planned.filter_map(planned_key).collect(),
        }
    }

    /// A worker acknowledged a message that others had begun: it announced what they owed, unless one of them
    /// did so meanwhile, as `left` tells.
    pub fn paid(&mut self, debts: &Debts, left: &Debts) {
        let owed = debts.documents.iter();
        for (class, id) in owed.filter(|owed| left.documents.contains(owed)) {
            let known = CLASSES.iter().find(|(_, known)| known == class);
            let there =
                known.is_some_and(|(_, class)| self.created.contains_key(&(*class, id.clone())));
            let announced = self.announced.get(&(class.clone(), id.clone()));
            if there && announced.is_none_or(|announced| *announced <= debts.since) {
                self.breaks(format!("{class} {id} was owed and is not announced"));
            }
        }
    }

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

    /// At the end: every document was announced after it was written last.
    pub fn finish(&mut self) {
        let unannounced: Vec<String> = self
            .changed
            .iter()
            .filter(|((class, id), changed)| {
                let announced = self.announced.get(&((*class).to_owned(), id.clone()));
                announced.is_none_or(|announced| announced < changed)
            })
            .map(|((class, id), _)| format!("{class} {id} was written and not announced"))
            .collect();
        for what in unannounced {
            self.breaks(what);
        }
    }

    /// What a run without faults announces as new and buries must be the same here.
    pub fn compare(&mut self, expected: &Self) {
        let new = expected.announced_new.difference(&self.announced_new);
        let new: Vec<String> = new
            .map(|(class, id)| format!("{class} {id} was never announced as new"))
            .collect();
        let missing = expected.dead.difference(&self.dead);
        let missing: Vec<String> = missing
            .map(|dead| format!("dead letter {dead} is missing"))
            .collect();
        let more = self.dead.difference(&expected.dead);
        let more: Vec<String> = more
            .map(|dead| format!("dead letter {dead} should not be"))
            .collect();
        for what in [new, missing, more].into_iter().flatten() {
            self.breaks(what);
        }
    }
}

/// What workers that had a message before left to be announced.
#[derive(Debug, Default)]
pub struct Debts {
    since: u64,
    documents: Vec<(String, String)>,
}

fn planned_key(planned: &serde_json::Value) -> Option<(String, String)> {
    let text = |field| Some(planned.get(field)?.as_str()?.to_owned());
    Some((text("class")?, text("id")?))
}

/// The id of a reading.
fn reading(line: &Line) -> Option<String> {
    match line {
        Line::Record(record) => Some(record.get("reading")?.as_str()?.to_owned()),
        Line::Bad(_) => None,
    }
}
