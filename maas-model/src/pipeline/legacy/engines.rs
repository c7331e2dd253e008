//! Engine files: defaults of engines, and queues with what runs on their messages, as pools.

use indexmap::IndexMap;
use serde_json::Value;

use super::files::OldFile;
use super::make;
use super::told::Told;
use crate::pipeline::tree::{Entry, Node};
use crate::plugin::{self, LegacyError, is_of_original, nearest, suggestion};

/// Engines that announce nothing of what they write unless they are told to.
const SILENT: [&str; 13] = [
    "COMPUTE_CAMS_REFERENCES",
    "COMPUTE_COMPLETENESS",
    "COMPUTE_COMPLETENESS_V2",
    "COMPUTE_CONTAINER_PRODUCTS",
    "COMPUTE_CONTAINER_RELATED",
    "COMPUTE_HKTM_RELATED",
    "COMPUTE_S3_COMPLETENESS",
    "COMPUTE_S5_COMPLETENESS",
    "CONSOLIDATE_ANOMALY_CORRELATION_FILE",
    "CONSOLIDATE_DDP_DATA_AVAILABLE",
    "CONSOLIDATE_INTERFACE_STATUS",
    "CONSOLIDATE_METRICS_PRODUCT",
    "CORRELATE_ACQUISITIONS",
];

/// Arguments that every engine has, and what stands beside it for them here.
const STEP_KEYS: [&str; 2] = ["send_reports", "chunk_size"];

/// How names of queues begin.
const PREFIXES: [&str; 2] = ["collect", "etl"];

/// An argument of an engine, and the file it stands in.
#[derive(Debug)]
struct Setting {
    file: usize,
    entry: Entry,
}

/// A queue as the last file that declares it has it.
#[derive(Debug)]
struct Queue<'a> {
    file: usize,
    name: &'a Node,
    /// Exchange, and the routing key taken from it.
    bindings: IndexMap<&'a str, &'a Node>,
    events: &'a [Node],
}

/// A pool, or the defaults of an engine, in words of ours.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) file: usize,
    /// The key is the name.
    pub(super) entry: Entry,
}

/// The engine side of all files.
#[derive(Debug, Default)]
pub(super) struct Engines<'a> {
    defaults: IndexMap<String, IndexMap<String, Setting>>,
    queues: IndexMap<&'a str, Queue<'a>>,
}

impl<'a> Engines<'a> {
    /// Everything but queues; before [`queues`](Self::queues) of any file, as in the original.
    pub(super) fn settings(&mut self, number: usize, files: &'a [OldFile], told: &mut Told) {
        let root = &files[number].root;
        for entry in root.get("defaults").map_or(&[][..], Node::items) {
            let ids: Vec<&str> = match entry.get("id") {
                Some(id) => id.text().map_or_else(
                    || id.items().iter().filter_map(Node::text).collect(),
                    |id| vec![id],
                ),
                None => Vec::new(),
            };
            if ids.is_empty() {
                let hint = Some("name the engine, or a list of them, as `id`".to_owned());
                told.error(number, entry.place, "defaults without `id`", hint);
            }
            for id in ids {
                self.default(number, id, entry, files, told);
            }
        }
        for level in root.get("logging").map_or(&[][..], Node::entries) {
            let message = format!("the log level of `{}` has no effect", level.key);
            let hint = "it is the level of a Python module; ours are set with `MAAS_LOG`";
            told.warning(number, level.place, message, hint);
        }
        for module in root.get("modules").map_or(&[][..], Node::items) {
            let name = module.text().unwrap_or_default();
            if !name.starts_with("maas_cds.") && !name.starts_with("maas_engine") {
                let message = format!("the Python module `{name}` is not read");
                let hint = "its engines must be linked into this program: see the custom build";
                told.warning(number, module.place, message, hint);
            }
        }
    }

    /// Key by key the last default counts.
    fn default(&mut self, file: usize, id: &str, all: &Node, files: &[OldFile], told: &mut Told) {
        let defaults = self.defaults.entry(id.to_owned()).or_default();
        for entry in all.entries().iter().filter(|entry| entry.key != "id") {
            let setting = Setting {
                file,
                entry: entry.clone(),
            };
            let value = entry.value.to_value();
            let Some(earlier) = defaults.insert(entry.key.clone(), setting) else {
                continue;
            };
            if earlier.entry.value.to_value() != value {
                let (name, line) = (&files[file].name, entry.place.line);
                let message = format!(
                    "`{}` of `{id}` has another value in {name}:{line}",
                    entry.key
                );
                let hint = "the last one counts; remove the others";
                told.warning(earlier.file, earlier.entry.place, message, hint);
            }
        }
    }

