//! What must be true whatever goes wrong. Sees every effect on store and bus, and nothing of the product.

mod debts;
mod done;
mod heard;

use std::collections::{BTreeMap, BTreeSet};

use maas_model::document::{Document, DocumentId, IndexName};

pub use self::debts::Debts;
use crate::source::{Item, Line};

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
    /// When an intent was removed last.
    forgotten: BTreeMap<DocumentId, u64>,
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
        let moment = self.now();
        let Some(class) = class_of(index) else {
            if now.is_none() {
                self.forgotten.insert(id.clone(), moment);
            }
            return;
        };
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
