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

    /// Where collectors announce, unless the pipeline says otherwise: `collect-exchange`.
    pub fn collect() -> Self {
        Self("collect-exchange".into())
    }

    /// Where pools report, unless the pipeline says otherwise: `etl-exchange`.
    pub fn report() -> Self {
        Self("etl-exchange".into())
    }
}

impl RoutingKey {
    /// Stands for a key of another system that is none of ours.
    pub(super) fn unknown() -> Self {
        Self("unknown".into())
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
        let pattern: Vec<&str> = self.0.split('.').collect();
        let words: Vec<&str> = key.0.split('.').collect();
        words_match(&pattern, &words)
    }

    /// Whether there is a key that both patterns match.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (a, b): (Vec<&str>, Vec<&str>) =
            (self.0.split('.').collect(), other.0.split('.').collect());
        // fits[j]: what is left of `a` overlaps with `b[j..]`; from the ends to the starts.
        let mut fits: Vec<bool> = vec![false; b.len() + 1];
        for i in (0..=a.len()).rev() {
            let after = std::mem::replace(&mut fits, vec![false; b.len() + 1]);
            for j in (0..=b.len()).rev() {
                let (x, y) = (a.get(i).copied(), b.get(j).copied());
                fits[j] = match (x, y) {
                    (None, None) => true,
                    (Some("#"), _) => after[j] || (y.is_some() && fits[j + 1]),
                    (_, Some("#")) => fits[j + 1] || (x.is_some() && after[j]),
                    (Some(x), Some(y)) => (x == y || x == "*" || y == "*") && after[j + 1],
                    _ => false,
                };
            }
        }
        fits[0]
    }

    /// Whether it has no wildcard: the key is known.
    pub fn is_literal(&self) -> bool {
        !self.0.contains(['*', '#'])
    }
}

/// Matches from the left and remembers only the last `#`: an earlier one never has to give back words,
/// since the later one can take any. So the cost is at most pattern times words.
fn words_match(pattern: &[&str], words: &[&str]) -> bool {
    let (mut at, mut word) = (0, 0);
    let mut last_hash: Option<(usize, usize)> = None;
    while word < words.len() {
        match pattern.get(at) {
            Some(&"#") => {
                last_hash = Some((at, word));
                at += 1;
            }
            Some(&expected) if expected == "*" || expected == words[word] => {
                at += 1;
                word += 1;
            }
            _ => match last_hash {
                Some((hash, taken)) => {
                    last_hash = Some((hash, taken + 1));
                    at = hash + 1;
                    word = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == "#")
}

/// Whether `text` is like `pattern`, in which `*` stands for any text.
pub(crate) fn text_matches(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut rest) = text.strip_prefix(head) else {
        return false;
    };
    let (middle, last) = tail.rsplit_once('*').unwrap_or(("", tail));
    for part in middle.split('*') {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, key: &str) -> bool {
        KeyPattern::new(pattern)
            .unwrap()
            .matches(&RoutingKey::new(key).unwrap())
    }

    #[test]
    fn patterns_match_as_the_broker_does() {
        for (pattern, key, expected) in [
            ("a.b", "a.b", true),
            ("a.b", "a.b.c", false),
            ("a.*", "a.b", true),
            ("a.*", "a", false),
            ("a.*", "a.b.c", false),
            ("a.#", "a", true),
            ("a.#", "a.b.c", true),
            ("#", "x", true),
            ("#.c", "a.b.c", true),
            ("#.c", "a.b.d", false),
            ("#.b.#.c", "a.b.b.x.c", true),
            ("#.b.*.c", "a.b.b.x.c", true),
            ("*.#.*", "a", false),
            ("*.#.*", "a.b", true),
            ("new.raw.data.*", "new.raw.data.prip-product", true),
        ] {
            assert_eq!(matches(pattern, key), expected, "`{pattern}` and `{key}`");
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("*", "a.b", true),
            ("a*", "a.b", true),
            ("*b", "a.b", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c", false),
            ("a*a", "a", false),
            ("ab", "ab", true),
            ("ab", "abc", false),
        ] {
            assert_eq!(
                text_matches(pattern, text),
                expected,
                "`{pattern}` and `{text}`"
            );
        }
    }

    #[test]
    fn many_hashes_are_not_exponential() {
        let pattern = format!("{}z", "#.a.".repeat(40));
        let key = format!("{}b", "a.".repeat(100));
        assert!(pattern.len() < 255 && key.len() < 255);
        assert!(!matches(&pattern, &key));
    }

    #[test]
    fn patterns_overlap_where_one_key_fits_both() {
        for (a, b, expected) in [
            ("a.b", "a.b", true),
            ("a.b", "a.c", false),
            ("a.*", "*.b", true),
            ("a.*", "a", false),
            ("a.#", "a", true),
            ("#", "a.b.c", true),
            ("a.#.z", "#.y.z", true),
            ("a.#.z", "b.#", false),
            ("#.x", "x.#", true),
            ("*.*", "a.#.b.c", false),
            ("#.#", "*", true),
        ] {
            let pattern = |text| KeyPattern::new(text).unwrap();
            assert_eq!(pattern(a).overlaps(&pattern(b)), expected, "{a} {b}");
            assert_eq!(pattern(b).overlaps(&pattern(a)), expected, "{b} {a}");
        }
    }
}
