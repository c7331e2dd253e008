//! Reads a file forward and builds a tree of one record at a time.

use std::io::Read;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::entities::{Entities, unified_lines};
use super::input::Utf8;
use super::names::{NameId, Names, Scope};
use super::path::Forward;
use super::tree::{NodeId, Tree};
use crate::extract::ExtractError;

/// Elements within elements.
const DEEPEST: usize = 1024;
/// Attributes of one element.
const MOST_ATTRIBUTES: usize = 1024;
/// Longest tag, and longest DOCTYPE.
const LONGEST_TAG: usize = 1 << 20;

/// The records of a file.
pub(super) struct Records<R: Read> {
    reader: Reader<Utf8<R>>,
    buffer: Vec<u8>,
    builder: Builder,
    line: u64,
}

/// What is known of the file so far.
struct Builder {
    /// Which elements are records; `None`: the topmost.
    forward: Option<Forward>,
    tree: Tree,
    /// The records in `tree`: several when they lie in each other.
    records: Vec<NodeId>,
    scope: Scope,
    entities: Entities,
    open: Vec<Open>,
    /// The depth of the record that is being built.
    record_depth: Option<usize>,
    rooted: bool,
    begun: bool,
    /// Kept for its memory.
    resolved: String,
}

/// An element that has not ended.
struct Open {
    /// How many steps of `children` lead here; `None`: another way.
    steps: Option<usize>,
    /// Below an element that all steps lead to.
    below: bool,
    /// In the tree, when it is in a record.
    node: NodeId,
}

/// What an event did.
#[derive(PartialEq)]
enum Done {
    Nothing,
    Record,
    File,
}

impl<R: Read> Records<R> {
    /// `names` are those that `forward` knows.
    pub(super) fn new(
        file: R,
        names: Names,
        forward: Option<Forward>,
    ) -> Result<Self, ExtractError> {
        let mut reader = Reader::from_reader(Utf8::new(file)?);
        reader.config_mut().check_comments = true;
        Ok(Self {
            reader,
            buffer: Vec::new(),
            builder: Builder {
                forward,
                tree: Tree::new(names),
                records: Vec::new(),
                scope: Scope::default(),
                entities: Entities::default(),
                open: Vec::new(),
                record_depth: None,
                rooted: false,
                begun: false,
                resolved: String::new(),
            },
            line: 1,
        })
    }

