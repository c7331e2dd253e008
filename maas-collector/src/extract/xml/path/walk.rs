//! Follows a path through a tree.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use super::{Path, Predicate, Step};
use crate::extract::xml::names::NameId;
use crate::extract::xml::tree::{NodeId, Tree};

/// Elements that one path may look at. Only several `//` in a file that is nested on purpose need more.
const MOST_LOOKS: usize = 20_000_000;

pub(super) fn first(path: &Path, tree: &Tree, from: NodeId) -> Result<Option<NodeId>, String> {
    let mut found = None;
    Walk::new(tree, from).start(path, &mut |node| {
        found = Some(node);
        ControlFlow::Break(())
    })?;
    Ok(found)
}

pub(super) fn all(path: &Path, tree: &Tree, from: NodeId) -> Result<Vec<NodeId>, String> {
    let mut found = Vec::new();
    Walk::new(tree, from).start(path, &mut |node| {
        found.push(node);
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

struct Walk<'a> {
    tree: &'a Tree,
    from: NodeId,
    looks: usize,
    /// Parents that a `..` has led to: it leads to each once. By the number of steps behind it.
    parents: HashSet<(usize, NodeId)>,
    /// Positions found: (parent, name, position) -> the element there.
    positions: HashMap<(NodeId, NameId, i64), Option<NodeId>>,
}

type Sink<'s> = dyn FnMut(NodeId) -> ControlFlow<()> + 's;

impl<'a> Walk<'a> {
    fn new(tree: &'a Tree, from: NodeId) -> Self {
        Self {
            tree,
            from,
            looks: 0,
            parents: HashSet::new(),
            positions: HashMap::new(),
        }
    }

    fn start(&mut self, path: &Path, sink: &mut Sink<'_>) -> Result<(), String> {
        let _ = self.steps(&path.steps, self.from, sink);
        if self.looks > MOST_LOOKS {
            return Err("the path leads through too many elements".into());
        }
        Ok(())
    }

    /// Follows the steps from one element; their number is limited, so is the recursion.
    fn steps(&mut self, steps: &[Step], node: NodeId, sink: &mut Sink<'_>) -> ControlFlow<()> {
        self.looks += 1;
        if self.looks > MOST_LOOKS {
            return ControlFlow::Break(());
        }
        let Some((step, rest)) = steps.split_first() else {
            return sink(node);
        };
        let tree = self.tree;
        match step {
            Step::Itself => self.steps(rest, node, sink)?,
            // Nothing is above the element that the path starts from.
            Step::Parent if node == self.from => {}
            Step::Parent => {
                let parent = tree.parent(node);
                if self.parents.insert((rest.len(), parent)) {
                    self.steps(rest, parent, sink)?;
                }
            }
            Step::Child(test) => {
                for child in tree.children(node) {
                    if test.fits(tree.name(child), &tree.names) {
                        self.steps(rest, child, sink)?;
                    } else {
                        self.looks += 1;
                    }
                }
            }
            Step::Descendant(test) => {
                for below in tree.below(node) {
                    if test.fits(tree.name(below), &tree.names) {
                        self.steps(rest, below, sink)?;
                    } else {
                        self.looks += 1;
                    }
                }
            }
            Step::Filter(Predicate::Position(position)) => {
                if node != self.from && self.at_position(node, *position) {
                    self.steps(rest, node, sink)?;
                }
            }
            Step::Filter(predicate) => {
                if predicate.fits(tree, node) {
                    self.steps(rest, node, sink)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn at_position(&mut self, node: NodeId, position: i64) -> bool {
        let tree = self.tree;
        let (parent, name) = (tree.parent(node), tree.name(node));
        let there = self.positions.entry((parent, name, position));
        let there = there.or_insert_with(|| {
            let mut same = tree.children(parent).filter(|one| tree.name(*one) == name);
            match usize::try_from(position) {
                Ok(position) => same.nth(position),
                Err(_) => {
                    let back = usize::try_from(-position).unwrap_or(usize::MAX);
                    let same: Vec<NodeId> = same.collect();
                    same.len().checked_sub(back).map(|at| same[at])
                }
            }
        });
        *there == Some(node)
    }
}

impl Predicate {
    /// Whether the element is like that. A position is not known from the element alone.
    pub(in crate::extract::xml) fn fits(&self, tree: &Tree, node: NodeId) -> bool {
        let names = &tree.names;
        match self {
            Self::HasAttribute(name) => tree.value(node, *name).is_some(),
            Self::Attribute(name, wanted) => tree
                .value(node, *name)
                .is_some_and(|value| wanted.is(value)),
            Self::HasChild(test) => tree
                .children(node)
                .any(|child| test.fits(tree.name(child), names)),
            Self::Child(test, wanted) => tree.children(node).any(|child| {
                test.fits(tree.name(child), names) && wanted.is(tree.inner_text(child))
            }),
            Self::Text(wanted) => wanted.is(tree.inner_text(node)),
            Self::Position(_) => false,
        }
    }
}
