//! JSONPath, compiled once and evaluated on every record.
//!
//! The dialect is RFC 9535. Chains of members, indexes, slices and filters by equality, which is all that
//! nearly every interface needs, are walked directly: five times faster than the general evaluator, and
//! extraction spends most of its time here. In such chains a slice of an object, a text, a number or `true` takes it
//! as a list of one, because some interfaces give one object where they usually give a list.

mod chain;
mod legacy;
#[cfg(test)]
mod tests;

pub use legacy::{Dialect, LegacyPathError, from_legacy};

use maas_model::pattern::Pattern;
use serde_json::Value;

use super::weight::{MOST_VALUES, too_many};
use chain::Step;

/// A compiled path.
#[derive(Debug, Clone)]
pub struct JsonPath {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Chain(Vec<Step>),
    General(Box<serde_json_path::JsonPath>),
}

/// Why a text is no path.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{text}` is no JSONPath: {reason}")]
pub struct JsonPathError {
    /// The text.
    pub text: String,
    /// What is wrong, and where.
    pub reason: String,
}

fn reason(text: &str, error: &serde_json_path::ParseError) -> String {
    if !text.starts_with('$') {
        return "it does not start with `$`".to_owned();
    }
    let before = text.get(..error.position()).unwrap_or(text);
    let place = before.chars().count() + 1;
    match error.message() {
        // All that the library has to say of most mistakes.
        "parser error" => format!("not understood at character {place}"),
        message => format!("{message} at character {place}"),
    }
}

/// Longer paths are refused: they are walked by recursion, step by step.
const LONGEST: usize = 4_096;
/// Deeper ones too: the time that the general parser takes doubles with every level.
const DEEPEST: usize = 6;

/// Why a path is more than anybody means.
fn excess(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return Some(format!("it is longer than {LONGEST} bytes"));
    }
    let (mut quote, mut depth, mut escaped) = (None, 0_usize, false);
    let (mut before, mut descents) = (' ', 0);
    // Depth of a query of the root that stands in a filter.
    let mut rooted: Option<usize> = None;
    let mut word = String::new();
    for (place, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[' | '(') => depth += 1,
            (None, ']' | ')') => depth = depth.saturating_sub(1),
            (None, '.') if before == '.' => descents += 1,
            (None, _) => {}
        }
        if depth > DEEPEST {
            return Some(format!(
                "brackets in it are more than {DEEPEST} levels deep"
            ));
        }
        if quote.is_none() {
            rooted = match c {
                '$' if depth > 0 => Some(depth),
                '=' | '<' | '>' | '!' | '&' | '|' | ',' => None,
                _ => rooted.filter(|outer| depth >= *outer),
            };
            if rooted.is_some() && (matches!(c, '*' | '?' | ':') || c == '.' && before == '.') {
                // It would be asked again for every value that the filter looks at.
                return Some(
                    "a filter in it searches the whole document for each value".to_owned(),
                );
            }
            if c == '('
                && matches!(word.as_str(), "match" | "search")
                && !is_small_pattern(second_argument(&text[place + 1..]))
            {
                // It is compiled for every value, and may not come from the document.
                return Some(format!(
                    "the pattern of `{word}()` must be a short text in quotes"
                ));
            }
            match c.is_alphanumeric() || c == '_' {
                true => word.push(c),
                false => word.clear(),
            }
        }
        before = c;
    }
    // Each multiplies what a deep document gives by its depth.
    (descents > 1).then(|| "it has `..` more than once: name a member on the way".to_owned())
}

/// What stands behind the first comma of a call.
fn second_argument(arguments: &str) -> &str {
    let (mut quote, mut depth) = (None, 0_usize);
    for (place, c) in arguments.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '[' | '(') => depth += 1,
            (None, ']' | ')') if depth == 0 => return "",
            (None, ']' | ')') => depth -= 1,
            (None, ',') if depth == 0 => return arguments[place + 1..].trim_start(),
            (None, _) => {}
        }
    }
    ""
}

