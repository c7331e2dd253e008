//! Reads the sections of all files, each entry strictly and on its own, so that one mistake does not
//! hide those of its neighbours.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::report::{At, Pin, Reports, SourceFile};
use super::text::{InterfaceText, OutsideText, PoolText, SECTIONS};
use super::tree::{Kind, Node};
use crate::model::ModelSpec;
use crate::plugin::{Fault, Segment, Shape, ShapeError, lookup_mut, read_as, shape_of, suggestion};

/// Something read, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Entry<T> {
    pub(super) at: At,
    pub(super) text: T,
    /// `false`: something wrong in it was left out.
    pub(super) whole: bool,
}

/// The sections of all files, in order.
#[derive(Debug, Default)]
pub(super) struct Sections {
    pub(super) interfaces: Vec<Entry<InterfaceText>>,
    /// With their names.
    pub(super) models: Vec<(String, Entry<ModelSpec>)>,
    /// With the names of the engines.
    pub(super) engine_defaults: Vec<(String, Entry<Map<String, Value>>)>,
    pub(super) pools: Vec<Entry<PoolText>>,
    pub(super) outside: Vec<Entry<OutsideText>>,
    /// Something could not be read: what depends on the whole cannot be judged.
    pub(super) incomplete: bool,
    /// Names of models that are there and could not be read.
    pub(super) broken_models: Vec<String>,
}

impl Sections {
    pub(super) fn read(files: &[SourceFile], reports: &mut Reports) -> Self {
        let mut sections = Self::default();
        for (file, source) in files.iter().enumerate() {
            match &source.root {
                Some(root) => sections.read_file(
                    root,
                    At {
                        file,
                        path: String::new(),
                    },
                    reports,
                ),
                None => sections.incomplete = true,
            }
        }
        sections
    }

    fn read_file(&mut self, root: &Node, top: At, reports: &mut Reports) {
        let entries = match &root.kind {
            Kind::Map(entries) => entries.as_slice(),
            // An empty file adds nothing.
            Kind::Scalar(Value::Null) => return,
            _ => {
                let hint = format!(
                    "the top-level keys are {}",
                    SECTIONS.map(|key| format!("`{key}`")).join(", ")
                );
                reports.error(&top, Pin::Value, "expected a map", Some(hint));
                self.incomplete = true;
                return;
            }
        };
        for entry in entries {
            let at = top.below(&entry.key);
            let node = &entry.value;
            match entry.key.as_str() {
                // YAML that is only a place for anchors.
                key if key.starts_with("x-") => {}
                _ if node.is_null() => {}
                "interfaces" => {
                    let read = self.list(node, &at, reports);
                    self.interfaces.extend(read);
                }
                "pools" => {
                    let read = self.list(node, &at, reports);
                    self.pools.extend(read);
                }
                "models" => self.models(node, &at, reports),
                "engine_defaults" => {
                    let read = self.map(node, &at, reports);
                    self.engine_defaults.extend(read);
                }
                "outside" => {
                    let read = self.entry(node, at, reports);
                    self.outside.extend(read);
                }
                key => {
                    let hint = suggestion(key, SECTIONS);
                    reports.error(&at, Pin::Key, format!("unknown key `{key}`"), hint);
                    self.incomplete = true;
                }
            }
        }
    }

    fn models(&mut self, node: &Node, at: &At, reports: &mut Reports) {
        let read: Vec<(String, Entry<ModelSpec>)> = self.map(node, at, reports);
        if let Kind::Map(entries) = &node.kind {
            for entry in entries {
                if !read
                    .iter()
                    .any(|(name, read)| *name == entry.key && read.whole)
                {
                    self.broken_models.push(entry.key.clone());
                }
            }
        }
        self.models
            .extend(read.into_iter().filter(|(_, entry)| entry.whole));
    }

    fn list<T: DeserializeOwned + JsonSchema + 'static>(
        &mut self,
        node: &Node,
        at: &At,
        reports: &mut Reports,
    ) -> Vec<Entry<T>> {
        let Kind::List(items) = &node.kind else {
            reports.error(
                at,
                Pin::Value,
                "expected a list",
                Some("each entry starts with `- `".into()),
            );
            self.incomplete = true;
            return Vec::new();
        };
        items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| self.entry(item, at.item(index), reports))
            .collect()
    }

    fn map<T: DeserializeOwned + JsonSchema + 'static>(
        &mut self,
        node: &Node,
        at: &At,
        reports: &mut Reports,
    ) -> Vec<(String, Entry<T>)> {
        let Kind::Map(entries) = &node.kind else {
            reports.error(at, Pin::Value, "expected a map of names", None);
            self.incomplete = true;
            return Vec::new();
        };
        // Of keys that stand twice the first one counts; the others were told.
        let mut seen = HashSet::new();
        entries
            .iter()
            .filter(|entry| seen.insert(&entry.key))
            .filter_map(|entry| {
                let read = self.entry(&entry.value, at.below(&entry.key), reports)?;
                Some((entry.key.clone(), read))
            })
            .collect()
    }

    /// One entry. What is wrong in it is told; then it is read without that, as far as possible, so that
    /// the names in the rest of it can be checked too.
    fn entry<T: DeserializeOwned + JsonSchema + 'static>(
        &mut self,
        node: &Node,
        at: At,
        reports: &mut Reports,
    ) -> Option<Entry<T>> {
        let shape = shape_of::<T>();
        let mut value = node.to_value();
        fit_variables(node, &mut value, &shape);
        let faults = shape.errors(&value);
        let errors = match read_as::<T>(&value) {
            Ok(text) => {
                return Some(Entry {
                    at,
                    text,
                    whole: true,
                });
            }
            Err(errors) => errors,
        };
        self.incomplete = true;
        for error in errors {
            let fault = faults
                .iter()
                .find(|fault| crate::plugin::path_text(&fault.path) == error.path);
            let pin = if fault.is_some_and(|fault| fault.fault == Fault::Unknown) {
                Pin::Key
            } else {
                Pin::Value
            };
            reports.error(&at.below(&error.path), pin, error.message, error.hint);
        }
        for fault in faults.iter().filter(|fault| fault.fault != Fault::Missing) {
            remove(&mut value, fault);
        }
        read_as(&value).ok().map(|text| Entry {
            at,
            text,
            whole: false,
        })
    }
}

/// Turns texts that came from variables into numbers and booleans where those are wanted.
pub(super) fn fit_variables(node: &Node, value: &mut Value, shape: &Shape) {
    for error in shape
        .errors(value)
        .iter()
        .filter(|error| error.fault == Fault::Type)
    {
        let Some(Kind::Filled { text, .. }) = node.at(&error.path).map(|node| &node.kind) else {
            continue;
        };
        let fitted = match serde_json::from_str::<Value>(text.trim()) {
            Ok(fitted) if fitted.is_number() || fitted.is_boolean() => fitted,
            _ => continue,
        };
        if let Some(place) = lookup_mut(value, &error.path) {
            *place = fitted;
        }
    }
}

fn remove(value: &mut Value, fault: &ShapeError) {
    let last_key = fault
        .path
        .iter()
        .rposition(|segment| matches!(segment, Segment::Key(_)));
    let Some((Segment::Key(key), parent)) =
        last_key.map(|last| (&fault.path[last], &fault.path[..last]))
    else {
        return;
    };
    if let Some(Value::Object(fields)) = lookup_mut(value, parent) {
        fields.shift_remove(key);
    }
}
