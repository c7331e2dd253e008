//! Entries of `collectors`, as interfaces.

use std::collections::HashMap;

use serde_json::Value;

use super::classes::{COMMON, Collector, DEAD};
use super::credentials::Credentials;
use super::extractors;
use super::files::OldFile;
use super::make;
use super::told::Told;
use crate::pipeline::tree::{Entry, Node, Place};
use crate::plugin::{self, LegacyError, suggestion};

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
    files: &'a [OldFile],
    credentials: &'a mut Credentials,
    chunks: &'a mut Chunks,
    /// Of the messages, where the environment of the original sets it.
    priority: Option<u8>,
    told: &'a mut Told,
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
        for entry in collectors.items() {
            let whole = Whole { file, entry };
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
        let (file, entry) = (whole.file, whole.entry);
        let place = whole.place("interface_name");
        let name = match whole.text("interface_name") {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => {
                let hint = "named after its file; give it an `interface_name`";
                self.told
                    .warning(file, entry.place, "an interface without name", hint);
                self.files[file].stem.clone()
            }
        };
        let value = entry.to_value();
        let Some(first) = self.names.get(&name) else {
            let first = First {
                file,
                place,
                entry: value,
            };
            self.names.insert(name.clone(), first);
            return Some(make::scalar(place, name));
        };
        let known = &self.files[first.file].name;
        let message = format!("`{name}` stands in {known}:{} too", first.place.line);
        if first.entry == value {
            self.told.warning(
                file,
                place,
                message,
                "one of the two is enough: this one is not read",
            );
            return None;
        }
        let part = match whole.text("model") {
            Some(model) => format!("{name}-{model}"),
            None => format!("{name}-part"),
        };
        let numbered = (2..).map(|number| format!("{part}-{number}"));
        let mut free = std::iter::once(part.clone()).chain(numbered);
        let other = free
            .find(|other| !self.names.contains_key(other))
            .unwrap_or(part);
        let hint = format!(
            "the journal and the dead letters go by the name; this one is called `{other}`"
        );
        self.told.warning(file, place, message, hint);
        let first = First {
            file,
            place,
            entry: value,
        };
        self.names.insert(other.clone(), first);
        Some(make::scalar(place, other))
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

    fn collector(&mut self, whole: &Whole<'_>) -> Option<&'static Collector> {
        let class = self.class(whole)?;
        let collector = Collector::of(&class);
        match collector {
            Some(collector) => self.keys(whole, collector),
            None => {
                let hint = suggestion(&class, Collector::classes());
                let message = format!("unknown collector class `{class}`");
                self.told
                    .error(whole.file, whole.place("class"), message, hint);
            }
        }
        collector
    }

    fn collect(&mut self, whole: &Whole<'_>, collector: &Collector) -> Option<Node> {
        let file = whole.file;
        let place = whole.place("class");
        let settings = self.settings(whole);
        let old = make::map(whole.entry.place, settings);
        let (name, settings) =
            match plugin::translate_legacy("collector", collector.class, &old.to_value()) {
                Ok(found) => {
                    for warning in found.warnings {
                        let place = whole.entry.locate(&warning.path).key;
                        let hint = warning.hint.unwrap_or_default();
                        self.told.warning(file, place, warning.message, hint);
                    }
                    let settings = placed(found.settings, &old, place);
                    (found.plugin, settings)
                }
                // It keeps its settings until there is a plugin that knows them.
                Err(LegacyError::UnknownClass { .. }) => (collector.plugin, old),
                Err(LegacyError::Settings(errors)) => {
                    for error in errors {
                        let place = whole.entry.locate(&error.path).value;
                        self.told.error(file, place, error.message, error.hint);
                    }
                    return None;
                }
            };
        Some(make::single(place, name, settings))
    }

    /// The class of an entry. One without describes files that another interface finds, or stands in a
    /// folder of which all entries go to one collector.
    fn class(&mut self, whole: &Whole<'_>) -> Option<String> {
        if let Some(class) = whole.text("class").filter(|class| !class.is_empty()) {
            return Some(class.to_owned());
        }
        let class = self.neighbour(whole);
        let name = whole.text("interface_name").unwrap_or_default();
        match &class {
            Some(class) if whole.get("class").is_none() => {
                let message = "an interface without `class`: the class of its neighbours is taken";
                let hint = format!("`{name}` is collected as `{class}`");
                self.told
                    .often(whole.file, whole.entry.place, message, &hint);
            }
            Some(_) => {}
            None => {
                let hint = Some("name the class of its collector: `class`".to_owned());
                let message = format!("`{name}` has no `class`, and neither has a neighbour");
                self.told
                    .error(whole.file, whole.entry.place, message, hint);
            }
        }
        class
    }

    /// The class of the entries around: in its file, else in its folder.
    fn neighbour(&self, whole: &Whole<'_>) -> Option<String> {
        let folder = &self.files[whole.file].folder;
        let beside = self.files.iter().filter(|file| file.folder == *folder);
        std::iter::once(&self.files[whole.file])
            .chain(beside)
            .flat_map(|file| {
                file.root
                    .get("collectors")
                    .into_iter()
                    .flat_map(Node::items)
            })
            .find_map(|entry| {
                let class = entry.get("class").and_then(Node::text)?;
                (!class.is_empty()).then(|| class.to_owned())
            })
    }

    fn keys(&mut self, whole: &Whole<'_>, collector: &Collector) {
        for entry in whole.entry.entries() {
            let key = entry.key.as_str();
            if DEAD.contains(&key) {
                let message = format!("`{key}` has no effect");
                let hint = "nothing ever obeyed it; it is left out";
                self.told.often(whole.file, entry.place, &message, hint);
            } else if !collector.keys().any(|known| known == key) {
                let message = format!("`{}` has no setting `{key}`", collector.class);
                let hint = suggestion(key, collector.keys()).unwrap_or_default();
                self.told.warning(whole.file, entry.place, message, hint);
            }
        }
        let pattern = whole.text("file_pattern");
        if whole.get("extractor").is_some() && pattern.is_none() {
            let message = "without `file_pattern` no file is taken";
            self.told.warning(
                whole.file,
                whole.entry.place,
                message,
                "say which files: `*.json`",
            );
        }
    }

    /// What belongs to the collector: its own settings, over those of the credentials file.
    fn settings(&mut self, whole: &Whole<'_>) -> Vec<Entry> {
        let place = whole.place("interface_name");
        let mut settings: Vec<Entry> = Vec::new();
        let own = whole.entry.entries().iter().filter(|entry| {
            let key = entry.key.as_str();
            key == "file_pattern" || !COMMON.contains(&key) && !DEAD.contains(&key)
        });
        for entry in own {
            settings.push(Entry {
                value: make::escaped(&entry.value),
                ..entry.clone()
            });
        }
        for key in ["interface_credentials", "interface_name"] {
            let Some(name) = whole.text(key) else {
                continue;
            };
            for entry in self.credentials.of(name) {
                settings.retain(|known| known.key != entry.key);
                settings.push(Entry {
                    key: entry.key.clone(),
                    place,
                    value: make::moved(&entry.value, place),
                });
            }
        }
        settings
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
struct Whole<'a> {
    file: usize,
    entry: &'a Node,
}

impl<'a> Whole<'a> {
    /// A setting that is there and not null.
    fn get(&self, key: &str) -> Option<&'a Node> {
        self.entry.get(key).filter(|node| !node.is_null())
    }

    fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(Node::text)
    }

    /// Where a setting stands, or the entry when it does not.
    fn place(&self, key: &str) -> Place {
        self.entry
            .get(key)
            .map_or(self.entry.place, |node| node.place)
    }
}

