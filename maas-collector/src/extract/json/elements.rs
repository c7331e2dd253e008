//! Cuts the elements of a list out of a JSON file without reading the rest.
//!
//! Only brackets and quotes are looked at, so that one element with wrong JSON in it costs itself alone,
//! its text is known byte by byte, and memory holds one element.

use std::io::{BufRead, ErrorKind};

use crate::extract::ExtractError;

/// Longest element: what is longer is no record, it is a damaged file.
const LONGEST: usize = 64 << 20;
/// Deepest list or object on the way: as `serde_json` has it.
const DEEPEST: usize = 128;

/// The elements of the list at the end of a member path.
pub(super) struct Elements<R> {
    reader: R,
    line: u64,
    column: u64,
    /// Objects that stand open around the list.
    open: usize,
    state: State,
    element: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    First,
    Next,
    Finished,
}

impl<R: BufRead> Elements<R> {
    /// Goes to the list. `Err` when the path leads to no list.
    pub(super) fn find(reader: R, path: &[String]) -> Result<Self, ExtractError> {
        let mut elements = Self {
            reader,
            line: 1,
            column: 1,
            open: 0,
            state: State::First,
            element: Vec::new(),
        };
        elements.skip_byte_order_mark()?;
        for name in path {
            elements.enter(name)?;
        }
        match elements.after_blanks()? {
            Some(b'[') => elements.advance(1),
            Some(other) => {
                return Err(elements.damage(format!(
                    "the records are no list: it starts with `{}`",
                    char::from(other)
                )));
            }
            None => return Err(elements.damage("the file ends where the records should start")),
        }
        Ok(elements)
    }

    /// The text of the next element and the line it starts on.
    pub(super) fn next(&mut self) -> Result<Option<(&[u8], u64)>, ExtractError> {
        if self.state == State::Finished {
            return Ok(None);
        }
        let mut c = self.after_blanks()?;
        if self.state == State::Next {
            match c {
                Some(b',') => {
                    self.advance(1);
                    c = self.after_blanks()?;
                }
                Some(b']') => {}
                Some(_) => return Err(self.damage("a `,` or `]` is wanted between records")),
                None => return Err(self.damage("the file ends inside the records")),
            }
        }
        match c {
            Some(b']') => {
                self.advance(1);
                self.state = State::Finished;
                self.leave()?;
                return Ok(None);
            }
            None => return Err(self.damage("the file ends inside the records")),
            Some(_) => self.state = State::Next,
        }
        let line = self.line;
        let mut element = std::mem::take(&mut self.element);
        element.clear();
        let taken = self.take_value(Some(&mut element));
        self.element = element;
        taken?;
        Ok(Some((&self.element, line)))
    }

    /// Enters the member `name` of the object that starts here, skipping those before it.
    fn enter(&mut self, name: &str) -> Result<(), ExtractError> {
        if self.after_blanks()? != Some(b'{') {
            return Err(self.damage(format!("there is no object to hold `{name}`")));
        }
        self.advance(1);
        self.open += 1;
        let mut key = Vec::new();
        loop {
            match self.after_blanks()? {
                Some(b'"') => {}
                Some(b',') => {
                    self.advance(1);
                    continue;
                }
                Some(b'}') => return Err(self.damage(format!("there is no `{name}`"))),
                Some(_) => return Err(self.damage("a member name in quotes is wanted")),
                None => return Err(self.damage(format!("the file ends before `{name}`"))),
            }
            key.clear();
            self.take_value(Some(&mut key))?;
            if self.after_blanks()? != Some(b':') {
                return Err(self.damage("a `:` is wanted behind a member name"));
            }
            self.advance(1);
            if serde_json::from_slice::<String>(&key).is_ok_and(|key| key == name) {
                self.after_blanks()?;
                return Ok(());
            }
            self.after_blanks()?;
            self.take_value(None)?;
        }
    }

