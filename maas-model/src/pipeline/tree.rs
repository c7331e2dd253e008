//! A YAML file as a tree in which everything knows where it stands.
//!
//! serde reads typed values and forgets their places; so the file is read into this tree first, and
//! the tree into types. Places are counted in characters, as editors do.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_yaml::Spanned;
use serde_yaml::options::DuplicateKeyPolicy;

use crate::plugin::Segment;

/// Line and column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Neither list nor map.
    Scalar(Value),
    /// A text in which variables were filled in, and how it was written.
    Filled {
        text: String,
        written: String,
    },
    List(Vec<Node>),
    /// Keys may still be there twice.
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) value: Node,
}

/// Why a text is no YAML.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub(super) place: Place,
    pub(super) message: String,
}

impl SyntaxError {
    fn new(place: Option<Place>, message: &str) -> Self {
        // The place is told apart.
        let message = message
            .rsplit_once(" at line ")
            .map_or(message, |(message, _)| message);
        let message = if message.starts_with("multiple YAML documents") {
            "a second YAML document starts here: a pipeline file has one"
        } else {
            message
        };
        Self {
            place: place.unwrap_or(Place { line: 1, column: 1 }),
            message: message.to_owned(),
        }
    }
}

/// Deeper files are refused: no pipeline needs it, and reading takes some 30 KiB of stack per level in
/// a debug build, of the 2 MiB of a thread.
const MAX_DEPTH: usize = 32;

impl Node {
    /// Reads one YAML document. Merge keys and aliases are resolved, within a budget.
    pub(super) fn parse(text: &str) -> Result<Self, SyntaxError> {
        let options = serde_yaml::options! {
            budget: serde_yaml::budget! {
                max_depth: MAX_DEPTH,
                flow_nesting_limit: MAX_DEPTH,
            },
            strict_booleans: true,
            leading_zero_numbers_as_strings: true,
            reject_unsupported_tags: true,
            // Told with the other mistakes, see `duplicates`.
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            with_snippet: false,
        };
        serde_yaml::from_str_with_options(text, options).map_err(|error| {
            let place = error.location().map(|location| place_of(&location));
            SyntaxError::new(place, &error.to_string())
        })
    }

