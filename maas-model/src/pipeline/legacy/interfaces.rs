//! Entries of `collectors`, as interfaces.

use std::collections::HashMap;

use serde_json::Value;

use super::chunks::Chunks;
use super::credentials::Credentials;
use super::extractors;
use super::files::OldFile;
use super::make;
use super::told::Told;
use crate::pipeline::tree::{Node, Place};

/// An interface in words of ours.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) file: usize,
    pub(super) node: Node,
    /// What a person wrote of it.
    pub(super) description: Option<String>,
}

/// Entries of `collectors` of all files.
pub(super) struct Interfaces<'a> {
    pub(super) files: &'a [OldFile],
    pub(super) credentials: &'a mut Credentials,
    chunks: &'a mut Chunks,
    /// Of the messages, where the environment of the original sets it.
    priority: Option<u8>,
    pub(super) told: &'a mut Told,
    /// Names that are taken, and what is known of their first owner.
    names: HashMap<String, First>,
    pub(super) translated: Vec<Translated>,
}

struct First {
    file: usize,
    place: Place,
    entry: Value,
}

impl<'a> Interfaces<'a> {
    pub(super) fn new(
        files: &'a [OldFile],
        credentials: &'a mut Credentials,
        chunks: &'a mut Chunks,
        priority: Option<u8>,
        told: &'a mut Told,
    ) -> Self {
        Self {
            files,
            credentials,
            chunks,
            priority,
            told,
            names: HashMap::new(),
            translated: Vec::new(),
        }
    }

    /// Translates the entries of one file.
    pub(super) fn read(&mut self, file: usize) {
        let Some(collectors) = self.files[file].root.get("collectors") else {
            return;
        };
        for (index, entry) in collectors.items().iter().enumerate() {
            let whole = Whole { file, index, entry };
            let Some(name) = self.name(&whole) else {
                continue;
            };
            if let Some(node) = self.interface(&whole, name) {
                let description = whole.text("description").map(str::to_owned);
                self.translated.push(Translated {
                    file,
                    node,
                    description,
                });
            }
        }
    }

    /// A name that no other interface has. `None`: the entry is there twice.
    fn name(&mut self, whole: &Whole<'_>) -> Option<Node> {
        let (file, place) = (whole.file, whole.place("interface_name"));
        let mut name = match whole.text("interface_name") {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => {
                let message = "an interface without name";
                let hint = "named after its file; give it an `interface_name`";
                self.told.warning(file, place, message, hint);
                self.files[file].stem.clone()
            }
        };
        let entry = whole.entry.to_value();
        if let Some(first) = self.names.get(&name) {
            let known = &self.files[first.file].name;
            let message = format!("`{name}` stands in {known}:{} too", first.place.line);
            if first.entry == entry {
                let hint = "one of the two is enough: this one is not read";
                self.told.warning(file, place, message, hint);
                return None;
            }
            name = self.free_name(&name, whole.text("model").unwrap_or("part"));
            let hint = format!(
                "the journal and the dead letters go by the name; this one is called `{name}`"
            );
            self.told.warning(file, place, message, hint);
        }
        self.names
            .insert(name.clone(), First { file, place, entry });
        Some(make::scalar(place, name))
    }

    /// `AUXIP-MpProduct`, or that with a number.
    fn free_name(&self, name: &str, part: &str) -> String {
        let plain = format!("{name}-{part}");
        let numbered = (2..).map(|number| format!("{plain}-{number}"));
        let mut names = std::iter::once(plain.clone()).chain(numbered);
        let free = names.find(|name| !self.names.contains_key(name));
        free.unwrap_or(plain)
    }

