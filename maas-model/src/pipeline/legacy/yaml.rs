//! Writes trees as YAML that a person wants to own: short things on one line, things that repeat written
//! once, texts in quotes only where they need them.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use crate::pipeline::tree::{Entry, Kind, Node};

/// Longest line that a map or a list may make.
const WIDTH: usize = 100;
/// Longer maps are easier to read line by line.
const MOST_ENTRIES: usize = 4;
/// Something smaller is not worth a name of its own.
const LEAST_REPEATED: usize = 6;

/// One top-level key and what belongs to it.
#[derive(Debug)]
pub(in crate::pipeline) enum Section<'a> {
    List(&'a str, Vec<(Option<String>, Node)>),
    Map(&'a str, Vec<(Option<String>, Entry)>),
}

/// The text of a file: a comment, then the sections. Entries may have a comment of their own.
pub(in crate::pipeline) fn write(head: &str, sections: &[Section<'_>]) -> String {
    let mut writer = Writer::default();
    for section in sections {
        match section {
            Section::List(_, items) => {
                items
                    .iter()
                    .for_each(|(_, node)| writer.count("item", node));
            }
            Section::Map(_, entries) => entries
                .iter()
                .for_each(|(_, entry)| writer.count(&entry.key, &entry.value)),
        }
    }
    writer.comment(0, head);
    for section in sections {
        writer.section(section);
    }
    writer.text
}

#[derive(Default)]
struct Writer {
    text: String,
    /// How often a value stands in the file, by its text; each gets a name when it is first written.
    repeated: HashMap<String, Repeated>,
    names: BTreeSet<String>,
}

#[derive(Debug, Default)]
struct Repeated {
    times: usize,
    key: String,
    name: Option<String>,
}

impl Writer {
    /// What stands within something that was met before is not met again.
    fn count(&mut self, key: &str, node: &Node) {
        if leaves(node) >= LEAST_REPEATED {
            let known = self
                .repeated
                .entry(node.to_value().to_string())
                .or_default();
            known.times += 1;
            if known.times > 1 {
                return;
            }
            known.key = key.to_owned();
        }
        node.items().iter().for_each(|item| self.count(key, item));
        for entry in node.entries() {
            self.count(&entry.key, &entry.value);
        }
    }

    fn section(&mut self, section: &Section<'_>) {
        self.text.push('\n');
        let (Section::List(key, _) | Section::Map(key, _)) = section;
        self.line(0, &format!("{key}:"));
        match section {
            Section::List(_, items) => {
                for (number, (comment, node)) in items.iter().enumerate() {
                    if number > 0 {
                        self.text.push('\n');
                    }
                    self.comment(2, comment.as_deref().unwrap_or_default());
                    self.item(2, node);
                }
            }
            Section::Map(_, entries) => {
                for (number, (comment, entry)) in entries.iter().enumerate() {
                    if number > 0 {
                        self.text.push('\n');
                    }
                    self.comment(2, comment.as_deref().unwrap_or_default());
                    self.entry(2, entry);
                }
            }
        }
    }

    fn line(&mut self, indent: usize, text: &str) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn comment(&mut self, indent: usize, text: &str) {
        for paragraph in text.lines() {
            let mut line = "#".to_owned();
            for word in paragraph.split_whitespace() {
                if line.len() > 1 && indent + line.len() + word.len() >= WIDTH {
                    self.line(indent, &line);
                    line = "#".to_owned();
                }
                line.push(' ');
                line.push_str(word);
            }
            self.line(indent, &line);
        }
    }

    fn entry(&mut self, indent: usize, entry: &Entry) {
        let start = format!("{}:", text_of(&entry.key));
        self.value(indent, &start, &entry.value);
    }

    fn item(&mut self, indent: usize, node: &Node) {
        let anchor = self.anchor(node);
        let first = node.entries().first().filter(|_| anchor.is_none());
        let short = self.inline(node, WIDTH.saturating_sub(indent + 2));
        match first.filter(|_| short.is_none()) {
            Some(_) => {
                // The first key stands behind the dash.
                let at = self.text.len();
                for entry in node.entries() {
                    self.entry(indent + 2, entry);
                }
                self.text.replace_range(at + indent..at + indent + 1, "-");
            }
            None => self.written(indent, "-", node, anchor),
        }
    }

    fn value(&mut self, indent: usize, start: &str, node: &Node) {
        let anchor = self.anchor(node);
        self.written(indent, start, node, anchor);
    }

    fn written(&mut self, indent: usize, start: &str, node: &Node, anchor: Option<Anchor>) {
        let start = match anchor {
            Some(Anchor::Known(name)) => return self.line(indent, &format!("{start} *{name}")),
            Some(Anchor::New(name)) => format!("{start} &{name}"),
            None => start.to_owned(),
        };
        let room = WIDTH.saturating_sub(indent + start.len() + 1);
        if let Some(short) = self.inline(node, room) {
            return self.line(indent, &format!("{start} {short}"));
        }
        self.line(indent, &start);
        for entry in node.entries() {
            self.entry(indent + 2, entry);
        }
        for item in node.items() {
            self.item(indent + 2, item);
        }
    }

    /// A name for something that stands in the file again, or that stood there before.
    fn anchor(&mut self, node: &Node) -> Option<Anchor> {
        if leaves(node) < LEAST_REPEATED {
            return None;
        }
        let known = self.repeated.get_mut(&node.to_value().to_string())?;
        if known.times < 2 {
            return None;
        }
        if let Some(name) = &known.name {
            return Some(Anchor::Known(name.clone()));
        }
        let plain = |letter: char| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        };
        let key: String = known.key.chars().map(plain).collect();
        let numbered = (2..).map(|number| format!("{key}-{number}"));
        let mut free = std::iter::once(key.clone()).chain(numbered);
        let name = free.find(|name| !self.names.contains(name)).unwrap_or(key);
        self.names.insert(name.clone());
        known.name = Some(name.clone());
        Some(Anchor::New(name))
    }

    /// On one line, if it is short and nothing in it has a name.
    fn inline(&self, node: &Node, room: usize) -> Option<String> {
        let text = match &node.kind {
            Kind::Scalar(Value::String(text)) => return Some(text_of(text)),
            Kind::Scalar(value) => return Some(value.to_string()),
            Kind::Filled { written, .. } => return Some(text_of(written)),
            Kind::List(items) => {
                let items = items.iter().map(|item| self.within(item, room));
                format!("[{}]", items.collect::<Option<Vec<_>>>()?.join(", "))
            }
            Kind::Map(entries) if entries.is_empty() => "{}".to_owned(),
            Kind::Map(entries) if entries.len() > MOST_ENTRIES => return None,
            Kind::Map(entries) => {
                let entries = entries.iter().map(|entry| {
                    let value = self.within(&entry.value, room)?;
                    Some(format!("{}: {value}", text_of(&entry.key)))
                });
                format!("{{ {} }}", entries.collect::<Option<Vec<_>>>()?.join(", "))
            }
        };
        (text.chars().count() <= room).then_some(text)
    }

    fn within(&self, node: &Node, room: usize) -> Option<String> {
        let named = leaves(node) >= LEAST_REPEATED && {
            let known = self.repeated.get(&node.to_value().to_string());
            known.is_some_and(|known| known.times > 1)
        };
        if named { None } else { self.inline(node, room) }
    }
}

enum Anchor {
    New(String),
    Known(String),
}

fn leaves(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar(_) | Kind::Filled { .. } => 1,
        Kind::List(items) => items.iter().map(leaves).sum(),
        Kind::Map(entries) => entries.iter().map(|entry| leaves(&entry.value)).sum(),
    }
}

