//! For extractors of one kind of file: paths that are fixed, and elements to ask.

use std::ops::ControlFlow;

use maas_model::plugin::SettingError;

use super::names::{NameId, Names};
use super::path::{Namespaces, Path};
use super::read::{RecordPath, each};
use super::tree::{NodeId, Tree};
use crate::extract::field::wrong;
use crate::extract::{ExtractError, Input, Origin};

/// The words of a kind of file.
#[derive(Default)]
pub(in crate::extract) struct Format {
    names: Names,
}

/// A path within files of one kind.
pub(in crate::extract) struct Place(Path);

/// The name of an attribute in files of one kind.
pub(in crate::extract) struct AttributeName(NameId);

/// An element of a file.
#[derive(Clone, Copy)]
pub(in crate::extract) struct Element<'a> {
    tree: &'a Tree,
    node: NodeId,
}

impl Format {
    /// A path of this kind of file. The paths are fixed: a test that builds the extractor has seen them all.
    pub(in crate::extract) fn place(&mut self, path: &str) -> Result<Place, Vec<SettingError>> {
        let path = Path::parse(path, &Namespaces::new(), &mut self.names);
        path.map(Place).map_err(|error| vec![wrong("", error)])
    }

    /// An attribute of this kind of file.
    pub(in crate::extract) fn attribute(
        &mut self,
        name: &str,
    ) -> Result<AttributeName, Vec<SettingError>> {
        let number = self.names.number(name);
        number
            .map(AttributeName)
            .map_err(|error| vec![wrong("", error)])
    }

    /// Gives the topmost element of the file to `take`.
    pub(in crate::extract) fn read(
        &self,
        input: &Input<'_>,
        take: &mut dyn FnMut(Element<'_>, &Origin<'_>) -> ControlFlow<()>,
    ) -> Result<(), ExtractError> {
        each(input, &self.names, None, &mut |tree, node, origin| {
            take(Element { tree, node }, origin)
        })
    }

    /// Gives every element that `records` leads to, one at a time.
    pub(in crate::extract) fn read_each(
        &self,
        input: &Input<'_>,
        records: &Place,
        take: &mut dyn FnMut(Element<'_>, &Origin<'_>) -> ControlFlow<()>,
    ) -> Result<(), ExtractError> {
        let records = RecordPath::from(records.0.clone());
        each(
            input,
            &self.names,
            Some(&records),
            &mut |tree, node, origin| take(Element { tree, node }, origin),
        )
    }
}

impl<'a> Element<'a> {
    /// The text before the first child.
    pub(in crate::extract) fn text(self) -> &'a str {
        self.tree.text(self.node)
    }

    pub(in crate::extract) fn attribute(self, name: &AttributeName) -> Option<&'a str> {
        self.tree.value(self.node, name.0)
    }

    pub(in crate::extract) fn children(self) -> impl Iterator<Item = Self> {
        let children = self.tree.children(self.node);
        children.map(move |node| Self { node, ..self })
    }

    pub(in crate::extract) fn first(self, place: &Place) -> Option<Self> {
        // Too many elements to look at takes two `//` in a path; the fixed ones have one at most.
        let node = place.0.first(self.tree, self.node).ok()??;
        Some(Self { node, ..self })
    }

    pub(in crate::extract) fn all(self, place: &Place) -> impl Iterator<Item = Self> {
        let nodes = place.0.all(self.tree, self.node).unwrap_or_default();
        nodes.into_iter().map(move |node| Self { node, ..self })
    }

    /// The text of the first element there.
    pub(in crate::extract) fn text_of(self, place: &Place) -> Option<&'a str> {
        self.first(place).map(Self::text)
    }
}
