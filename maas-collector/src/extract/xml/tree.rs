//! One record, or one whole file, as a tree in four flat lists.
//!
//! Elements stand in the order of the file, so that what is below an element is a range, and so is its
//! inner text.

use std::ops::Range;

use serde_json::{Map, Value};

use super::names::{NameId, Names};

/// Elements and attributes of one record, or of a file that is read whole.
const MOST_NODES: usize = 1 << 20;
/// Bytes of text and attribute values of one record, or of a file that is read whole.
const LONGEST_TEXT: usize = 64 << 20;

/// What is told of a record that is too large.
const SMALLER: &str = "name smaller records: by a path of children, or by `.//tag`";

/// The number of an element within its tree; 0 is the topmost.
pub(super) type NodeId = usize;

/// Elements with their texts and attributes.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    attributes: Vec<Attribute>,
    text: String,
    /// Values of attributes. Apart, so that the text of an element lies in one piece.
    values: String,
    pub(super) names: Names,
}

#[derive(Debug)]
struct Node {
    name: NameId,
    parent: u32,
    /// The first element that is not below it.
    end: u32,
    first_attribute: u32,
    text_start: u32,
    /// The end of the text before its first child.
    text_end: u32,
    /// The end of all text in it.
    inner_end: u32,
}

#[derive(Debug)]
struct Attribute {
    name: NameId,
    start: u32,
    end: u32,
}

impl Tree {
    /// The topmost element.
    pub(super) const TOP: NodeId = 0;

    pub(super) fn new(names: Names) -> Self {
        Self {
            names,
            ..Self::default()
        }
    }

    /// Forgets all but the names.
    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        self.attributes.clear();
        self.text.clear();
        self.values.clear();
    }

    /// Adds an element below `parent`; its attributes and its text follow.
    pub(super) fn begin(&mut self, name: NameId, parent: NodeId) -> Result<NodeId, String> {
        self.has_room()?;
        let at = self.text.len() as u32;
        if let Some(parent) = self.nodes.get_mut(parent)
            && parent.text_end == u32::MAX
        {
            parent.text_end = at;
        }
        let number = self.nodes.len();
        self.nodes.push(Node {
            name,
            parent: parent as u32,
            end: 0,
            first_attribute: self.attributes.len() as u32,
            text_start: at,
            text_end: u32::MAX,
            inner_end: 0,
        });
        Ok(number)
    }

    /// Adds an attribute to the last element.
    pub(super) fn attribute(&mut self, name: NameId, value: &str) -> Result<(), String> {
        self.has_room()?;
        self.fits(value.len())?;
        let start = self.values.len() as u32;
        self.values.push_str(value);
        let end = self.values.len() as u32;
        self.attributes.push(Attribute { name, start, end });
        Ok(())
    }

    /// Adds text where the file is.
    pub(super) fn push_text(&mut self, text: &str) -> Result<(), String> {
        self.fits(text.len())?;
        self.text.push_str(text);
        Ok(())
    }

    /// The element is complete.
    pub(super) fn end(&mut self, node: NodeId) {
        let at = self.text.len() as u32;
        let end = self.nodes.len() as u32;
        let node = &mut self.nodes[node];
        node.end = end;
        node.inner_end = at;
        node.text_end = node.text_end.min(at);
    }

    fn has_room(&self) -> Result<(), String> {
        match self.nodes.len() + self.attributes.len() {
            MOST_NODES.. => Err(format!(
                "it has more than a million elements and attributes; {SMALLER}"
            )),
            _ => Ok(()),
        }
    }

    fn fits(&self, more: usize) -> Result<(), String> {
        if self.text.len() + self.values.len() + more > LONGEST_TEXT {
            return Err(format!(
                "its texts together are longer than 64 MiB; {SMALLER}"
            ));
        }
        Ok(())
    }

    pub(super) fn name(&self, node: NodeId) -> NameId {
        self.nodes[node].name
    }

    /// The text before the first child.
    pub(super) fn text(&self, node: NodeId) -> &str {
        let node = &self.nodes[node];
        &self.text[node.text_start as usize..node.text_end as usize]
    }

    /// All text in it.
    pub(super) fn inner_text(&self, node: NodeId) -> &str {
        let node = &self.nodes[node];
        &self.text[node.text_start as usize..node.inner_end as usize]
    }

    /// The value of an attribute.
    pub(super) fn value(&self, node: NodeId, attribute: NameId) -> Option<&str> {
        let found = self.attributes_of(node).find(|one| one.name == attribute)?;
        Some(self.value_of(found))
    }

    fn value_of(&self, attribute: &Attribute) -> &str {
        &self.values[attribute.start as usize..attribute.end as usize]
    }

    fn attributes_of(&self, node: NodeId) -> impl Iterator<Item = &Attribute> {
        let first = self.nodes[node].first_attribute as usize;
        let next = self.nodes.get(node + 1);
        let end = next.map_or(self.attributes.len(), |next| next.first_attribute as usize);
        self.attributes[first..end].iter()
    }

    /// The element that it is in; the topmost is in itself.
    pub(super) fn parent(&self, node: NodeId) -> NodeId {
        self.nodes[node].parent as usize
    }

    /// All elements below it, in order.
    pub(super) fn below(&self, node: NodeId) -> Range<NodeId> {
        node + 1..self.nodes[node].end as usize
    }

    /// Its children, in order.
    pub(super) fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let Range { start, end } = self.below(node);
        let within = move |child: NodeId| Some(child).filter(|child| *child < end);
        std::iter::successors(within(start), move |child| {
            within(self.nodes[*child].end as usize)
        })
    }

    /// The element as an expression sees it: a text when it has neither attributes nor children, else an
    /// object of `@attribute`, child (a list when there are several of a name) and `#text`.
    pub(super) fn as_value(&self, node: NodeId) -> Value {
        let mut object = Map::new();
        for attribute in self.attributes_of(node) {
            let name = format!("@{}", self.names.local(attribute.name));
            object.insert(name, self.value_of(attribute).into());
        }
        for child in self.children(node) {
            let value = self.as_value(child);
            match object.get_mut(self.names.local(self.name(child))) {
                None => {
                    let name = self.names.local(self.name(child)).to_owned();
                    object.insert(name, value);
                }
                Some(Value::Array(values)) => values.push(value),
                Some(one) => *one = Value::Array(vec![one.take(), value]),
            }
        }
        let text = self.text(node);
        if object.is_empty() {
            return text.into();
        }
        if !text.trim().is_empty() {
            object.insert("#text".into(), text.into());
        }
        object.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_its_limits() {
        let mut names = Names::default();
        let name = names.number("a").unwrap();
        let mut tree = Tree::new(names);
        let refused = (0..=MOST_NODES).find_map(|_| tree.begin(name, Tree::TOP).err());
        assert!(refused.unwrap().contains("a million elements"));
        tree.clear();
        let text = "x".repeat(LONGEST_TEXT / 4);
        let refused = (0..=4).find_map(|_| tree.push_text(&text).err());
        assert!(refused.unwrap().contains("64 MiB"));
    }
}