/// A text, in quotes where it would be read as something else.
fn text_of(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else if text.contains(|letter: char| letter.is_control())
        || text.contains('\'') && !text.contains(['"', '\\'])
    {
        Value::from(text).to_string()
    } else {
        format!("'{}'", text.replace('\'', "''"))
    }
}

/// Whether YAML of any version reads it as this text, also within brackets.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let first = |letter: char| letter.is_ascii_alphabetic() || "_/$".contains(letter);
    let inner = |letter: char| letter.is_ascii_alphanumeric() || "_/$.-".contains(letter);
    text.starts_with(first)
        && text.chars().all(inner)
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
        && text.parse::<f64>().is_err()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::make;
    use super::*;
    use crate::pipeline::tree::Place;

    fn written(value: Value) -> String {
        let entry = make::entry("a", make::value(Place::default(), value));
        write("", &[Section::Map("x-top", vec![(None, entry)])])
    }

    #[test]
    fn whatever_is_written_is_read_again() {
        let long = "word ".repeat(40);
        for value in [
            json!(null),
            json!({}),
            json!([]),
            json!([[], {}, [[1]]]),
            json!({"a": {"b": [1, -2.5, 1e-7, 1e300, 18446744073709551615_u64, true]}}),
            json!([
                "true", "Yes", "null", "~", "1", "1e3", "0x10", "", " a", "a ", "a: b", "a #b"
            ]),
            json!([
                "'", "\"", "it's", "\\", "a\nb\n", "\t", "\u{1}", "- a", "? a", "[a", "*a", "&a"
            ]),
            json!([
                "$.Id",
                "$${x}",
                "%Y-%m",
                "!x",
                "@a",
                "`a`",
                "ä",
                "\u{1F600}",
                ".5",
                "=",
                "<<"
            ]),
            json!({"a b": 1, "1": 2, "": 3, "- x": {"*": [long]}, "true": 4, "e": 5}),
            json!([{"a": [{"b": 1}, {"c": {"d": [1, 2, {"e": long}]}}]}, [[long, [long]]]]),
            json!([[1, 2, 3, 4, 5, 6], {"x": [1, 2, 3, 4, 5, 6]}, {"y": {"z": [1, 2, 3, 4, 5, 6]}}]),
        ] {
            let text = written(value.clone());
            let read = Node::parse(&text).unwrap_or_else(|error| panic!("{error:?}: {text}"));
            assert_eq!(read.to_value(), json!({"x-top": {"a": value}}), "{text}");
        }
    }

    #[test]
    fn it_reads_well() {
        let fields =
            json!({"a": "$.A", "b": "$.B", "c": "$.C", "d": "$.D", "e": "$.E", "f": "$.F"});
        let text = written(json!([
            {"name": "one", "collect": {"file": {"paths": ["in"]}}, "extract": {"json": fields}},
            {"name": "two", "after": [], "extract": {"json": fields}, "x": "it's: \"b\""},
        ]));
        let expected = "\
\nx-top:
  a:
    - name: one
      collect: { file: { paths: [in] } }
      extract: &extract
        json:
          a: $.A
          b: $.B
          c: $.C
          d: $.D
          e: $.E
          f: $.F
    - name: two
      after: []
      extract: *extract
      x: 'it''s: \"b\"'
";
        assert_eq!(text, expected);
    }
}
