//! Engine files: defaults of engines, and queues with what runs on their messages.

use indexmap::IndexMap;

use super::files::OldFile;
use super::told::Told;
use crate::pipeline::tree::{Entry, Node};
use crate::plugin::{nearest, suggestion};

/// How names of queues begin.
const PREFIXES: [&str; 2] = ["collect", "etl"];

/// An argument of an engine, and the file it stands in.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) file: usize,
    pub(super) entry: Entry,
}

/// A queue as the last file that declares it has it.
#[derive(Debug)]
pub(super) struct Queue<'a> {
    pub(super) file: usize,
    pub(super) name: &'a Node,
    /// Exchange, and the routing key taken from it.
    pub(super) bindings: IndexMap<&'a str, &'a Node>,
    pub(super) events: &'a [Node],
}

/// The engine side of all files.
#[derive(Debug, Default)]
pub(super) struct Engines<'a> {
    pub(super) defaults: IndexMap<String, IndexMap<String, Setting>>,
    pub(super) queues: IndexMap<&'a str, Queue<'a>>,
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
