//! Paths to elements: ElementTree's subset of XPath, read once.

mod parse;
#[cfg(test)]
mod tests;
mod walk;

pub(super) use parse::attribute;

use std::fmt::Write;

use indexmap::IndexMap;

use super::names::{NameId, Names};
use super::tree::{NodeId, Tree};

/// Prefix -> namespace; the empty prefix is that of names without one.
pub(super) type Namespaces = IndexMap<String, String>;

/// A path below an element: `a/b`, `.//a[@b='c']`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    steps: Vec<Step>,
}

/// Why a text is no path.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{reason} at character {}", .position + 1)]
pub(super) struct PathError {
    /// In characters, from 0.
    pub(super) position: usize,
    pub(super) reason: String,
}

/// The way of one step from the elements so far to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Itself,
    Parent,
    Child(Test),
    Descendant(Test),
    Filter(Predicate),
}

/// Which elements are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    Any,
    Name(NameId),
    /// `{*}name`
    Local(String),
    /// `{namespace}*`; empty: without namespace.
    Namespace(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Predicate {
    HasAttribute(NameId),
    Attribute(NameId, Wanted),
    HasChild(Test),
    Child(Test, Wanted),
    Text(Wanted),
    /// Of those of its name in the same parent; from 0, or from the last backwards as -1, -2...
    Position(i64),
}

/// A text that something has to be, or must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    text: String,
    equal: bool,
}

impl Wanted {
    fn is(&self, text: &str) -> bool {
        (self.text == text) == self.equal
    }
}

impl Test {
    pub(super) fn fits(&self, name: NameId, names: &Names) -> bool {
        match self {
            Self::Any => true,
            Self::Name(wanted) => *wanted == name,
            Self::Local(local) => names.local(name) == local,
            Self::Namespace(namespace) => names.namespace(name) == namespace,
        }
    }
}

/// Steps of a path that can be followed while a file is read.
#[derive(Debug, Clone)]
pub(super) struct Forward {
    /// Children of children, from the topmost element.
    pub(super) children: Vec<Test>,
    /// Anywhere below those.
    pub(super) descendant: Option<Test>,
    /// What the element itself has to be like, once it is complete.
    pub(super) filters: Vec<Predicate>,
}

impl Path {
    /// Reads a path. Names without a prefix have the namespace of the empty one.
    pub(super) fn parse(
        text: &str,
        namespaces: &Namespaces,
        names: &mut Names,
    ) -> Result<Self, PathError> {
        parse::parse(text, namespaces, names)
    }

    /// The same path for one who reads the file forward, when there is one.
    ///
    /// Not with `.//` in the middle: elements would come in another order, or twice.
    pub(super) fn forward(&self) -> Option<Forward> {
        let mut forward = Forward {
            children: Vec::new(),
            descendant: None,
            filters: Vec::new(),
        };
        for step in &self.steps {
            let open = forward.descendant.is_none() && forward.filters.is_empty();
            match step {
                Step::Itself => {}
                Step::Child(test) if open => forward.children.push(test.clone()),
                Step::Descendant(test) if open => forward.descendant = Some(test.clone()),
                Step::Filter(Predicate::Position(_)) => return None,
                Step::Filter(predicate) => forward.filters.push(predicate.clone()),
                _ => return None,
            }
        }
        Some(forward)
    }

    /// The first element that it leads to.
    pub(super) fn first(&self, tree: &Tree, from: NodeId) -> Result<Option<NodeId>, String> {
        walk::first(self, tree, from)
    }

    /// All elements that it leads to, in the order of the steps.
    pub(super) fn all(&self, tree: &Tree, from: NodeId) -> Result<Vec<NodeId>, String> {
        walk::all(self, tree, from)
    }

    /// The path with namespaces in full, for settings without prefixes.
    pub(super) fn in_full(&self, names: &Names) -> String {
        let mut text = String::new();
        for (at, step) in self.steps.iter().enumerate() {
            match step {
                Step::Filter(predicate) => predicate.write(&mut text, names),
                Step::Descendant(_) if at == 0 => text.push_str(".//"),
                Step::Descendant(_) => text.push_str("//"),
                _ if at > 0 => text.push('/'),
                _ => {}
            }
            match step {
                Step::Itself => text.push('.'),
                Step::Parent => text.push_str(".."),
                Step::Child(test) | Step::Descendant(test) => test.write(&mut text, names),
                Step::Filter(_) => {}
            }
        }
        text
    }
}

impl Test {
    fn write(&self, text: &mut String, names: &Names) {
        match self {
            Self::Any => text.push('*'),
            Self::Name(name) => text.push_str(names.text(*name)),
            Self::Local(local) => drop(write!(text, "{{*}}{local}")),
            Self::Namespace(namespace) => drop(write!(text, "{{{namespace}}}*")),
        }
    }
}

impl Predicate {
    fn write(&self, text: &mut String, names: &Names) {
        text.push('[');
        match self {
            Self::HasAttribute(name) | Self::Attribute(name, _) => {
                text.push('@');
                text.push_str(names.text(*name));
            }
            Self::HasChild(test) | Self::Child(test, _) => test.write(text, names),
            Self::Text(_) => text.push('.'),
            Self::Position(-1) => text.push_str("last()"),
            Self::Position(back) if *back < 0 => drop(write!(text, "last(){}", back + 1)),
            Self::Position(at) => drop(write!(text, "{}", at + 1)),
        }
        if let Self::Attribute(_, wanted) | Self::Child(_, wanted) | Self::Text(wanted) = self {
            let sign = if wanted.equal { "=" } else { "!=" };
            let quote = if wanted.text.contains('\'') {
                '"'
            } else {
                '\''
            };
            let _ = write!(text, "{sign}{quote}{}{quote}", wanted.text);
        }
        text.push(']');
    }
}
