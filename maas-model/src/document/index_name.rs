//! The name of an index or alias, checked once.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The name of an index or of an alias: not empty, at most 255 bytes, lower case, none of
/// `\ / * ? " < > | , #`, blank or colon, not starting with `-`, `_` or `+`. These are OpenSearch's rules;
/// they hold on every store so that a pipeline can move between stores.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IndexName(Arc<str>);

/// Why a text is no index name.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{name}` is no index name: {reason}")]
pub struct IndexNameError {
    /// The text that was refused.
    pub name: String,
    /// The rule it breaks.
    pub reason: &'static str,
}

impl IndexName {
    /// Checks `name`.
    pub fn new(name: impl Into<String>) -> Result<Self, IndexNameError> {
        let name = name.into();
        let reason = if name.is_empty() {
            "it is empty"
        } else if name.len() > 255 {
            "it is longer than 255 bytes"
        } else if name.starts_with(['-', '_', '+']) {
            "it starts with `-`, `_` or `+`"
        } else if name == "." || name == ".." {
            "it is `.` or `..`"
        } else if name.bytes().all(is_plain) {
            return Ok(Self(name.into()));
        } else if name.chars().any(char::is_uppercase) {
            "it has upper-case letters"
        } else if name
            .contains(|c: char| c.is_whitespace() || c.is_control() || "\\/*?\"<>|,#:".contains(c))
        {
            "it has a character that no index name may have"
        } else {
            return Ok(Self(name.into()));
        };
        Err(IndexNameError { name, reason })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What nearly all names are made of.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.')
}

impl fmt::Display for IndexName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for IndexName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}

impl Borrow<str> for IndexName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for IndexName {
    type Error = IndexNameError;

    fn try_from(name: String) -> Result<Self, IndexNameError> {
        Self::new(name)
    }
}

impl From<IndexName> for String {
    fn from(name: IndexName) -> Self {
        name.0.as_ref().to_owned()
    }
}