    /// Reads up to the end of the next record, or of several in each other; false at the end of the file.
    pub(super) fn advance(&mut self) -> Result<bool, ExtractError> {
        loop {
            let input = self.reader.get_mut();
            input.begin_piece();
            if self.builder.record_depth.is_none() {
                input.mark();
                self.line = input.line();
            }
            self.buffer.clear();
            let event = self.reader.read_event_into(&mut self.buffer);
            let done = match event {
                Ok(event) => self.builder.take(&event),
                Err(quick_xml::Error::Io(error)) => Err(error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match done {
                Ok(Done::Nothing) => {}
                Ok(Done::Record) => return Ok(true),
                Ok(Done::File) => return Ok(false),
                Err(reason) => {
                    let place = format!("line {}", self.reader.get_ref().line());
                    return Err(ExtractError { place, reason });
                }
            }
        }
    }

    /// The tree that holds the records that were read last.
    pub(super) fn tree(&self) -> &Tree {
        &self.builder.tree
    }

    /// Their elements.
    pub(super) fn nodes(&self) -> &[NodeId] {
        &self.builder.records
    }

    /// The line that they start on.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Their bytes as UTF-8; the beginning when there are many.
    pub(super) fn raw(&self) -> &[u8] {
        self.reader.get_ref().since_mark()
    }
}

impl Builder {
    fn take(&mut self, event: &Event<'_>) -> Result<Done, String> {
        let first = !std::mem::replace(&mut self.begun, true);
        match event {
            Event::Start(tag) => self.start(tag).map(|()| Done::Nothing),
            Event::Empty(tag) => {
                self.start(tag)?;
                Ok(self.end())
            }
            Event::End(_) => Ok(self.end()),
            Event::Text(text) if text.contains("]]>") => Err("`]]>` stands in a text".into()),
            Event::Text(text) => self.text(text).map(|()| Done::Nothing),
            Event::CData(text) if self.open.is_empty() => Err(outside(text)),
            Event::CData(text) => self.text(text).map(|()| Done::Nothing),
            Event::GeneralRef(name) if self.open.is_empty() => Err(outside(name)),
            Event::GeneralRef(name) => self.reference(name).map(|()| Done::Nothing),
            Event::DocType(doctype) if doctype.len() > LONGEST_TAG => {
                Err("its DOCTYPE is longer than 1 MiB".into())
            }
            Event::DocType(_) if self.rooted => Err("a DOCTYPE belongs to the beginning".into()),
            Event::DocType(doctype) => {
                self.entities.declare(doctype);
                Ok(Done::Nothing)
            }
            Event::Decl(_) if !first => Err("`<?xml` belongs to the very beginning".into()),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => Ok(Done::Nothing),
            Event::Eof if !self.open.is_empty() => Err("the file ends inside an element".into()),
            Event::Eof if !self.rooted => Err("the file holds no element".into()),
            Event::Eof => Ok(Done::File),
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), String> {
        let depth = self.open.len();
        if depth == 0 && std::mem::replace(&mut self.rooted, true) {
            return Err("a second element follows the topmost one".into());
        }
        if depth == DEEPEST {
            return Err(format!("elements lie deeper than {DEEPEST} in each other"));
        }
        if tag.len() > LONGEST_TAG {
            return Err("a tag is longer than 1 MiB".into());
        }
        self.declare(tag, depth)?;
        let name = self.scope.element(tag.name().0, &mut self.tree.names)?;
        let mut open = self.place(name);
        let is_record = self.is_record(name, &open);
        if is_record && self.record_depth.is_none() {
            self.tree.clear();
            self.records.clear();
            self.record_depth = Some(depth);
        }
        if self.record_depth.is_some() {
            let parent = self.open.last().map_or(Tree::TOP, |parent| parent.node);
            open.node = self.tree.begin(name, parent)?;
            if is_record {
                self.records.push(open.node);
            }
            self.attributes(tag)?;
        }
        self.open.push(open);
        Ok(())
    }

    /// Takes the namespaces of a tag, and looks at its attributes.
    fn declare(&mut self, tag: &BytesStart<'_>, depth: usize) -> Result<(), String> {
        if tag.attributes_raw().trim_ascii().is_empty() {
            return Ok(());
        }
        for (number, attribute) in tag.attributes().enumerate() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            if number == MOST_ATTRIBUTES {
                let reason = "an element has more than";
                return Err(format!("{reason} {MOST_ATTRIBUTES} attributes"));
            }
            let name = attribute.key.0;
            let prefix = match name.strip_prefix("xmlns") {
                Some("") => "",
                Some(rest) if rest.starts_with(':') => &rest[1..],
                _ => continue,
            };
            let namespace = self.entities.attribute(&attribute.value)?.into_owned();
            self.scope.declare(depth, prefix, namespace)?;
        }
        Ok(())
    }

    fn attributes(&mut self, tag: &BytesStart<'_>) -> Result<(), String> {
        if tag.attributes_raw().trim_ascii().is_empty() {
            return Ok(());
        }
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let name = attribute.key.0;
            if name == "xmlns" || name.starts_with("xmlns:") {
                continue;
            }
            let name = self.scope.attribute(name, &mut self.tree.names)?;
            let value = self.entities.attribute(&attribute.value)?;
            self.tree.attribute(name, &value)?;
        }
        Ok(())
    }

    /// Where an element of this name is on the way to the records.
    fn place(&self, name: NameId) -> Open {
        let mut open = Open {
            steps: None,
            below: false,
            node: Tree::TOP,
        };
        let (Some(forward), Some(parent)) = (&self.forward, self.open.last()) else {
            open.steps = self.open.is_empty().then_some(0);
            return open;
        };
        open.below = parent.below || parent.steps == Some(forward.children.len());
        if let Some(steps) = parent.steps
            && let Some(test) = forward.children.get(steps)
            && test.fits(name, &self.tree.names)
        {
            open.steps = Some(steps + 1);
        }
        open
    }

    fn is_record(&self, name: NameId, open: &Open) -> bool {
        let Some(forward) = &self.forward else {
            return self.open.is_empty();
        };
        match &forward.descendant {
            Some(test) => open.below && test.fits(name, &self.tree.names),
            None => open.steps == Some(forward.children.len()),
        }
    }

    fn end(&mut self) -> Done {
        let Some(open) = self.open.pop() else {
            return Done::Nothing;
        };
        let depth = self.open.len();
        self.scope.end(depth);
        if self.record_depth.is_none() {
            return Done::Nothing;
        }
        self.tree.end(open.node);
        if self.record_depth != Some(depth) {
            return Done::Nothing;
        }
        self.record_depth = None;
        let (tree, forward) = (&self.tree, &self.forward);
        if let Some(forward) = forward {
            let fits = |node: &NodeId| forward.filters.iter().all(|one| one.fits(tree, *node));
            self.records.retain(fits);
        }
        Done::Record
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        if self.record_depth.is_some() {
            return self.tree.push_text(&unified_lines(text));
        }
        match self.open.is_empty() && !text.trim_ascii().is_empty() {
            true => Err(outside(text)),
            false => Ok(()),
        }
    }

    fn reference(&mut self, name: &str) -> Result<(), String> {
        self.resolved.clear();
        self.entities.resolve(name, &mut self.resolved)?;
        match self.record_depth {
            Some(_) => self.tree.push_text(&self.resolved),
            None => Ok(()),
        }
    }
}

fn outside(text: &str) -> String {
    let text: String = text.trim_ascii().chars().take(40).collect();
    format!("`{text}` stands outside of the topmost element")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::xml::path::{Namespaces, Path};

    #[test]
    fn one_record_is_in_memory_at_a_time() {
        let text = format!("<r><x/>{}</r>", "<i><id>7</id></i>".repeat(1000));
        let mut names = Names::default();
        let path = Path::parse("i", &Namespaces::new(), &mut names).unwrap();
        let mut records = Records::new(text.as_bytes(), names, path.forward()).unwrap();
        let mut count = 0;
        while records.advance().unwrap() {
            count += 1;
            assert_eq!(records.nodes(), [Tree::TOP]);
            assert_eq!(records.tree().below(Tree::TOP), 1..2);
            assert_eq!(records.raw(), b"<i><id>7</id></i>");
        }
        assert_eq!(count, 1000);
    }

    /// A file of elements by their ends: 0 and 1 begin an `i` or an `x`, all else ends one.
    fn file(ends: &[u8]) -> String {
        let mut text = String::from("<r>");
        let mut open = Vec::new();
        for (number, end) in ends.iter().enumerate() {
            match (end, open.pop()) {
                (0 | 1, parent) => {
                    open.extend(parent);
                    let name = ["i", "x"][usize::from(*end)];
                    text.push_str(&format!("<{name} n='{number}'>"));
                    open.push(name);
                }
                (_, Some(name)) => text.push_str(&format!("</{name}>")),
                (_, None) => {}
            }
        }
        for name in open.iter().rev() {
            text.push_str(&format!("</{name}>"));
        }
        text + "</r>"
    }

    fn numbers(text: &str, path: &str, whole: bool) -> Vec<String> {
        let mut names = Names::default();
        let number = names.number("n").unwrap();
        let path = Path::parse(path, &Namespaces::new(), &mut names).unwrap();
        let forward = path.forward().filter(|_| !whole);
        let mut records = Records::new(text.as_bytes(), names, forward).unwrap();
        let mut found = Vec::new();
        while records.advance().unwrap() {
            let tree = records.tree();
            let nodes = match whole {
                true => path.all(tree, Tree::TOP).unwrap(),
                false => records.nodes().to_vec(),
            };
            found.extend(
                nodes
                    .iter()
                    .map(|node| tree.value(*node, number).unwrap_or("").to_owned()),
            );
        }
        found
    }

    proptest::proptest! {
        #[test]
        fn reading_forward_finds_what_the_whole_tree_has(
            ends in proptest::collection::vec(0_u8..4, 0..60),
            path in proptest::sample::select(vec!["i", ".//i", "i/x", "x//i", "*/*", ".//*[i]", ".", "./i[@n]"]),
        ) {
            let text = file(&ends);
            proptest::prop_assert_eq!(numbers(&text, path, false), numbers(&text, path, true));
        }
    }
}
