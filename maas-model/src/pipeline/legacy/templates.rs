//! Index templates, as models of ours.

use super::make;
use super::told::Told;
use crate::pipeline::tree::{Entry, Node};

/// `raw-data-aps-per-pass` is the index of `ApsPerPass`.
pub(super) fn class_of(index: &str) -> String {
    let words = index.strip_prefix("raw-data-").unwrap_or(index).split('-');
    let words = words.map(|word| {
        let mut letters = word.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        first
            .chain(letters.flat_map(char::to_lowercase))
            .collect::<String>()
    });
    words.collect()
}

/// The template of an index as a model.
pub(super) fn native(file: usize, index: &str, root: &Node, told: &mut Told) -> Node {
    let place = root.place;
    let mut entries = vec![make::entry("index", make::scalar(place, index))];
    let meta = root.locate("mappings._meta").node;
    let meta = |key: &str| {
        meta.and_then(|meta| meta.get(key))
            .filter(|node| !node.is_null())
    };
    match (meta("partition_field"), meta("partition_format")) {
        (Some(field), format) => {
            let key = if field.text().is_some() {
                "field"
            } else {
                "fields"
            };
            let mut partition = vec![make::entry(key, field.clone())];
            partition.extend(format.map(|format| make::entry("format", format.clone())));
            entries.push(make::entry("partition", make::map(field.place, partition)));
        }
        (None, Some(format)) => {
            let message = "a partition format without a field to format";
            let hint = "all documents go into one index with the name of the alias";
            told.warning(file, format.place, message, hint);
        }
        (None, None) => {}
    }
    let patterns = root.get("index_patterns").map_or(&[][..], Node::items);
    for pattern in patterns {
        let wanted = format!("{index}-*");
        if pattern.text().is_some_and(|pattern| pattern != wanted) {
            let message = "the pattern takes other indices too".to_owned();
            told.warning(
                file,
                pattern.place,
                message,
                format!("`{wanted}` is meant, and taken"),
            );
        }
    }
    if let Some(settings) = root
        .locate("settings.index")
        .node
        .filter(|node| !node.is_null())
    {
        entries.push(make::entry("settings", settings.clone()));
    }
    let fields = root.locate("mappings.properties").node;
    let fields = fields.map_or_else(|| make::map(place, Vec::new()), members);
    entries.push(make::entry("fields", fields));
    make::map(place, entries)
}

/// Properties of a mapping, as fields: the type alone where it is all there is.
fn members(properties: &Node) -> Node {
    let fields = properties.entries().iter().map(|property| {
        let value = match property.value.entries() {
            [only] if only.key == "type" => only.value.clone(),
            entries => {
                let entries = entries.iter().map(|entry| match entry.key.as_str() {
                    "properties" => Entry {
                        key: "fields".to_owned(),
                        place: entry.place,
                        value: members(&entry.value),
                    },
                    _ => entry.clone(),
                });
                make::map(property.value.place, entries.collect())
            }
        };
        Entry {
            value,
            ..property.clone()
        }
    });
    make::map(properties.place, fields.collect())
}
