//! Looks plugins up and has them check their settings.

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::PluginUse;
use super::report::{At, Pin, Reports, SourceFile};
use super::sections::fit_variables;
use super::tree::{Kind, Node};
use super::variables::sole_variable;
use crate::model::Models;
use crate::plugin::{self, Fault, PluginInfo, Segment, Shape, ShapeError, lookup_mut, path_text};
use crate::secret::{COVER, cover, cover_url_secrets, sounds_secret};

/// Settings and where they stand.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) at: At,
    pub(super) value: Value,
}

/// What stands behind the name of a plugin.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found {
    /// This one.
    Linked(&'static PluginInfo),
    /// One that the Python system has and this program has not: nothing about its settings is known.
    Missing,
}

/// Checks the use of plugins in the files.
pub(super) struct Plugins<'a> {
    files: &'a [SourceFile],
    base: PathBuf,
    shapes: HashMap<(&'static str, &'static str), Shape>,
    /// `None` when some are broken: what names those would be refused for nothing.
    models: Option<&'a Models>,
}

impl<'a> Plugins<'a> {
    pub(super) fn new(files: &'a [SourceFile], base: PathBuf, models: Option<&'a Models>) -> Self {
        Self {
            files,
            base,
            shapes: HashMap::new(),
            models,
        }
    }

    /// The plugin called `name`. An unknown one is told at `at`.
    pub(super) fn find(
        &self,
        kind: &str,
        name: &str,
        at: &At,
        reports: &mut Reports,
    ) -> Option<Found> {
        if let Some(info) = plugin::find(kind, name) {
            return Some(Found::Linked(info));
        }
        if plugin::is_of_original(kind, name) {
            return Some(Found::Missing);
        }
        let hint = plugin::unknown_name(kind, name);
        reports.error(at, Pin::Key, format!("unknown {kind} `{name}`"), hint);
        None
    }

    /// A missing plugin with its settings over its defaults, as they stand there.
    pub(super) fn unchecked(
        &self,
        name: &str,
        own: &Settings,
        defaults: Option<&Settings>,
        reports: &mut Reports,
    ) -> PluginUse {
        let mut own_value = match &own.value {
            Value::Null => Value::Object(Map::new()),
            value => value.clone(),
        };
        if let Some(node) = self.node(&own.at) {
            let secrets = named_secrets(&own_value);
            refer_to_secrets(node, &mut own_value, secrets, reports);
        }
        cover_addresses(&own_value);
        PluginUse {
            name: name.to_owned(),
            settings: over_defaults(&own_value, defaults),
            place: self.place(&own.at),
            base: self.base.clone(),
        }
    }

    /// Settings as they stand at `at`: variables have the type that is wanted, secrets are references.
    pub(super) fn settings(
        &mut self,
        info: &'static PluginInfo,
        at: At,
        value: &Value,
        reports: &mut Reports,
    ) -> Settings {
        let mut value = match value {
            Value::Null => Value::Object(Map::new()),
            value => value.clone(),
        };
        cover_addresses(&value);
        let node = self.node(&at);
        let shape = self.shape(info);
        if let Some(node) = node {
            fit_variables(node, &mut value, shape);
            if shape.has_secrets() {
                // Under a name that was spelt wrong a secret may stand.
                let faults = shape.errors(&value).into_iter();
                let unknown = faults.filter(|fault| fault.fault == Fault::Unknown);
                for node in unknown.filter_map(|fault| node.at(&fault.path)) {
                    mask(node, reports);
                }
            }
            let secrets = shape.secrets(&value);
            refer_to_secrets(node, &mut value, secrets, reports);
        }
        Settings { at, value }
    }

    /// A plugin with its settings over its defaults, checked. `None` when something is wrong.
    pub(super) fn check(
        &mut self,
        info: &'static PluginInfo,
        own: &Settings,
        defaults: Option<&Settings>,
        reports: &mut Reports,
    ) -> Option<PluginUse> {
        let value = over_defaults(&own.value, defaults);
        let mut errors = (info.check)(&value);
        if let Some(models) = self.models.filter(|_| errors.is_empty()) {
            errors = (info.check_in)(&value, models);
        }
        let faults = self.shape(info).errors(&value);
        for error in &errors {
            let inherited = defaults.filter(|_| !has(&own.value, &error.path));
            let at = match inherited {
                Some(defaults) if has(&defaults.value, &error.path) => &defaults.at,
                _ => &own.at,
            };
            let pin = pin(&faults, &error.path);
            reports.error(
                &at.below(&error.path),
                pin,
                &error.message,
                error.hint.clone(),
            );
        }
        errors.is_empty().then(|| PluginUse {
            name: info.name.to_owned(),
            settings: value,
            place: self.place(&own.at),
            base: self.base.clone(),
        })
    }