/// New settings, each where the old one of the same name stands.
fn placed(settings: Value, old: &Node, place: Place) -> Node {
    let mut node = make::value(place, settings);
    if let crate::pipeline::tree::Kind::Map(entries) = &mut node.kind {
        for entry in entries {
            let known = old
                .entries()
                .iter()
                .find(|known| known.key.ends_with(entry.key.as_str()));
            if let Some(known) = known {
                entry.place = known.place;
                entry.value = make::moved(&entry.value, known.value.place);
            }
        }
    }
    node
}

/// How many documents are named in one message, by routing key: the `amqp` objects of all files.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    by_key: HashMap<String, Chunk>,
}

#[derive(Debug)]
struct Chunk {
    size: u64,
    file: usize,
    place: Place,
    used: bool,
}

impl Chunks {
    /// Later files count. Entries without a size say nothing.
    pub(super) fn read(&mut self, number: usize, file: &OldFile, told: &mut Told) {
        let Some(amqp) = file.root.get("amqp") else {
            return;
        };
        for entry in amqp.entries() {
            let Some(size) = entry.value.get("chunk_size") else {
                continue;
            };
            let Some(size) = size.to_value().as_u64().filter(|size| *size > 0) else {
                let hint = Some("a whole number above 0".to_owned());
                told.error(
                    number,
                    size.place,
                    "`chunk_size` is no number of documents",
                    hint,
                );
                continue;
            };
            let chunk = Chunk {
                size,
                file: number,
                place: entry.place,
                used: false,
            };
            let earlier = self.by_key.insert(entry.key.clone(), chunk);
            if let Some(earlier) = earlier.filter(|earlier| earlier.size != size) {
                let message = format!(
                    "`chunk_size` of `{}` is {} here and {size} later",
                    entry.key, earlier.size
                );
                told.warning(
                    earlier.file,
                    earlier.place,
                    message,
                    "the last one counts; remove the others",
                );
            }
        }
    }

    /// Documents of a key that no file speaks of are announced one by one.
    fn of(&mut self, key: &str) -> u64 {
        self.by_key.get_mut(key).map_or(1, |chunk| {
            chunk.used = true;
            chunk.size
        })
    }

    /// Tells which ones no interface uses.
    pub(super) fn unused(&self, told: &mut Told) {
        let keys = || self.by_key.iter().filter(|(_, chunk)| chunk.used);
        for (key, chunk) in self.by_key.iter().filter(|(_, chunk)| !chunk.used) {
            let message = format!("no interface announces documents under `{key}`");
            let hint = match plugin::nearest(key, keys().map(|(key, _)| key.as_str())) {
                _ if key.starts_with("file.") => {
                    "a message names one file, whatever is said here: remove it".to_owned()
                }
                Some(near) => format!("did you mean `{near}`?"),
                None => "remove it".to_owned(),
            };
            told.warning(chunk.file, chunk.place, message, hint);
        }
    }
}
