//! The names of exchanges and queues, and the keys that bind them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why a text is no name or key.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is no {what}: {reason}")]
pub struct NameError {
    what: &'static str,
    text: String,
    reason: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `text`.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                let check: fn(&str) -> Result<(), &'static str> = $check;
                match check(&text) {
                    Ok(()) => Ok(Self(text.into())),
                    Err(reason) => Err(NameError { what: $what, text, reason }),
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }
    };
}

fn short(text: &str) -> Result<(), &'static str> {
    if text.len() > 255 {
        // AMQP 0-9-1, "short string".
        Err("it is longer than 255 bytes")
    } else if text.chars().any(char::is_control) {
        Err("it has control characters")
    } else {
        Ok(())
    }
}

fn named(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("it is empty")
    } else {
        short(text)
    }
}

name!(
    /// An exchange. The empty name is the default exchange, which routes by queue name.
    ExchangeName,
    "exchange name",
    short
);
name!(
    /// A queue.
    QueueName,
    "queue name",
    named
);
name!(
    /// The key a message is published with: words joined by dots, no wildcards.
    RoutingKey,
    "routing key",
    |text| {
        named(text)?;
        if text.contains(['*', '#']) { Err("it has a wildcard") } else { Ok(()) }
    }
);
name!(
    /// The key a queue is bound with: as [`RoutingKey`], and `*` for any one word, `#` for any number of
    /// words (also none).
    KeyPattern,
    "binding key",
    |text| {
        named(text)?;
        let whole = |word: &str| word.len() == 1 || !word.contains(['*', '#']);
        if text.split('.').all(whole) { Ok(()) } else { Err("a wildcard must be a whole word") }
    }
);

impl ExchangeName {
    /// The exchange that routes by queue name.
    pub fn default_exchange() -> Self {
        Self("".into())
    }
}

impl From<RoutingKey> for KeyPattern {
    fn from(key: RoutingKey) -> Self {
        Self(key.0)
    }
}

impl KeyPattern {
    /// Whether messages with this key come to a queue bound with this pattern.
    pub fn matches(&self, key: &RoutingKey) -> bool {
        fn walk(pattern: &[&str], words: &[&str]) -> bool {
            match pattern.split_first() {
                None => words.is_empty(),
                Some((&"#", rest)) => (0..=words.len()).any(|taken| walk(rest, &words[taken..])),
                Some((&word, rest)) => words.split_first().is_some_and(|(&first, words)| {
                    (word == "*" || word == first) && walk(rest, words)
                }),
            }
        }
        let pattern: Vec<&str> = self.0.split('.').collect();
        let words: Vec<&str> = key.0.split('.').collect();
        walk(&pattern, &words)
    }
}
