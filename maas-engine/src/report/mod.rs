//! From write outcomes to the next messages.

mod merge;
mod split;

pub use merge::{Report, Reports};
pub use split::Origin;

/// What was done with a document; the first word of the key it is announced with.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It did not exist before.
    New,
    /// It was replaced.
    Update,
    /// It is gone.
    Delete,
}

impl Action {
    /// The word in the key.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}