    /// Reads what follows the list to the end of the file: damage there means that it was cut or mixed.
    fn leave(&mut self) -> Result<(), ExtractError> {
        while let Some(c) = self.after_blanks()? {
            match c {
                b'}' if self.open > 0 => {
                    self.open -= 1;
                    self.advance(1);
                }
                b',' | b':' if self.open > 0 => self.advance(1),
                _ if self.open > 0 => self.take_value(None)?,
                _ => return Err(self.damage("there is more text behind the end")),
            }
        }
        if self.open == 0 {
            Ok(())
        } else {
            Err(self.damage("the file ends too early"))
        }
    }

    /// Takes one value, into `text` when given.
    fn take_value(&mut self, mut text: Option<&mut Vec<u8>>) -> Result<(), ExtractError> {
        let mut value = ValueScan::default();
        loop {
            let (taken, ended) = {
                let window = fill(&mut self.reader, self.line, self.column)?;
                if window.is_empty() {
                    return match value.is_scalar() {
                        true => Ok(()),
                        false => Err(self.damage("the file ends inside a value")),
                    };
                }
                let (taken, ended) = value.scan(window);
                if let Some(text) = text.as_deref_mut() {
                    text.extend_from_slice(&window[..taken]);
                }
                (taken, ended)
            };
            self.advance(taken);
            match ended {
                Ended::Yes => return Ok(()),
                Ended::TooDeep => {
                    return Err(self.damage(format!("it is nested more than {DEEPEST} deep")));
                }
                Ended::NoValue => return Err(self.damage("a value is wanted")),
                Ended::No => {}
            }
            if text.as_ref().is_some_and(|text| text.len() > LONGEST) {
                return Err(self.damage("a record is longer than 64 MiB"));
            }
        }
    }

    /// The next byte that is no blank, left where it is.
    fn after_blanks(&mut self) -> Result<Option<u8>, ExtractError> {
        loop {
            let window = fill(&mut self.reader, self.line, self.column)?;
            if window.is_empty() {
                return Ok(None);
            }
            let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r');
            let blanks = window.iter().take_while(|b| blank(b)).count();
            let found = window.get(blanks).copied();
            self.advance(blanks);
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    fn skip_byte_order_mark(&mut self) -> Result<(), ExtractError> {
        let window = fill(&mut self.reader, self.line, self.column)?;
        if window.starts_with(b"\xEF\xBB\xBF") {
            self.reader.consume(3);
        }
        Ok(())
    }

    /// Consumes bytes of the window that was filled last.
    fn advance(&mut self, count: usize) {
        // Already in memory: `fill_buf` gives the same window again.
        if let Ok(window) = self.reader.fill_buf() {
            let passed = &window[..count.min(window.len())];
            // One pass that the compiler can do in wide steps; most records have no line break at all.
            let lines: u64 = passed.iter().map(|b| u64::from(*b == b'\n')).sum();
            let last = match lines {
                0 => None,
                _ => passed.iter().rposition(|b| *b == b'\n'),
            };
            match last {
                Some(last) => self.column = (passed.len() - last) as u64,
                None => self.column += passed.len() as u64,
            }
            self.line += lines;
        }
        self.reader.consume(count);
    }

    fn damage(&self, reason: impl Into<String>) -> ExtractError {
        damage(self.line, self.column, reason)
    }
}

fn damage(line: u64, column: u64, reason: impl Into<String>) -> ExtractError {
    ExtractError {
        place: format!("line {line}, column {column}"),
        reason: reason.into(),
    }
}

fn fill<R: BufRead>(reader: &mut R, line: u64, column: u64) -> Result<&[u8], ExtractError> {
    // The borrow checker refuses to return the window from inside the loop that retries.
    loop {
        match reader.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(damage(line, column, error.to_string())),
        }
    }
    reader
        .fill_buf()
        .map_err(|error| damage(line, column, error.to_string()))
}

/// Where a value ends, fed window by window.
#[derive(Debug, Default)]
struct ValueScan {
    depth: usize,
    kind: ValueKind,
    escaped: bool,
    in_text: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum ValueKind {
    #[default]
    Unknown,
    Scalar,
    Text,
    Nested,
}

enum Ended {
    No,
    Yes,
    TooDeep,
    NoValue,
}

impl ValueScan {
    fn is_scalar(&self) -> bool {
        self.kind == ValueKind::Scalar
    }

