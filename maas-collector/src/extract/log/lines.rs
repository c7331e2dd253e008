//! Lines of a file, in memory one at a time.

use std::io::{self, BufRead};

/// Longest line; what is longer is no line of a log.
const LONGEST: usize = 1 << 20;

/// The lines of a file. They end with a line feed, a carriage return, or both.
pub(super) struct Lines<R> {
    file: R,
    line: Vec<u8>,
    /// The last line ended with a carriage return: a line feed behind it belongs to it.
    after_return: bool,
    begun: bool,
}

/// One line.
pub(super) struct Line<'a> {
    /// With one line feed at the end, if it had an end; the beginning of one that is too long.
    pub(super) bytes: &'a [u8],
    complete: bool,
}

impl Line<'_> {
    /// The line as text.
    pub(super) fn text(&self) -> Result<&str, String> {
        if !self.complete {
            return Err("the line is longer than 1 MiB".into());
        }
        std::str::from_utf8(self.bytes)
            .map_err(|error| format!("byte {} is no UTF-8", error.valid_up_to() + 1))
    }
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(file: R) -> Self {
        Self {
            file,
            line: Vec::new(),
            after_return: false,
            begun: false,
        }
    }

    /// The next line; `None` at the end of the file.
    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let mut complete = true;
        let mut ended = false;
        while !ended {
            let mut window = match self.file.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                window => window?,
            };
            if window.is_empty() {
                break;
            }
            let mut skipped = 0;
            if std::mem::take(&mut self.after_return) && window[0] == b'\n' {
                skipped = 1;
            } else if !std::mem::replace(&mut self.begun, true)
                && window.starts_with(b"\xEF\xBB\xBF")
            {
                skipped = 3;
            }
            window = &window[skipped..];
            let end = window.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let part = &window[..end.unwrap_or(window.len())];
            let room = LONGEST - self.line.len();
            complete &= part.len() <= room;
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            ended = end.is_some();
            self.after_return = end.is_some_and(|end| window[end] == b'\r');
            let taken = skipped + part.len() + usize::from(ended);
            self.file.consume(taken);
        }
        if !ended && self.line.is_empty() {
            return Ok(None);
        }
        if ended && complete {
            self.line.push(b'\n');
        }
        Ok(Some(Line {
            bytes: &self.line,
            complete,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8]) -> Vec<String> {
        // A window of three bytes: ends of line fall between windows.
        let mut lines = Lines::new(io::BufReader::with_capacity(3, text));
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push(line.text().unwrap().to_owned());
        }
        found
    }

    #[test]
    fn lines_end_in_three_ways() {
        assert_eq!(
            lines(b"\xEF\xBB\xBFab\r\nc\rd\n\ne\r\n\r\nf"),
            ["ab\n", "c\n", "d\n", "\n", "e\n", "\n", "f"]
        );
        assert_eq!(lines(b""), [""; 0]);
        assert_eq!(lines(b"\n"), ["\n"]);
    }

    #[test]
    fn a_line_without_end_is_told() {
        let text = vec![b'x'; LONGEST + 5];
        let mut lines = Lines::new(&text[..]);
        let line = lines.next().unwrap().unwrap();
        assert!(line.text().unwrap_err().contains("1 MiB"));
        assert_eq!(line.bytes.len(), LONGEST);
        assert!(lines.next().unwrap().is_none());
    }
}
