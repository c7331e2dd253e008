//! What an entry of `collectors` says of its collector.

use serde_json::Value;

use super::classes::{COMMON, Collector, DEAD};
use super::credentials::{At, without_secrets};
use super::interfaces::{Interfaces, Whole};
use super::make;
use crate::pipeline::tree::{Entry, Kind, Node, Place};
use crate::plugin::{self, LegacyError, suggestion};

impl Interfaces<'_> {
    /// The collector of an entry. What is odd about its settings is told.
    pub(super) fn collector(&mut self, whole: &Whole<'_>) -> Option<&'static Collector> {
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

    /// The collector as one plugin with its settings.
    pub(super) fn collect(&mut self, whole: &Whole<'_>, collector: &Collector) -> Option<Node> {
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
        let at = At {
            file: &self.files[whole.file].name,
            pointer: format!("/collectors/{}", whole.index),
        };
        let mut settings: Vec<Entry> = Vec::new();
        let own = whole.entry.entries().iter().filter(|entry| {
            let key = entry.key.as_str();
            key == "file_pattern" || !COMMON.contains(&key) && !DEAD.contains(&key)
        });
        for entry in own {
            settings.push(Entry {
                value: without_secrets(&entry.key, &entry.value, &at, self.told),
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
}

/// New settings, each where the old one of the same name stands.
fn placed(settings: Value, old: &Node, place: Place) -> Node {
    let mut node = make::value(place, settings);
    if let Kind::Map(entries) = &mut node.kind {
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
