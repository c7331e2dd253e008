//! Which dead letters are meant.

use std::collections::HashSet;

use crate::message::DeadLetter;

/// Which letters. Everything that is set must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeadFilter {
    /// Of this pool or interface.
    pub owner: Option<String>,
    /// With this [`DeadReason::kind`](crate::message::DeadReason::kind).
    pub kind: Option<String>,
    /// With this engine or interface at fault.
    pub component: Option<String>,
    /// About documents in this index; a name with a date behind it counts as the index, too.
    pub index: Option<String>,
    /// About this document.
    pub document: Option<String>,
    /// Given up at this instant or later, in the stored date form.
    pub since: Option<String>,
    /// Given up before this instant, in the stored date form.
    pub until: Option<String>,
    /// Only these ids; empty means any.
    pub ids: HashSet<String>,
}

impl DeadFilter {
    /// The letters with these ids.
    pub fn ids(ids: impl IntoIterator<Item = String>) -> Self {
        Self {
            ids: ids.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Whether it lets a letter through.
    pub fn matches(&self, letter: &DeadLetter) -> bool {
        let is = |wanted: &Option<String>, value: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == value)
        };
        // Stored dates sort as texts.
        is(&self.owner, Some(&letter.owner))
            && is(&self.kind, Some(&letter.reason.kind))
            && is(&self.component, letter.reason.component.as_deref())
            && self
                .since
                .as_ref()
                .is_none_or(|since| letter.date >= *since)
            && self.until.as_ref().is_none_or(|until| letter.date < *until)
            && self.index.as_deref().is_none_or(|index| {
                let of = |name: &String| belongs(name, index);
                letter.indices().iter().any(of)
            })
            && self
                .document
                .as_ref()
                .is_none_or(|id| letter.documents().contains(id))
            && (self.ids.is_empty() || self.ids.contains(&letter.id))
    }
}

/// Whether `name` is `index` or one of its partitions.
fn belongs(name: &str, index: &str) -> bool {
    let rest = name.strip_prefix(index);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
