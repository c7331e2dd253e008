//! What is left to do of a step after its writes.

use std::collections::BTreeSet;

use maas_model::document::DocumentId;

use crate::pool::write::Target;

/// See the module.
#[derive(Debug, Default)]
pub(in crate::pool) struct Rest {
    /// The inputs to run again.
    pub(super) inputs: BTreeSet<DocumentId>,
    /// All inputs are to be run again.
    pub(super) all: bool,
    /// What took the place of a stored document.
    pub(in crate::pool) replaced: Vec<Target>,
    /// Why the store could not take something, when it was not for a conflict.
    pub(in crate::pool) away: Option<String>,
}

impl Rest {
    /// A change with these inputs is to be done again.
    pub(in crate::pool) fn again(&mut self, inputs: Vec<DocumentId>) {
        self.all |= inputs.is_empty();
        self.inputs.extend(inputs);
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.all && self.inputs.is_empty()
    }
}
