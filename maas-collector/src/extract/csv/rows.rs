//! Cuts text into rows and cells, as Python's `csv.reader` does: a blank line is a row without cells, a quote
//! within an unquoted cell is an ordinary character, what follows a closing quote belongs to the cell.
//!
//! The `csv` crate leaves blank lines out and knows no blanks behind delimiters, hence our own.

use std::io::Read;

use memchr::memchr3;

use super::decode::Decoded;
use super::dialect::Dialect;
use crate::extract::ExtractError;

/// Longest cell: Python's limit. A longer one is an unclosed quote.
const LONGEST_CELL: usize = 131_072;
/// What is kept of the text of a row, for a dead letter.
const LONGEST_RAW: usize = 1 << 20;

/// The rows of a file.
pub(super) struct Rows<R> {
    text: Decoded<R>,
    dialect: Dialect,
    line: u64,
    /// A carriage return was the end of the last line: a line feed behind it belongs to it.
    after_return: bool,
    row: Row,
}

/// One row.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// The line it starts on.
    pub(super) line: u64,
    /// Its text as it was read.
    pub(super) raw: Vec<u8>,
    cells: Vec<u8>,
    ends: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    RowStart,
    CellStart,
    Bare,
    Quoted,
    QuoteInQuoted,
}

impl Row {
    /// How many cells it has; none for a blank line.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cell at this position.
    pub(super) fn cell(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)?;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        // Cut at ASCII characters out of valid UTF-8.
        std::str::from_utf8(&self.cells[start..end]).ok()
    }

    /// All cells.
    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|at| self.cell(at))
    }

    fn push(&mut self, c: u8) {
        self.cells.push(c);
    }

    fn end_cell(&mut self) {
        self.ends.push(self.cells.len());
    }

    fn cell_length(&self) -> usize {
        self.cells.len() - self.ends.last().copied().unwrap_or(0)
    }
}

impl<R: Read> Rows<R> {
    pub(super) fn new(text: Decoded<R>, dialect: Dialect) -> Self {
        Self {
            text,
            dialect,
            line: 1,
            after_return: false,
            row: Row::default(),
        }
    }

    /// The next row; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<&Row>, ExtractError> {
        self.row.raw.clear();
        self.row.cells.clear();
        self.row.ends.clear();
        self.row.line = self.line;
        let mut state = State::RowStart;
        loop {
            let window = self.text.window()?;
            if window.is_empty() {
                return Ok(match state {
                    State::RowStart => None,
                    _ => {
                        self.row.end_cell();
                        Some(&self.row)
                    }
                });
            }
            let mut taken = 0;
            let mut ended = false;
            while let Some(&c) = window.get(taken) {
                if let Some(stop) = stop(self.dialect, state) {
                    // Most of a file is the inside of cells.
                    let rest = &window[taken..];
                    let length = memchr3(stop, b'\n', b'\r', rest).unwrap_or(rest.len());
                    if length > 0 {
                        self.row.cells.extend_from_slice(&rest[..length]);
                        self.after_return = false;
                        taken += length;
                        continue;
                    }
                }
                taken += 1;
                if c == b'\n' && std::mem::take(&mut self.after_return) {
                    continue;
                }
                self.after_return = c == b'\r';
                let c = if c == b'\r' { b'\n' } else { c };
                if c == b'\n' {
                    self.line += 1;
                }
                state = step(&mut self.row, self.dialect, state, c);
                if c == b'\n' && state == State::RowStart {
                    ended = true;
                    break;
                }
            }
            let room = LONGEST_RAW.saturating_sub(self.row.raw.len());
            self.row.raw.extend_from_slice(&window[..taken.min(room)]);
            self.text.consume(taken);
            if self.row.cell_length() > LONGEST_CELL {
                return Err(ExtractError {
                    place: format!("line {}", self.row.line),
                    reason: "a cell is longer than 131072 bytes: a quote was never closed".into(),
                });
            }
            if ended {
                return Ok(Some(&self.row));
            }
        }
    }
}

/// The only character beside ends of lines that means something in this state, when all others belong to the
/// cell.
fn stop(dialect: Dialect, state: State) -> Option<u8> {
    match state {
        State::Bare => Some(dialect.delimiter),
        State::Quoted => Some(dialect.quote),
        State::RowStart | State::CellStart | State::QuoteInQuoted => None,
    }
}

/// Takes one character of a row.
fn step(row: &mut Row, dialect: Dialect, state: State, c: u8) -> State {
    match state {
        State::RowStart if c == b'\n' => State::RowStart,
        State::RowStart | State::CellStart => match c {
            b'\n' => {
                row.end_cell();
                State::RowStart
            }
            _ if c == dialect.delimiter => {
                row.end_cell();
                State::CellStart
            }
            _ if c == dialect.quote => State::Quoted,
            b' ' if dialect.skip_blanks => State::CellStart,
            _ => {
                row.push(c);
                State::Bare
            }
        },
        State::Quoted if c == dialect.quote => State::QuoteInQuoted,
        State::Quoted => {
            row.push(c);
            State::Quoted
        }
        State::QuoteInQuoted if c == dialect.quote => {
            row.push(c);
            State::Quoted
        }
        State::Bare | State::QuoteInQuoted => match c {
            b'\n' => {
                row.end_cell();
                State::RowStart
            }
            _ if c == dialect.delimiter => {
                row.end_cell();
                State::CellStart
            }
            _ => {
                row.push(c);
                State::Bare
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, dialect: Dialect) -> Vec<Vec<String>> {
        let decoded = Decoded::new(text.as_bytes(), None).unwrap();
        let mut rows = Rows::new(decoded, dialect);
        let mut found = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            found.push(row.cells().map(str::to_owned).collect());
        }
        found
    }

    #[test]
    fn rows_are_cut_as_python_cuts_them() {
        let skip_blanks = Dialect {
            skip_blanks: true,
            ..Dialect::default()
        };
        for (text, dialect, expected) in [
            (
                "a,b\r\nc,\n",
                Dialect::default(),
                vec![vec!["a", "b"], vec!["c", ""]],
            ),
            ("a\rb", Dialect::default(), vec![vec!["a"], vec!["b"]]),
            (
                "a\n\nb\n",
                Dialect::default(),
                vec![vec!["a"], vec![], vec!["b"]],
            ),
            ("\"a\r\nb\",c", Dialect::default(), vec![vec!["a\nb", "c"]]),
            (
                "\"a\"\"b\",x\"y\"",
                Dialect::default(),
                vec![vec!["a\"b", "x\"y\""]],
            ),
            ("\"a\"b,c", Dialect::default(), vec![vec!["ab", "c"]]),
            ("a, \"b, c\",  d", skip_blanks, vec![vec!["a", "b, c", "d"]]),
            ("a,\"b\nc", Dialect::default(), vec![vec!["a", "b\nc"]]),
            (",", Dialect::default(), vec![vec!["", ""]]),
            ("", Dialect::default(), vec![]),
        ] {
            assert_eq!(rows(text, dialect), expected, "{text:?}");
        }
    }
}
