//! The credentials file: settings of interfaces that are kept apart, most of them secrets.
//!
//! A secret never enters the tree: what enters is where it stands.

use std::collections::HashMap;

use super::files::OldFile;
use super::make;
use super::told::Told;
use crate::pipeline::tree::{Entry, Kind, Node, Place};

/// The entries of all credentials files, by name.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    by_name: HashMap<String, Named>,
}

#[derive(Debug)]
struct Named {
    file: usize,
    place: Place,
    settings: Vec<Entry>,
    used: bool,
}

impl Credentials {
    /// Of names that stand twice the last one counts, as in the original.
    pub(super) fn read(&mut self, number: usize, file: &OldFile, told: &mut Told) {
        let Some(interfaces) = file.root.get("interfaces") else {
            return;
        };
        for (index, entry) in interfaces.items().iter().enumerate() {
            let Some(name) = entry.get("name").and_then(Node::text) else {
                let hint =
                    "give it the `interface_name` of the interface that it is for".to_owned();
                told.error(
                    number,
                    entry.place,
                    "credentials without `name`",
                    Some(hint),
                );
                continue;
            };
            let settings = entry.entries().iter().filter(|one| one.key != "name");
            let at = At {
                file: &file.name,
                pointer: format!("/interfaces/{index}"),
            };
            let settings = settings
                .map(|one| Entry {
                    value: without_secrets(&one.key, &one.value, &at, told),
                    ..one.clone()
                })
                .collect();
            let named = Named {
                file: number,
                place: entry.place,
                settings,
                used: false,
            };
            if let Some(earlier) = self.by_name.insert(name.to_owned(), named) {
                let message = format!("credentials of `{name}` stand here and again later");
                let hint = "the last ones count; remove the others";
                told.warning(earlier.file, earlier.place, message, hint);
            }
        }
    }

    /// What the entry called `name` adds to the settings of an interface.
    pub(super) fn of(&mut self, name: &str) -> &[Entry] {
        match self.by_name.get_mut(name) {
            Some(named) => {
                named.used = true;
                &named.settings
            }
            None => &[],
        }
    }

    /// Tells which ones no interface uses.
    pub(super) fn unused(&self, told: &mut Told) {
        for (name, named) in self.by_name.iter().filter(|(_, named)| !named.used) {
            let message = format!("no interface uses the credentials of `{name}`");
            let hint = "is `interface_name` or `interface_credentials` of one spelt otherwise?";
            told.warning(named.file, named.place, message, hint);
        }
    }
}

/// Whether a setting of this name is a secret.
fn is_secret(key: &str) -> bool {
    const ENDS: [&str; 6] = [
        "password",
        "passwd",
        "secret",
        "token",
        "_key",
        "basic_credential",
    ];
    key == "client_keyfile" || ENDS.iter().any(|end| key.ends_with(end))
}

/// Where the thing stands that has a setting.
pub(super) struct At<'a> {
    pub(super) file: &'a str,
    pub(super) pointer: String,
}

impl At<'_> {
    fn below(&self, key: &str) -> Self {
        let step = key.replace('~', "~0").replace('/', "~1");
        Self {
            file: self.file,
            pointer: format!("{}/{step}", self.pointer),
        }
    }
}

/// The value of a setting, with references to where its secrets stand in place of them. They are not shown
/// from now on.
pub(super) fn without_secrets(key: &str, node: &Node, at: &At<'_>, told: &mut Told) -> Node {
    let at = at.below(key);
    match &node.kind {
        Kind::Map(entries) => {
            let inner = entries.iter().map(|entry| {
                // Fields of a login form may have any name.
                let secret = key == "credentials" && entry.value.entries().is_empty();
                let value = match secret {
                    true => reference(&entry.value, &at.below(&entry.key), told),
                    false => without_secrets(&entry.key, &entry.value, &at, told),
                };
                Entry {
                    value,
                    ..entry.clone()
                }
            });
            make::map(node.place, inner.collect())
        }
        _ if is_secret(key) && node.text().is_none_or(|text| !text.is_empty()) => {
            reference(node, &at, told)
        }
        _ => make::escaped(node),
    }
}

fn reference(secret: &Node, at: &At<'_>, told: &mut Told) -> Node {
    if let Some(text) = secret.text() {
        told.mask(text);
    }
    let place = secret.place;
    let entries = [("file", at.file), ("pointer", &at.pointer)];
    let entries = entries.map(|(key, text)| make::entry(key, make::scalar(place, text)));
    make::map(place, entries.into())
}