/// Whether a text in quotes stands here, and is a pattern that is soon compiled.
fn is_small_pattern(argument: &str) -> bool {
    let mut letters = argument.chars();
    let Some(quote @ ('\'' | '"')) = letters.next() else {
        return false;
    };
    let inside = letters.as_str();
    let end = inside.find(quote).unwrap_or(inside.len());
    Pattern::is_small(&inside[..end])
}

/// What a path leads to.
#[derive(Debug, Default)]
pub struct Found<'v> {
    first: Option<&'v Value>,
    more: Vec<&'v Value>,
}

impl JsonPath {
    /// Reads a path: `$.a.b`, `$['a b'][0]`, `$.list[?@.Name=='x'].Value`.
    pub fn parse(text: &str) -> Result<Self, JsonPathError> {
        if let Some(reason) = excess(text) {
            let kept = text
                .char_indices()
                .nth(100)
                .map_or(text.len(), |(end, _)| end);
            return Err(JsonPathError {
                text: text[..kept].to_owned(),
                reason,
            });
        }
        let kind = match chain::parse(text) {
            Some(steps) => Kind::Chain(steps),
            None => Kind::General(Box::new(serde_json_path::JsonPath::parse(text).map_err(
                |error| JsonPathError {
                    text: text.to_owned(),
                    reason: reason(text, &error),
                },
            )?)),
        };
        Ok(Self {
            text: text.to_owned(),
            kind,
        })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Everything it leads to from `node`, in order.
    pub fn find<'v>(&self, node: &'v Value) -> Found<'v> {
        let mut found = Found::default();
        match &self.kind {
            Kind::Chain(steps) => chain::walk(steps, node, &mut found),
            Kind::General(path) => {
                let all = path.query(node).all();
                all.into_iter().for_each(|value| found.push(value));
            }
        }
        found
    }

    /// What a field becomes: nothing, the one value, or the list of several.
    ///
    /// # Errors
    /// When values that lie within each other (`$..a`) are too many together.
    pub fn value(&self, node: &Value) -> Result<Option<Value>, String> {
        let found = self.find(node);
        let all = found.first.into_iter().chain(found.more.iter().copied());
        if matches!(self.kind, Kind::General(_)) && !found.more.is_empty() && too_many(all) {
            return Err(format!(
                "`{}` leads to more than {MOST_VALUES} values",
                self.text
            ));
        }
        Ok(found.into_value())
    }

    /// The members it goes through, when it does nothing else: `$` is an empty list.
    pub fn members(&self) -> Option<Vec<&str>> {
        let Kind::Chain(steps) = &self.kind else {
            return None;
        };
        steps
            .iter()
            .map(|step| match step {
                Step::Member(name) => Some(name.as_ref()),
                _ => None,
            })
            .collect()
    }

    /// The only members of the root it can look at; `None`: it may look at all.
    pub(super) fn roots(&self) -> Option<Vec<&str>> {
        match &self.kind {
            Kind::Chain(steps) => match steps.first()? {
                Step::Member(name) => Some(vec![name]),
                Step::Members(names) => Some(names.iter().map(AsRef::as_ref).collect()),
                _ => None,
            },
            Kind::General(_) => None,
        }
    }
}

impl<'v> Found<'v> {
    fn push(&mut self, value: &'v Value) {
        match self.first {
            None => self.first = Some(value),
            Some(_) => self.more.push(value),
        }
    }

    /// The first one.
    pub fn first(&self) -> Option<&'v Value> {
        self.first
    }

    /// Nothing, the one value, or the list of several.
    pub fn into_value(self) -> Option<Value> {
        let first = self.first?;
        if self.more.is_empty() {
            return Some(first.clone());
        }
        let all = std::iter::once(first).chain(self.more);
        Some(Value::Array(all.cloned().collect()))
    }
}
