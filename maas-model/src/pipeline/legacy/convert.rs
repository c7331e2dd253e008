//! The native files that an old configuration becomes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::yaml::{self, Section};
use super::{Draft, Old, make};
use crate::pipeline::problem::Problem;
use crate::pipeline::report::Reports;
use crate::pipeline::tree::{Entry, Node, Place};
use crate::pipeline::variables::Environment;
use crate::pipeline::{Outside, Pipeline};
use crate::safe_file_name;

/// A pipeline folder made of an old configuration.
#[derive(Debug, Clone, Default)]
pub struct Converted {
    /// Names and texts of its files.
    pub files: BTreeMap<String, String>,
    /// What is wrong with the old configuration, or odd. Where there is an error, something could not be
    /// translated and is left out.
    pub problems: Vec<Problem>,
    /// Environment variables that hold the secrets of the credentials file from now on.
    pub secrets: BTreeSet<String>,
}

impl Pipeline {
    /// Translates the configuration of the Python system into native files. Loaded, they are the same pipeline as
    /// [`Pipeline::load_legacy`] gives, but for secrets, which are expected in the environment.
    pub fn convert_legacy(paths: &[PathBuf], env: Environment<'_>) -> Converted {
        let mut reports = Reports::default();
        let old = Old::read(paths, env, &mut reports);
        let mut folder = Folder::default();
        for (file, draft) in old.files.iter().zip(&old.drafts) {
            folder.add(&file.below(), &group(&file.folder, &file.stem), draft);
        }
        let (pipeline, problems) = old.build(env, reports);
        folder.outside(&pipeline.outside);
        Converted {
            files: folder.write(),
            problems,
            secrets: folder.secrets,
        }
    }
}

/// What the files of a folder are called together: `odata-prip`.
fn group(folder: &str, stem: &str) -> String {
    let mut parts = folder
        .split('/')
        .skip_while(|part| *part == "collector")
        .peekable();
    match parts.peek() {
        Some(part) if !part.is_empty() => parts.collect::<Vec<_>>().join("-"),
        _ => stem.to_owned(),
    }
}

/// The files, by name.
#[derive(Default)]
struct Folder {
    files: BTreeMap<String, File>,
    secrets: BTreeSet<String>,
}

#[derive(Default)]
struct File {
    /// The old files that it comes from.
    from: Vec<String>,
    lists: BTreeMap<&'static str, Vec<(Option<String>, Node)>>,
    maps: BTreeMap<&'static str, Vec<(Option<String>, Entry)>>,
}

impl Folder {
    fn file(&mut self, name: String, from: &str) -> &mut File {
        // Groups and pools are called as somebody likes.
        let file = self.files.entry(safe_file_name(&name)).or_default();
        if !from.is_empty() && !file.from.iter().any(|known| known == from) {
            file.from.push(from.to_owned());
        }
        file
    }

    fn add(&mut self, from: &str, group: &str, draft: &Draft) {
        for node in &draft.interfaces {
            let node = self.with_secrets_outside(node);
            let comment = draft.comments.get(&node.place).cloned();
            let file = self.file(format!("collect-{group}.yaml"), from);
            file.lists
                .entry("interfaces")
                .or_default()
                .push((comment, node));
        }
        for entry in &draft.models {
            let index = entry
                .value
                .get("index")
                .and_then(Node::text)
                .unwrap_or_default();
            let name = match index.starts_with("raw-data-") {
                true => "model-collected.yaml",
                false => "model-computed.yaml",
            };
            let comment = draft.comments.get(&entry.value.place).cloned();
            let file = self.file(name.to_owned(), from);
            file.maps
                .entry("models")
                .or_default()
                .push((comment, entry.clone()));
        }
        for entry in &draft.engine_defaults {
            let file = self.file("engine-defaults.yaml".to_owned(), from);
            file.maps
                .entry("engine_defaults")
                .or_default()
                .push((None, entry.clone()));
        }
        for node in &draft.pools {
            let name = node.get("name").and_then(Node::text).unwrap_or_default();
            let file = self.file(format!("pool-{name}.yaml"), from);
            file.lists
                .entry("pools")
                .or_default()
                .push((None, node.clone()));
        }
    }

    /// What the wiring of the whole says of its border.
    fn outside(&mut self, outside: &Outside) {
        let place = Place::default();
        let keys = [("consumed", &outside.consumed), ("fed", &outside.fed)];
        for (key, patterns) in keys
            .into_iter()
            .filter(|(_, patterns)| !patterns.is_empty())
        {
            let patterns = patterns
                .iter()
                .map(|pattern| make::scalar(place, pattern.as_str()));
            let entry = make::entry(key, make::list(place, patterns.collect()));
            let file = self.file("outside.yaml".to_owned(), "");
            file.maps.entry("outside").or_default().push((None, entry));
        }
    }

    /// The interface, with the secrets of the credentials file in variables named after it and them.
    fn with_secrets_outside(&mut self, interface: &Node) -> Node {
        let name = interface
            .get("name")
            .and_then(Node::text)
            .unwrap_or_default();
        let entries = interface.entries().iter().map(|entry| {
            let plugin = entry.value.entries().first();
            let Some(plugin) = plugin.filter(|_| entry.key == "collect") else {
                return entry.clone();
            };
            let settings = Entry {
                value: self.secrets_outside(name, &plugin.value),
                ..plugin.clone()
            };
            Entry {
                value: make::map(entry.value.place, vec![settings]),
                ..entry.clone()
            }
        });
        make::map(interface.place, entries.collect())
    }

    /// `name`: of the variable, if this is a secret.
    fn secrets_outside(&mut self, name: &str, node: &Node) -> Node {
        let keys: Vec<&str> = node
            .entries()
            .iter()
            .map(|entry| entry.key.as_str())
            .collect();
        if keys == ["file", "pointer"] {
            let plain = |letter: char| match letter.is_ascii_alphanumeric() {
                true => letter.to_ascii_uppercase(),
                false => '_',
            };
            let variable: String = name.chars().map(plain).collect();
            self.secrets.insert(variable.clone());
            return make::single(node.place, "env", make::scalar(node.place, variable));
        }
        if keys.is_empty() {
            return node.clone();
        }
        let entries = node.entries().iter().map(|entry| Entry {
            value: self.secrets_outside(&format!("{name}_{}", entry.key), &entry.value),
            ..entry.clone()
        });
        make::map(node.place, entries.collect())
    }

    fn write(&self) -> BTreeMap<String, String> {
        let files = self
            .files
            .iter()
            .map(|(name, file)| (name.clone(), file.write()));
        files.collect()
    }
}

impl File {
    fn write(&self) -> String {
        let head = match self.from.as_slice() {
            [] => "What crosses the border of this pipeline.".to_owned(),
            [one] => format!("Converted from {one}"),
            [first, .., last] => {
                format!(
                    "Converted from {} files, {first} to {last}",
                    self.from.len()
                )
            }
        };
        let lists = self.lists.iter();
        let lists = lists.map(|(key, items)| Section::List(key, items.clone()));
        let maps = self.maps.iter();
        let maps = maps.map(|(key, entries)| Section::Map(key, entries.clone()));
        yaml::write(&head, &lists.chain(maps).collect::<Vec<_>>())
    }
}
