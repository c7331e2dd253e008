//! JSON as a tree in which everything knows where it stands.
//!
//! As Python reads it: of a key that stands twice the last one counts. Those keys are told.

use std::collections::HashMap;

use serde_json::Value;

use crate::pipeline::tree::{Entry, Kind, Node, Place, SyntaxError};

/// Deeper files are refused: reading recurses.
const MAX_DEPTH: usize = 64;

/// A file that was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) root: Node,
    /// Keys whose value does not count, because they stand again later.
    pub(super) overwritten: Vec<(String, Place)>,
}

/// Reads one JSON value and nothing else.
pub(super) fn parse(text: &str) -> Result<Read, SyntaxError> {
    let mut parser = Parser {
        rest: text.strip_prefix('\u{feff}').unwrap_or(text),
        place: Place { line: 1, column: 1 },
        overwritten: Vec::new(),
    };
    let root = parser.value(MAX_DEPTH)?;
    parser.blanks();
    if !parser.rest.is_empty() {
        return Err(parser.error("the end of the file is expected"));
    }
    Ok(Read {
        root,
        overwritten: parser.overwritten,
    })
}

struct Parser<'t> {
    rest: &'t str,
    place: Place,
    overwritten: Vec<(String, Place)>,
}

impl<'t> Parser<'t> {
    fn error(&self, message: &str) -> SyntaxError {
        SyntaxError {
            place: self.place,
            message: format!("no JSON: {message}"),
        }
    }

    /// Goes on by `length` bytes, which it gives.
    fn advance(&mut self, length: usize) -> &'t str {
        let (passed, rest) = self.rest.split_at(length);
        for letter in passed.chars() {
            if letter == '\n' {
                self.place.line += 1;
                self.place.column = 1;
            } else {
                self.place.column += 1;
            }
        }
        self.rest = rest;
        passed
    }

    fn blanks(&mut self) {
        let blank = |letter| matches!(letter, ' ' | '\t' | '\r' | '\n');
        let length = self.rest.len() - self.rest.trim_start_matches(blank).len();
        self.advance(length);
    }

    /// The mark, if it comes next.
    fn mark(&mut self, mark: char) -> bool {
        self.blanks();
        let found = self.rest.starts_with(mark);
        if found {
            self.advance(mark.len_utf8());
        }
        found
    }

    fn value(&mut self, depth: usize) -> Result<Node, SyntaxError> {
        self.blanks();
        let place = self.place;
        let Some(depth) = depth.checked_sub(1) else {
            return Err(self.error(&format!("more than {MAX_DEPTH} levels")));
        };
        let kind = match self.rest.chars().next() {
            Some('{') => Kind::Map(self.map(depth)?),
            Some('[') => Kind::List(self.list(depth)?),
            Some('"') => Kind::Scalar(Value::String(self.text()?)),
            Some(_) => Kind::Scalar(self.word()?),
            None => return Err(self.error("a value is expected")),
        };
        Ok(Node { place, kind })
    }

    fn map(&mut self, depth: usize) -> Result<Vec<Entry>, SyntaxError> {
        self.advance(1);
        let mut entries: Vec<Entry> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        if self.mark('}') {
            return Ok(entries);
        }
        loop {
            self.blanks();
            let place = self.place;
            if !self.rest.starts_with('"') {
                return Err(self.error("a key in double quotes is expected"));
            }
            let key = self.text()?;
            if !self.mark(':') {
                return Err(self.error("`:` is expected"));
            }
            let value = self.value(depth)?;
            let entry = Entry { key, place, value };
            match known.get(&entry.key) {
                Some(earlier) => {
                    let earlier = std::mem::replace(&mut entries[*earlier], entry);
                    self.overwritten.push((earlier.key, earlier.place));
                }
                None => {
                    known.insert(entry.key.clone(), entries.len());
                    entries.push(entry);
                }
            }
            if self.mark('}') {
                return Ok(entries);
            }
            if !self.mark(',') {
                return Err(self.error("`,` or `}` is expected"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, SyntaxError> {
        self.advance(1);
        let mut items = Vec::new();
        if self.mark(']') {
            return Ok(items);
        }
        loop {
            items.push(self.value(depth)?);
            if self.mark(']') {
                return Ok(items);
            }
            if !self.mark(',') {
                return Err(self.error("`,` or `]` is expected"));
            }
        }
    }

    fn text(&mut self) -> Result<String, SyntaxError> {
        let bytes = self.rest.as_bytes();
        let mut at = 1;
        loop {
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
                None => return Err(self.error("a text without end")),
            }
        }
        match serde_json::from_str(&self.rest[..=at]) {
            Ok(text) => {
                self.advance(at + 1);
                Ok(text)
            }
            Err(_) => Err(self.error("a text with a control character or an unknown escape")),
        }
    }

    /// `true`, `false`, `null`, or a number.
    fn word(&mut self) -> Result<Value, SyntaxError> {
        let end = |letter: char| !(letter.is_ascii_alphanumeric() || "+-.".contains(letter));
        let length = self.rest.find(end).unwrap_or(self.rest.len());
        match serde_json::from_str(&self.rest[..length]) {
            Ok(value) => {
                self.advance(length);
                Ok(value)
            }
            Err(_) => Err(self.error("a value is expected")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_has_a_place() {
        let read = parse("{\n  \"ä\": 1, \"b\": [true,\n null]\n}").unwrap();
        assert_eq!(read.root.to_value(), json!({"ä": 1, "b": [true, null]}));
        let located = read.root.locate("b[1]");
        assert_eq!(located.value, Place { line: 3, column: 2 });
        assert_eq!(
            read.root.locate("b").key,
            Place {
                line: 2,
                column: 11
            }
        );
    }

    #[test]
    fn the_last_of_two_keys_counts() {
        let read = parse(r#"{"a": 1, "b": 2, "a": 3}"#).unwrap();
        assert_eq!(read.root.to_value(), json!({"a": 3, "b": 2}));
        assert_eq!(
            read.overwritten,
            [("a".to_owned(), Place { line: 1, column: 2 })]
        );
    }

    #[test]
    fn what_is_no_json_has_a_place() {
        for (text, column, fragment) in [
            ("", 1, "a value"),
            ("{\"a\" 1}", 6, "`:`"),
            ("{a: 1}", 2, "double quotes"),
            ("[1 2]", 4, "`,` or `]`"),
            ("[1,]", 4, "a value"),
            ("{} x", 4, "the end"),
            ("\"a", 1, "without end"),
            ("\"\\x\"", 1, "escape"),
            ("\"\\", 1, "without end"),
            ("NaN", 1, "a value"),
            ("é", 1, "a value"),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.place.column, column, "{text}");
            assert!(
                error.message.contains(fragment),
                "{text}: {}",
                error.message
            );
        }
        let deep = "[".repeat(100_000);
        assert!(parse(&deep).unwrap_err().message.contains("levels"));
    }
}