    fn interface(&mut self, whole: &Whole<'_>, name: Node) -> Option<Node> {
        let collector = self.collector(whole);
        let collect = collector.and_then(|collector| self.collect(whole, collector));
        let extract = whole.get("extractor").map(|node| self.extract(whole, node));
        let store = extract.is_some().then(|| self.store(whole));
        let sender = collector.and_then(|collector| collector.sender);
        let announce = self.announce(whole, store.is_some(), sender);
        let mut entries = vec![make::entry("name", name)];
        entries.push(make::entry("collect", collect?));
        if let Some(extract) = extract {
            entries.push(make::entry("extract", extract?));
        }
        if let Some(store) = store {
            entries.push(make::entry("store", store?));
        }
        entries.extend(announce.map(|announce| make::entry("announce", announce)));
        let meta = whole
            .entry
            .entries()
            .iter()
            .find(|one| one.key == "store_meta");
        let meta = meta.filter(|one| !one.value.items().is_empty());
        entries.extend(meta.map(|one| make::renamed("store_meta", one)));
        Some(make::map(whole.entry.place, entries))
    }

    fn extract(&mut self, whole: &Whole<'_>, old: &Node) -> Option<Node> {
        let overwritten = old.locate("args.attr_map.reportName");
        if overwritten.node.is_some() {
            let message = "the field `reportName` always becomes the name of the file";
            self.told.often(
                whole.file,
                overwritten.key,
                message,
                "leave it out of `attr_map`",
            );
        }
        extractors::translate(whole.file, old, self.told)
    }

    fn store(&mut self, whole: &Whole<'_>) -> Option<Node> {
        let place = whole.entry.place;
        let model = whole.get("model");
        // A model may stand in the entry itself.
        let name = model.and_then(|node| node.text().or_else(|| node.get("name")?.text()));
        if name.is_none() {
            let hint = Some("name the model of its records: `model`".to_owned());
            self.told
                .error(whole.file, place, "an extractor without model", hint);
        }
        let id = whole
            .entry
            .entries()
            .iter()
            .find(|entry| entry.key == "id_field");
        if id.is_none() {
            let hint = Some("name the field or the fields that make the id".to_owned());
            self.told.error(whole.file, place, "no `id_field`", hint);
        }
        let name = make::scalar(whole.place("model"), name?);
        let entries = vec![make::entry("model", name), make::renamed("id", id?)];
        Some(make::map(place, entries))
    }

    fn announce(
        &mut self,
        whole: &Whole<'_>,
        documents: bool,
        sender: Option<&str>,
    ) -> Option<Node> {
        let key = |key| whole.text(key).filter(|key| !key.is_empty());
        if whole.get("routing_key").is_none() {
            let message = "no `routing_key`: no document is announced";
            self.told.warning(
                whole.file,
                whole.entry.place,
                message,
                "say so with an empty text",
            );
        }
        let mut entries = Vec::new();
        if let Some(documents) = key("routing_key").filter(|_| documents) {
            let place = whole.place("routing_key");
            entries.push(make::entry("documents", make::scalar(place, documents)));
            let size = self.chunks.of(documents);
            entries.push(make::entry("chunk_size", make::scalar(place, size)));
        }
        if let Some(files) = key("file_routing_key") {
            let place = whole.place("file_routing_key");
            entries.push(make::entry("files", make::scalar(place, files)));
        }
        let place = entries.first()?.place;
        if let Some(priority) = self.priority {
            entries.push(make::entry("priority", make::scalar(place, priority)));
        }
        entries.extend(
            sender.map(|sender| make::entry("collector_name", make::scalar(place, sender))),
        );
        Some(make::map(place, entries))
    }
}

/// One entry of `collectors`.
pub(super) struct Whole<'a> {
    pub(super) file: usize,
    /// Its place in `collectors`.
    pub(super) index: usize,
    pub(super) entry: &'a Node,
}

impl<'a> Whole<'a> {
    /// A setting that is there and not null.
    pub(super) fn get(&self, key: &str) -> Option<&'a Node> {
        self.entry.get(key).filter(|node| !node.is_null())
    }

    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(Node::text)
    }

    /// Where a setting stands, or the entry when it does not.
    pub(super) fn place(&self, key: &str) -> Place {
        self.entry
            .get(key)
            .map_or(self.entry.place, |node| node.place)
    }
}