    /// How many bytes of `window` belong to the value, and whether it ended there.
    fn scan(&mut self, window: &[u8]) -> (usize, Ended) {
        let mut next = 0;
        while next < window.len() {
            if self.in_text && !self.escaped {
                // Texts are most of a file: straight to what may end them.
                let marks = |b: &u8| matches!(b, b'"' | b'\\');
                let Some(plain) = window[next..].iter().position(marks) else {
                    break;
                };
                next += plain;
            }
            let (place, c) = (next, window[next]);
            next += 1;
            if self.in_text {
                match c {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_text = false;
                        if self.kind == ValueKind::Text {
                            return (place + 1, Ended::Yes);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match (self.kind, c) {
                (ValueKind::Unknown, b'"') => {
                    self.kind = ValueKind::Text;
                    self.in_text = true;
                }
                (ValueKind::Unknown | ValueKind::Nested, b'{' | b'[') => {
                    self.kind = ValueKind::Nested;
                    self.depth += 1;
                    if self.depth > DEEPEST {
                        return (place, Ended::TooDeep);
                    }
                }
                (ValueKind::Nested, b'}' | b']') => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (place + 1, Ended::Yes);
                    }
                }
                (ValueKind::Nested, b'"') => self.in_text = true,
                (ValueKind::Unknown, b',' | b']' | b'}' | b':') => return (place, Ended::NoValue),
                (ValueKind::Unknown, _) => self.kind = ValueKind::Scalar,
                (ValueKind::Scalar, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r') => {
                    return (place, Ended::Yes);
                }
                _ => {}
            }
        }
        (window.len(), Ended::No)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn all(text: &str, path: &[&str], window: usize) -> (Vec<String>, Option<String>) {
        let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
        let reader = BufReader::with_capacity(window, text.as_bytes());
        let mut found = Vec::new();
        let mut elements = match Elements::find(reader, &path) {
            Ok(elements) => elements,
            Err(error) => return (found, Some(error.to_string())),
        };
        loop {
            match elements.next() {
                Ok(Some((element, _))) => found.push(String::from_utf8_lossy(element).into_owned()),
                Ok(None) => return (found, None),
                Err(error) => return (found, Some(error.to_string())),
            }
        }
    }

    #[test]
    fn elements_are_cut_whatever_the_window() {
        let text = r#" {"skip": {"value": [0]}, "a": {"n": "]", "value" : [ {"x": "}\"]"}, 1 , "t,", [2, [3]], nope ] , "z": 1} } "#;
        for window in 1..text.len() {
            let (found, error) = all(text, &["a", "value"], window);
            assert_eq!(
                found,
                [r#"{"x": "}\"]"}"#, "1", r#""t,""#, "[2, [3]]", "nope"]
            );
            assert_eq!(error, None);
        }
    }

    #[test]
    fn damage_is_told_with_its_place_after_what_came_before() {
        for (text, before, place) in [
            (
                "[1,\n2,\n{\"a\": ",
                2,
                "line 3, column 7: the file ends inside a value",
            ),
            (
                "[1 2]",
                1,
                "line 1, column 4: a `,` or `]` is wanted between records",
            ),
            (
                "[1",
                1,
                "line 1, column 3: the file ends inside the records",
            ),
            ("[1,,2]", 1, "line 1, column 4: a value is wanted"),
            (
                "[1] 2",
                1,
                "line 1, column 5: there is more text behind the end",
            ),
            (
                "",
                0,
                "line 1, column 1: the file ends where the records should start",
            ),
            (
                "{}",
                0,
                "line 1, column 1: the records are no list: it starts with `{`",
            ),
        ] {
            let (found, error) = all(text, &[], 64);
            assert_eq!(found.len(), before, "{text}");
            assert_eq!(error.as_deref(), Some(place), "{text}");
        }
    }

    #[test]
    fn a_path_to_nothing_is_told() {
        for text in [
            r#"{"b": [1]}"#,
            r#"{"a": null}"#,
            "[1]",
            r#"{"a": {"a": [1]}}"#,
        ] {
            let (found, error) = all(text, &["a"], 64);
            assert!(found.is_empty() && error.is_some(), "{text}");
        }
    }
}
