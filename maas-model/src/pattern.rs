//! Regular expressions from configuration: their matching takes a number of steps that is known before.
//!
//! The `regex` crate never goes back in a text, so a search takes at most (size of the pattern) x (length of the
//! text) steps. Both come from outside, and their product could keep a processor busy for hours. So the size of a
//! pattern is limited, and a text is refused that is too long for the size of its pattern.

use regex::{Captures, Regex, RegexBuilder};

/// Bytes that a compiled pattern may take, from small to the largest that is allowed. The patterns of production
/// take 10 to 100 KiB: the letters of all languages are what makes `\w` large.
const SIZES: [usize; 4] = [16 << 10, 128 << 10, 1 << 20, 4 << 20];
/// Least bytes of one state of a compiled pattern.
const STATE_BYTES: usize = 16;
/// Steps of one search at most: some seconds in the worst case, which real patterns never come near.
const MOST_STEPS: usize = 1 << 32;
/// Nested groups and repetitions.
const DEEPEST: u32 = 64;
/// What each pattern may use to be fast.
const CACHE: usize = 1 << 20;

/// A regular expression that was checked.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    /// It has at most so many.
    states: usize,
}

/// The text is too long for the pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a text of {length} bytes is too long for a pattern of this size: {longest} at most")]
pub struct TextTooLong {
    length: usize,
    longest: usize,
}

impl Pattern {
    /// Compiles a pattern. One that becomes larger than 4 MiB is refused, as `regex` says it.
    pub fn new(text: &str) -> Result<Self, regex::Error> {
        let build = |size| {
            let mut builder = RegexBuilder::new(text);
            builder.size_limit(size).dfa_size_limit(CACHE);
            builder.nest_limit(DEEPEST).build()
        };
        let largest = SIZES[SIZES.len() - 1];
        let mut size = largest;
        // What is wrong with it is told of the largest.
        let mut regex = build(largest)?;
        for smaller in SIZES {
            if let Ok(small) = build(smaller) {
                (regex, size) = (small, smaller);
                break;
            }
        }
        Ok(Self {
            regex,
            states: size / STATE_BYTES,
        })
    }

    /// Whether a text is a pattern that is compiled in some thousand steps.
    pub fn is_small(text: &str) -> bool {
        Self::new(text).is_ok_and(|pattern| pattern.states <= SIZES[0] / STATE_BYTES)
    }

    /// Whether it matches somewhere.
    pub fn is_match(&self, text: &str) -> Result<bool, TextTooLong> {
        self.fits(text)?;
        Ok(self.regex.is_match(text))
    }

    /// The groups of the first match.
    pub fn captures<'t>(&self, text: &'t str) -> Result<Option<Captures<'t>>, TextTooLong> {
        self.fits(text)?;
        Ok(self.regex.captures(text))
    }

    /// The pattern itself, for its names and numbers of groups.
    pub fn regex(&self) -> &Regex {
        &self.regex
    }

    /// How many steps a search of this text may take.
    pub(crate) fn steps(&self, text: &str) -> usize {
        self.states.saturating_mul(text.len())
    }

    fn longest_text(&self) -> usize {
        MOST_STEPS / self.states
    }

    fn fits(&self, text: &str) -> Result<(), TextTooLong> {
        let (length, longest) = (text.len(), self.longest_text());
        match length > longest {
            true => Err(TextTooLong { length, longest }),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_takes_a_number_of_steps_that_is_known() {
        for text in [
            "a",
            r"^(?P<a>\w+) \[(?P<b>[A-Z]+)\] (?P<c>.*)$",
            r"(a+)+$",
            r"(a|a)*b",
            r"(?:(?:a?){20}){20}",
            r"(x*)*y",
            r"\w{5}\s+\w{5}",
            r"[^b]{1,400}b",
        ] {
            let pattern = Pattern::new(text).unwrap();
            let longest = "x".repeat(pattern.longest_text());
            assert!(pattern.steps(&longest) <= MOST_STEPS, "{text}");
            assert!(pattern.is_match(&format!("{longest}x")).is_err(), "{text}");
            assert!(longest.len() >= 64 << 10, "{text}");
        }
    }

    #[test]
    fn what_becomes_too_large_is_refused() {
        for text in [
            r"(?:a{1000}){1000}",
            r"((((a{50}){50}){50}){50}){50}",
            r"\pL{1000}",
            r"(?:\w{100}){100}",
            &"(".repeat(100_000),
            &format!("{}a{}", "(".repeat(200), ")".repeat(200)),
            &format!("{}a{}", "(?:".repeat(65), ")*".repeat(65)),
        ] {
            assert!(
                Pattern::new(text).is_err(),
                "{}",
                &text[..text.len().min(40)]
            );
        }
    }

    #[test]
    fn a_text_may_be_too_long_for_a_large_pattern() {
        let large = Pattern::new(r"\w{40}").unwrap();
        let long = "x".repeat(large.longest_text() + 1);
        let error = large.is_match(&long).unwrap_err();
        assert_eq!(error.longest, large.longest_text());
        assert!(large.captures(&long).is_err());
        assert_eq!(large.is_match(&long[1..]), Ok(true));
        assert_eq!(Pattern::new("x").unwrap().is_match(&long), Ok(true));
    }
}
