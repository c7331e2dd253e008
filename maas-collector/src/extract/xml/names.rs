//! Names of elements and attributes as numbers: `{namespace}name`, or `name` without one.

use std::collections::HashMap;
use std::sync::Arc;

/// The number of a name.
pub(super) type NameId = u32;

/// The namespace that the prefix `xml` stands for.
pub(super) const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";

/// Together, the names of a file may not be longer.
const LONGEST_NAMES: usize = 4 << 20;

/// The names that are known; those of paths first, those of a file behind.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    numbers: HashMap<Arc<str>, NameId>,
    names: Vec<Name>,
    length: usize,
}

#[derive(Debug, Clone)]
struct Name {
    text: Arc<str>,
    /// Where the part behind the namespace starts.
    local: usize,
}

impl Names {
    /// The number of this name; a new one when it is met first.
    pub(super) fn number(&mut self, expanded: &str) -> Result<NameId, String> {
        if let Some(number) = self.numbers.get(expanded) {
            return Ok(*number);
        }
        self.length += expanded.len();
        if self.length > LONGEST_NAMES {
            return Err("its names together are longer than 4 MiB".into());
        }
        let local = expanded.rfind('}').map_or(0, |end| end + 1);
        let text: Arc<str> = expanded.into();
        let number = self.names.len() as NameId;
        self.names.push(Name {
            text: Arc::clone(&text),
            local,
        });
        self.numbers.insert(text, number);
        Ok(number)
    }

    /// `{namespace}name`
    pub(super) fn text(&self, number: NameId) -> &str {
        &self.names[number as usize].text
    }

    /// The name without its namespace.
    pub(super) fn local(&self, number: NameId) -> &str {
        let name = &self.names[number as usize];
        &name.text[name.local..]
    }

    /// The namespace; empty without one.
    pub(super) fn namespace(&self, number: NameId) -> &str {
        let name = &self.names[number as usize];
        name.text.get(1..name.local.max(2) - 1).unwrap_or("")
    }
}

/// Whether this can be the name of an element or an attribute, prefix included.
pub(super) fn is_name(text: &str) -> bool {
    let starts = |c: char| c.is_alphabetic() || matches!(c, '_' | ':') || !c.is_ascii();
    let goes_on = |c: char| starts(c) || c.is_ascii_digit() || matches!(c, '-' | '.');
    text.starts_with(starts) && text.chars().all(goes_on)
}

/// The prefixes that hold at a place of the file.
#[derive(Debug, Default)]
pub(super) struct Scope {
    declared: Vec<Declared>,
    length: usize,
}

#[derive(Debug)]
struct Declared {
    depth: usize,
    prefix: String,
    namespace: String,
}

impl Scope {
    /// Together, the namespaces that hold at one place may not be longer.
    const LONGEST: usize = 1 << 20;

    /// `xmlns:prefix="namespace"` on an element at this depth.
    pub(super) fn declare(
        &mut self,
        depth: usize,
        prefix: &str,
        namespace: String,
    ) -> Result<(), String> {
        self.length += prefix.len() + namespace.len();
        if self.length > Self::LONGEST {
            return Err("its namespaces together are longer than 1 MiB".into());
        }
        self.declared.push(Declared {
            depth,
            prefix: prefix.to_owned(),
            namespace,
        });
        Ok(())
    }

    /// The element at this depth ends.
    pub(super) fn end(&mut self, depth: usize) {
        while let Some(last) = self.declared.pop_if(|last| last.depth >= depth) {
            self.length -= last.prefix.len() + last.namespace.len();
        }
    }

    fn namespace(&self, prefix: &str) -> Option<&str> {
        let last = self.declared.iter().rfind(|one| one.prefix == prefix);
        match last {
            Some(declared) => Some(&declared.namespace),
            None if prefix == "xml" => Some(XML_NAMESPACE),
            None => None,
        }
    }

    /// The number of an element's name.
    pub(super) fn element(&self, name: &str, names: &mut Names) -> Result<NameId, String> {
        match name.split_once(':') {
            Some((prefix, local)) => self.prefixed(prefix, local, names),
            None if self.declared.is_empty() => plain(name, names),
            None => match self.namespace("") {
                None | Some("") => plain(name, names),
                Some(namespace) => expanded(namespace, name, names),
            },
        }
    }

    /// The number of an attribute's name: without a prefix it has no namespace.
    pub(super) fn attribute(&self, name: &str, names: &mut Names) -> Result<NameId, String> {
        match name.split_once(':') {
            Some((prefix, local)) => self.prefixed(prefix, local, names),
            None => plain(name, names),
        }
    }

    fn prefixed(&self, prefix: &str, local: &str, names: &mut Names) -> Result<NameId, String> {
        let namespace = self.namespace(prefix);
        let namespace =
            namespace.ok_or_else(|| format!("the prefix `{prefix}` is not declared"))?;
        expanded(namespace, local, names)
    }
}

fn plain(name: &str, names: &mut Names) -> Result<NameId, String> {
    match names.numbers.get(name) {
        Some(number) => Ok(*number),
        None if is_name(name) => names.number(name),
        None => Err(format!("`{name}` is no name")),
    }
}

fn expanded(namespace: &str, local: &str, names: &mut Names) -> Result<NameId, String> {
    if !is_name(local) {
        return Err(format!("`{local}` is no name"));
    }
    names.number(&format!("{{{namespace}}}{local}"))
}
