//! What the engine files became: pools and defaults, in words of ours.

use indexmap::IndexMap;
use serde_json::Value;

use super::engines::{Engines, Queue};
use super::files::OldFile;
use super::make;
use super::told::Told;
use crate::pipeline::tree::{Entry, Node};
use crate::plugin::{self, LegacyError, is_of_original, suggestion};

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

/// A pool, or the defaults of an engine, in words of ours.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) file: usize,
    /// The key is the name.
    pub(super) entry: Entry,
}

impl Engines<'_> {
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