    /// The queues of one file.
    pub(super) fn queues(&mut self, number: usize, files: &'a [OldFile], told: &mut Told) {
        let exchanges = files[number].root.get("amqp").map_or(&[][..], Node::items);
        for exchange in exchanges {
            let Some(name) = exchange.get("name").and_then(Node::text) else {
                let hint = Some("give it a `name`".to_owned());
                told.error(number, exchange.place, "an exchange without name", hint);
                continue;
            };
            for queue in exchange.get("queues").map_or(&[][..], Node::items) {
                self.queue(number, name, queue, files, told);
            }
        }
    }

    fn queue(
        &mut self,
        file: usize,
        exchange: &'a str,
        node: &'a Node,
        files: &[OldFile],
        told: &mut Told,
    ) {
        let parts = (node.get("name"), node.get("routing_key"));
        let (Some(name), Some(key)) = parts else {
            let hint = Some("a queue has `name`, `routing_key` and `events`".to_owned());
            told.error(file, node.place, "a queue without name or key", hint);
            return;
        };
        for entry in node.entries() {
            let known = ["name", "routing_key", "events"];
            if !known.contains(&entry.key.as_str()) {
                let message = format!("a queue has no setting `{}`", entry.key);
                let hint = suggestion(&entry.key, known).unwrap_or_default();
                told.warning(file, entry.place, message, hint);
            }
        }
        let (text, routing_key) = (
            name.text().unwrap_or_default(),
            key.text().unwrap_or_default(),
        );
        if let Some(prefix) = text
            .strip_suffix(routing_key)
            .and_then(|rest| rest.strip_suffix('-'))
            && !PREFIXES.contains(&prefix)
            && let Some(near) = nearest(prefix, PREFIXES)
        {
            let message = format!("`{text}`: `{near}-` is meant, it seems");
            let hint = "the broker has a queue of this name: drain it before you rename it";
            told.warning(file, name.place, message, hint);
        }
        let events = node.get("events").map_or(&[][..], Node::items);
        let mut queue = Queue {
            file,
            name,
            bindings: IndexMap::new(),
            events,
        };
        if let Some(earlier) = self.queues.shift_remove(text) {
            declared_again(&earlier, &queue, exchange, files, told);
            queue.bindings = earlier.bindings;
        }
        queue.bindings.insert(exchange, key);
        self.same_key(&queue, exchange, told);
        self.queues.insert(text, queue);
    }

    /// In the original, queues of one key in one process all run what the last of them says.
    fn same_key(&self, queue: &Queue<'_>, exchange: &str, told: &mut Told) {
        let key = queue.bindings.get(exchange).and_then(|key| key.text());
        let other = self.queues.values().find(|other| {
            other.file == queue.file
                && other.bindings.get(exchange).and_then(|key| key.text()) == key
        });
        if let Some(other) = other {
            let message = format!(
                "queue `{}` takes `{}` too",
                other.name.text().unwrap_or_default(),
                key.unwrap_or_default()
            );
            let hint = "each gets every message; put the engines of both into one queue";
            told.warning(queue.file, queue.name.place, message, hint);
        }
    }

    /// One pool per file that declares queues, named after it.
    pub(super) fn pools(&self, files: &[OldFile], told: &mut Told) -> Vec<Translated> {
        let mut pools: IndexMap<usize, Vec<Node>> = IndexMap::new();
        for queue in self.queues.values() {
            let node = self.native_queue(queue, told);
            pools.entry(queue.file).or_default().push(node);
        }
        pools.sort_unstable_keys();
        let named = |number: usize| {
            let file = &files[number];
            let alone = pools
                .keys()
                .filter(|other| files[**other].stem == file.stem)
                .count()
                == 1;
            match alone {
                true => file.stem.clone(),
                false => format!("{}-{}", file.folder.replace('/', "-"), file.stem),
            }
        };
        let pools = pools.iter().map(|(number, queues)| {
            let place = queues
                .first()
                .map_or(files[*number].root.place, |queue| queue.place);
            let name = named(*number);
            let entries = vec![
                make::entry("name", make::scalar(place, name.as_str())),
                make::entry("queues", make::list(place, queues.clone())),
            ];
            Translated {
                file: *number,
                entry: make::entry(name, make::map(place, entries)),
            }
        });
        pools.collect()
    }

    fn native_queue(&self, queue: &Queue<'_>, told: &mut Told) -> Node {
        let place = queue.name.place;
        let bindings = queue.bindings.iter().map(|(exchange, key)| {
            let keys = make::list(key.place, vec![make::escaped(key)]);
            make::entry(*exchange, keys)
        });
        let steps = queue.events.iter();
        let steps = steps.filter_map(|event| self.step(queue.file, event, told));
        let entries = vec![
            make::entry("name", make::escaped(queue.name)),
            make::entry("from", make::map(place, bindings.collect())),
            // What the broker has of the original.
            make::entry("kind", make::scalar(place, "classic")),
            make::entry("engines", make::list(place, steps.collect())),
        ];
        make::map(place, entries)
    }

