//! What must be heard downstream, and what was: the oracle owns what was issued and what was observed, and
//! never reads a metric of the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use anyhow::{Result, ensure};
use maas_tests::audit::Heard;

/// One thing that the rest of the chain learns: what became of which document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Announced {
    /// The class of the document.
    pub class: String,
    /// The document.
    pub id: String,
    /// `new`, `update` or `delete`.
    pub action: String,
}

impl Announced {
    /// From its parts.
    pub fn new(class: &str, id: &str, action: &str) -> Self {
        Self {
            class: class.to_owned(),
            id: id.to_owned(),
            action: action.to_owned(),
        }
    }
}

impl From<Heard> for Announced {
    fn from(heard: Heard) -> Self {
        let action = heard.key.split('.').next().unwrap_or_default();
        Self {
            action: action.to_owned(),
            class: heard.class,
            id: heard.id,
        }
    }
}

/// What was issued, and what was observed of it.
#[derive(Debug, Clone)]
pub struct Oracle<T> {
    expected: BTreeSet<T>,
    tolerated: BTreeSet<T>,
    observed: BTreeMap<T, usize>,
}

impl<T> Default for Oracle<T> {
    fn default() -> Self {
        Self {
            expected: BTreeSet::new(),
            tolerated: BTreeSet::new(),
            observed: BTreeMap::new(),
        }
    }
}

impl<T: Ord + Clone + Debug> Oracle<T> {
    /// This must be observed.
    pub fn expect(&mut self, what: T) {
        self.expected.insert(what);
    }

    /// This may be observed, and need not be.
    pub fn tolerate(&mut self, what: T) {
        self.tolerated.insert(what);
    }

    /// This was observed.
    pub fn observe(&mut self, what: T) {
        *self.observed.entry(what).or_default() += 1;
    }

    /// How many different things were expected.
    pub fn expected(&self) -> usize {
        self.expected.len()
    }

    /// What is expected.
    pub fn wanted(&self) -> impl Iterator<Item = &T> {
        self.expected.iter()
    }

    /// Expected and not observed.
    pub fn missing(&self) -> Vec<&T> {
        let missing = self.expected.iter();
        missing
            .filter(|what| !self.observed.contains_key(what))
            .collect()
    }

    /// Observed, neither expected nor tolerated.
    pub fn spurious(&self) -> Vec<&T> {
        let observed = self.observed.keys();
        observed
            .filter(|what| !self.expected.contains(what) && !self.tolerated.contains(what))
            .collect()
    }

    /// How often something was observed that had been observed before: allowed, and worth a figure. What is
    /// tolerated may come any number of times, each time for a reason of its own.
    pub fn repeated(&self) -> usize {
        self.again().map(|(_, times)| times).sum()
    }

    /// What was expected and observed more than once, and how often more.
    pub fn again(&self) -> impl Iterator<Item = (&T, usize)> {
        let expected = self.observed.iter();
        let expected = expected.filter(|(what, _)| !self.tolerated.contains(what));
        expected
            .map(|(what, times)| (what, times - 1))
            .filter(|(_, times)| *times > 0)
    }

    /// Fails when something is missing or spurious; names the first of them.
    pub fn judge(&self, what: &str) -> Result<()> {
        /// Enough to look for, few enough to read.
        const NAMED: usize = 5;
        let (missing, spurious) = (self.missing(), self.spurious());
        ensure!(
            missing.is_empty() && spurious.is_empty(),
            "{what}: {} of {} are missing {:?}, {} are there without need {:?}",
            missing.len(),
            self.expected.len(),
            &missing[..missing.len().min(NAMED)],
            spurious.len(),
            &spurious[..spurious.len().min(NAMED)],
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oracle(observed: &[&'static str]) -> Oracle<&'static str> {
        let mut oracle = Oracle::default();
        oracle.expect("a");
        oracle.expect("b");
        oracle.tolerate("c");
        for &what in observed {
            oracle.observe(what);
        }
        oracle
    }

    fn message(oracle: &Oracle<&'static str>) -> String {
        oracle
            .judge("letters")
            .map_or_else(|e| e.to_string(), |()| String::new())
    }

    #[test]
    fn all_that_was_issued_and_nothing_else_is_fine_also_twice() {
        let oracle = oracle(&["a", "b", "b", "c", "c"]);
        assert_eq!(message(&oracle), "");
        assert_eq!(oracle.repeated(), 1);
    }

    #[test]
    fn what_is_missing_is_named() {
        let text = message(&oracle(&["a"]));
        assert_eq!(
            text,
            "letters: 1 of 2 are missing [\"b\"], 0 are there without need []"
        );
    }

    #[test]
    fn what_nobody_issued_is_named() {
        let text = message(&oracle(&["a", "b", "d"]));
        assert_eq!(
            text,
            "letters: 0 of 2 are missing [], 1 are there without need [\"d\"]"
        );
    }

    #[test]
    fn the_action_of_a_message_is_the_first_word_of_its_key() {
        let heard = Heard {
            key: "update.cds-product".to_owned(),
            class: "CdsProduct".to_owned(),
            id: "1".to_owned(),
        };
        assert_eq!(
            Announced::from(heard),
            Announced::new("CdsProduct", "1", "update")
        );
    }
}