    /// The value without places. Of keys that are there twice the first one counts.
    pub(super) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::Filled { text, .. } => Value::String(text.clone()),
            Kind::List(items) => items.iter().map(Self::to_value).collect(),
            Kind::Map(entries) => {
                let mut map = serde_json::Map::new();
                for entry in entries {
                    map.entry(entry.key.as_str())
                        .or_insert_with(|| entry.value.to_value());
                }
                Value::Object(map)
            }
        }
    }

    /// A text as it stands in the file.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// The entries of a list; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// The entries of a map; none of anything else.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Scalar(Value::Null))
    }

    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Map(entries) => entries
                .iter()
                .find(|entry| entry.key == key)
                .map(|entry| &entry.value),
            _ => None,
        }
    }

    pub(super) fn at(&self, path: &[Segment]) -> Option<&Self> {
        path.iter()
            .try_fold(self, |node, segment| match (segment, &node.kind) {
                (Segment::Key(key), _) => node.get(key),
                (Segment::Index(index), Kind::List(items)) => items.get(*index),
                _ => None,
            })
    }

    /// Where `path` (`interfaces[1].collect`) stands: its key, or for an entry of a list the entry.
    /// The nearest thing around it when it is not there.
    ///
    /// Keys with dots in them are found too: at each step the longest key that fits is taken.
    pub(super) fn locate(&self, path: &str) -> Located<'_> {
        let mut located = Located {
            key: self.place,
            value: self.place,
            node: None,
        };
        let mut node = self;
        let mut rest = path;
        while !rest.is_empty() {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let step = match &node.kind {
                Kind::List(items) => index(rest).and_then(|(index, rest)| {
                    let item = items.get(index)?;
                    Some((item.place, item, rest))
                }),
                Kind::Map(entries) => entries
                    .iter()
                    .filter_map(|entry| {
                        let rest = rest.strip_prefix(entry.key.as_str())?;
                        let whole = rest.is_empty() || rest.starts_with(['.', '[']);
                        whole.then_some((entry.place, &entry.value, rest))
                    })
                    .min_by_key(|(_, _, rest)| rest.len()),
                Kind::Scalar(_) | Kind::Filled { .. } => None,
            };
            let Some((key, next, after)) = step else {
                return located;
            };
            located = Located {
                key,
                value: next.place,
                node: None,
            };
            (node, rest) = (next, after);
        }
        Located {
            node: Some(node),
            ..located
        }
    }

    /// The path of what stands at a place: of an entry whose key or value does.
    pub(super) fn path_of(&self, place: Place) -> Option<String> {
        let mut found = None;
        self.walk(&mut String::new(), &mut |path, node| {
            if found.is_some() {
                return;
            }
            if node.place == place {
                found = Some(path.to_owned());
            } else if let Some(entry) = node.entries().iter().find(|entry| entry.place == place) {
                found = Some(join(path, &entry.key));
            }
        });
        found
    }

    /// Every key that stands twice in its map: the path of the map, and the later entry.
    pub(super) fn duplicates(&self) -> Vec<(String, Place, Place)> {
        let mut found = Vec::new();
        self.walk(&mut String::new(), &mut |path, node| {
            let Kind::Map(entries) = &node.kind else {
                return;
            };
            let mut seen = HashMap::new();
            for entry in entries {
                match seen.entry(entry.key.as_str()) {
                    Slot::Occupied(first) => {
                        found.push((join(path, &entry.key), entry.place, *first.get()));
                    }
                    Slot::Vacant(slot) => {
                        slot.insert(entry.place);
                    }
                }
            }
        });
        found
    }

    /// Every node with its path, parents first.
    pub(super) fn walk(&self, path: &mut String, visit: &mut impl FnMut(&str, &Self)) {
        visit(path, self);
        let length = path.len();
        match &self.kind {
            Kind::Scalar(_) | Kind::Filled { .. } => {}
            Kind::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push_str(&format!("[{index}]"));
                    item.walk(path, visit);
                    path.truncate(length);
                }
            }
            Kind::Map(entries) => {
                for entry in entries {
                    *path = join(path, &entry.key);
                    entry.value.walk(path, visit);
                    path.truncate(length);
                }
            }
        }
    }
}

/// Where something stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Located<'a> {
    pub(super) key: Place,
    pub(super) value: Place,
    /// What is there; `None` when only something around it is.
    pub(super) node: Option<&'a Node>,
}

/// A path and a key below it.
pub(super) fn join(path: &str, key: &str) -> String {
    match (path, key) {
        ("", _) => key.to_owned(),
        (_, "") => path.to_owned(),
        _ if key.starts_with('[') => format!("{path}{key}"),
        _ => format!("{path}.{key}"),
    }
}

fn index(path: &str) -> Option<(usize, &str)> {
    let (number, rest) = path.strip_prefix('[')?.split_once(']')?;
    Some((number.parse().ok()?, rest))
}

fn place_of(location: &serde_yaml::Location) -> Place {
    let number = |number: u64| usize::try_from(number).unwrap_or(usize::MAX).max(1);
    Place {
        line: number(location.line()),
        column: number(location.column()),
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        Ok(Self {
            place: place_of(&spanned.referenced),
            kind: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Scalar(value.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Kind, E> {
        Ok(Kind::Scalar(Value::Null))
    }

    fn visit_none<E: Error>(self) -> Result<Kind, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        Kind::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Kind, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            let place = place_of(&key.referenced);
            map.push(Entry {
                key: key.value,
                place,
                value: entries.next_value()?,
            });
        }
        Ok(Kind::Map(map))
    }
}