    fn step(&self, file: usize, event: &Node, told: &mut Told) -> Option<Node> {
        let Some(id) = event.text().or_else(|| event.get("id")?.text()) else {
            let hint = Some("write `\"ENGINE_ID\"` or `{\"id\": \"ENGINE_ID\", ...}`".to_owned());
            told.error(file, event.place, "an event that names no engine", hint);
            return None;
        };
        if plugin::find("engine", id).is_none() && !is_of_original("engine", id) {
            let known = plugin::plugins(Some("engine")).map(|info| info.name);
            let hint = suggestion(id, known);
            told.error(file, event.place, format!("unknown engine `{id}`"), hint);
            return None;
        }
        let own = event.entries().iter();
        let own = own.filter(|entry| entry.key != "id" && !STEP_KEYS.contains(&entry.key.as_str()));
        let settings = make::map(event.place, own.cloned().collect());
        let settings = native_settings(file, id, &settings, told)?;
        let beside = self.beside(id, event);
        if settings.entries().is_empty() && beside.is_empty() {
            return Some(make::scalar(event.place, id));
        }
        let mut entries = vec![Entry {
            key: id.to_owned(),
            place: event.place,
            value: settings,
        }];
        entries.extend(beside);
        Some(make::map(event.place, entries))
    }

    /// `report` and `chunk_size`, where they are not what they are anyway.
    fn beside(&self, id: &str, event: &Node) -> Vec<Entry> {
        let effective = |key: &str| {
            let default = || Some(&self.defaults.get(id)?.get(key)?.entry.value);
            event.get(key).or_else(default).map(Node::to_value)
        };
        let mut entries = Vec::new();
        let report = effective("send_reports").unwrap_or_else(|| (!SILENT.contains(&id)).into());
        if report != Value::Bool(true) {
            entries.push(make::entry("report", make::value(event.place, report)));
        }
        let size = effective("chunk_size").unwrap_or_default();
        if !size.is_null() && size != 0 {
            entries.push(make::entry("chunk_size", make::value(event.place, size)));
        }
        entries
    }

    /// The defaults of the engines that some queue runs.
    pub(super) fn engine_defaults(&self, told: &mut Told) -> Vec<Translated> {
        let runs = |id: &str| {
            let events = self.queues.values().flat_map(|queue| queue.events);
            events
                .filter_map(|event| event.text().or_else(|| event.get("id")?.text()))
                .any(|run| run == id)
        };
        let mut translated = Vec::new();
        for (id, settings) in &self.defaults {
            let Some(last) = settings.values().max_by_key(|setting| setting.file) else {
                continue;
            };
            let (file, place) = (last.file, last.entry.place);
            if !runs(id) {
                let message = format!("defaults of `{id}`, which no queue runs");
                told.warning(file, place, message, "they are left out");
                continue;
            }
            let entries = settings
                .values()
                .filter(|setting| !STEP_KEYS.contains(&setting.entry.key.as_str()));
            let entries = entries.map(|setting| match setting.file == file {
                true => setting.entry.clone(),
                false => Entry {
                    key: setting.entry.key.clone(),
                    place,
                    value: make::moved(&setting.entry.value, place),
                },
            });
            let entries: Vec<Entry> = entries.collect();
            if entries.is_empty() {
                continue;
            }
            let settings = make::map(place, entries);
            if let Some(settings) = native_settings(file, id, &settings, told) {
                translated.push(Translated {
                    file,
                    entry: make::entry(id.as_str(), settings),
                });
            }
        }
        translated
    }
}

/// Says that a queue stands in two files, or twice in one.
fn declared_again(
    earlier: &Queue<'_>,
    queue: &Queue<'_>,
    exchange: &str,
    files: &[OldFile],
    told: &mut Told,
) {
    let values = |events: &[Node]| events.iter().map(Node::to_value).collect::<Vec<_>>();
    let name = queue.name.text().unwrap_or_default();
    let later = &files[queue.file].name;
    let hint = "the last one counts; remove the others";
    if !earlier.bindings.contains_key(exchange) {
        let message = format!("queue `{name}` takes from another exchange in {later}");
        let hint = "one queue takes from both exchanges, and runs what the last file says";
        told.warning(earlier.file, earlier.name.place, message, hint);
    } else if values(earlier.events) != values(queue.events) {
        let message = format!("queue `{name}` runs other engines or settings in {later}");
        told.warning(earlier.file, earlier.name.place, message, hint);
    } else {
        let message = format!("the same queue stands in {later}");
        told.often(earlier.file, earlier.name.place, &message, hint);
    }
}

/// Settings of an engine in words of ours.
fn native_settings(file: usize, id: &str, old: &Node, told: &mut Told) -> Option<Node> {
    match plugin::translate_legacy("engine", id, &old.to_value()) {
        Ok(found) => Some(make::escaped(&make::value(old.place, found.settings))),
        Err(LegacyError::UnknownClass { .. }) => Some(make::escaped(old)),
        Err(LegacyError::Settings(errors)) => {
            for error in errors {
                let place = old.locate(&error.path).value;
                told.error(file, place, error.message, error.hint);
            }
            None
        }
    }
}