    /// What can be said of defaults alone: unknown keys and wrong values, but nothing is missing.
    pub(super) fn check_defaults(
        &mut self,
        info: &'static PluginInfo,
        defaults: &Settings,
        reports: &mut Reports,
    ) {
        for error in self.shape(info).errors(&defaults.value) {
            if error.fault == Fault::Missing && error.path.is_empty() {
                continue;
            }
            let pin = if error.fault == Fault::Unknown {
                Pin::Key
            } else {
                Pin::Value
            };
            let at = defaults.at.below(&path_text(&error.path));
            reports.error(&at, pin, error.message, error.hint);
        }
    }

    /// `collect.yaml:12:5`.
    fn place(&self, at: &At) -> String {
        let Some(file) = self.files.get(at.file) else {
            return String::new();
        };
        match &file.root {
            Some(root) => {
                let place = root.locate(&at.path).key;
                format!("{}:{}:{}", file.name, place.line, place.column)
            }
            None => file.name.clone(),
        }
    }

    fn node(&self, at: &At) -> Option<&'a Node> {
        self.files
            .get(at.file)?
            .root
            .as_ref()?
            .locate(&at.path)
            .node
    }

    fn shape(&mut self, info: &'static PluginInfo) -> &Shape {
        self.shapes
            .entry((info.kind, info.name))
            .or_insert_with(|| Shape::new((info.schema)()))
    }
}

/// Key by key, a setting counts before its default.
fn over_defaults(own: &Value, defaults: Option<&Settings>) -> Value {
    match (own, defaults.map(|defaults| &defaults.value)) {
        (Value::Object(own), Some(Value::Object(defaults))) => {
            let mut merged = defaults.clone();
            merged.extend(own.clone());
            Value::Object(merged)
        }
        (own, _) => own.clone(),
    }
}

/// Whether the first key of `path` is set.
fn has(value: &Value, path: &str) -> bool {
    let end = path.find(['.', '[']).unwrap_or(path.len());
    value.get(&path[..end]).is_some()
}

fn pin(faults: &[ShapeError], path: &str) -> Pin {
    let unknown = faults
        .iter()
        .any(|fault| fault.fault == Fault::Unknown && path_text(&fault.path) == path);
    if unknown { Pin::Key } else { Pin::Value }
}

/// A secret with variables becomes a reference to them, so that its text never enters the tree; one that stands in
/// the file is not shown in errors. `paths`: where the secrets are.
fn refer_to_secrets(
    node: &Node,
    value: &mut Value,
    paths: Vec<Vec<Segment>>,
    reports: &mut Reports,
) {
    for path in paths {
        let Some(node) = node.at(&path) else { continue };
        mask(node, reports);
        if let (Kind::Filled { written, .. }, Some(place)) = (&node.kind, lookup_mut(value, &path))
        {
            *place = match sole_variable(written) {
                Some(name) => json!({ "env": name }),
                None => json!({ "written": written }),
            };
        }
    }
}

/// Addresses may have passwords in them, whatever their setting is called.
fn cover_addresses(value: &Value) {
    match value {
        Value::String(text) => cover_url_secrets(text),
        Value::Array(items) => items.iter().for_each(cover_addresses),
        Value::Object(fields) => fields.values().for_each(cover_addresses),
        _ => {}
    }
}

/// Keeps all that stands here out of what is told, but for names of variables and files.
fn mask(node: &Node, reports: &mut Reports) {
    match &node.kind {
        Kind::Filled { text, written } => {
            cover(text);
            reports.mask(text, COVER);
            if sole_variable(written).is_none() {
                reports.mask(written, COVER);
            }
        }
        Kind::Scalar(Value::String(text)) => {
            cover(text);
            reports.mask(text, COVER);
        }
        Kind::Scalar(Value::Number(number)) => reports.mask(&number.to_string(), COVER),
        Kind::Scalar(_) => {}
        Kind::List(items) => items.iter().for_each(|item| mask(item, reports)),
        Kind::Map(entries) => {
            let reference = |key: &str| matches!(key, "env" | "file" | "pointer");
            for entry in entries.iter().filter(|entry| !reference(&entry.key)) {
                mask(&entry.value, reports);
            }
        }
    }
}

/// The texts whose keys sound like secrets: all that can be said of a plugin that is not there.
pub(super) fn named_secrets(value: &Value) -> Vec<Vec<Segment>> {
    fn look(value: &Value, path: &mut Vec<Segment>, found: &mut Vec<Vec<Segment>>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    path.push(Segment::Key(key.clone()));
                    match value {
                        Value::String(_) | Value::Number(_) if sounds_secret(key) => {
                            found.push(path.clone());
                        }
                        inner => look(inner, path, found),
                    }
                    path.pop();
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(Segment::Index(index));
                    look(item, path, found);
                    path.pop();
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    look(value, &mut Vec::new(), &mut found);
    found
}
