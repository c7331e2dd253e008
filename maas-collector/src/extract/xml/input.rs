//! The bytes of a file as UTF-8, as the parser takes them: line by line counted, piece by piece limited.

use std::io::{self, BufRead, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::extract::{BadRecord, ExtractError};

/// What is read and decoded at a time.
const WINDOW: usize = 64 << 10;
/// How far the declaration is looked for.
const DECLARATION: usize = 256;
/// Longest piece: a tag, a text, a comment.
const LONGEST_PIECE: usize = 16 << 20;

/// A file as UTF-8.
pub(super) struct Utf8<R> {
    file: R,
    decoder: Decoder,
    bytes: Vec<u8>,
    text: Vec<u8>,
    /// What of `text` was taken.
    taken: usize,
    ended: bool,
    /// What is wrong behind `text`.
    damage: Option<String>,
    line: u64,
    /// What was taken of the current piece.
    piece: usize,
    /// What was taken since the mark, as far as it is worth keeping.
    since_mark: Vec<u8>,
}

impl<R: Read> Utf8<R> {
    pub(super) fn new(mut file: R) -> Result<Self, ExtractError> {
        let mut bytes = Vec::new();
        let first = file.by_ref().take(WINDOW as u64).read_to_end(&mut bytes);
        let encoding = first
            .map_err(|error| error.to_string())
            .and_then(|_| encoding_of(&bytes));
        let encoding = encoding.map_err(|reason| ExtractError {
            place: "line 1".into(),
            reason,
        })?;
        let mut input = Self {
            file,
            decoder: encoding.new_decoder_with_bom_removal(),
            ended: bytes.is_empty(),
            bytes,
            text: Vec::new(),
            taken: 0,
            damage: None,
            line: 1,
            piece: 0,
            since_mark: Vec::new(),
        };
        input.decode();
        Ok(input)
    }

    /// The line that the next byte is on.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// A new piece begins.
    pub(super) fn begin_piece(&mut self) {
        self.piece = 0;
    }

    /// Keeps what follows from here.
    pub(super) fn mark(&mut self) {
        self.since_mark.clear();
    }

    /// What was taken since the mark; its beginning when it is long.
    pub(super) fn since_mark(&self) -> &[u8] {
        &self.since_mark
    }

    fn refill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.taken = 0;
        self.bytes.resize(WINDOW, 0);
        let count = loop {
            match self.file.read(&mut self.bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.bytes.truncate(count);
        self.ended = count == 0;
        self.decode();
        Ok(())
    }

    /// Decodes all of `bytes`, up to what is wrong with them.
    fn decode(&mut self) {
        let mut from = 0;
        loop {
            let old = self.text.len();
            // UTF-16 grows by half, single-byte encodings by two thirds at most.
            let room = (self.bytes.len() - from) * 3 + 16;
            self.text.resize(old + room, 0);
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
                &self.bytes[from..],
                &mut self.text[old..],
                self.ended,
            );
            self.text.truncate(old + written);
            from += read;
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    let name = self.decoder.encoding().name();
                    self.damage = Some(format!("this is no {name}; declare another encoding"));
                    break;
                }
            }
        }
        let control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
        if let Some(at) = self.text.iter().position(control) {
            let byte = self.text[at];
            self.text.truncate(at);
            self.damage = Some(format!("the character {byte:#04x} is not allowed in XML"));
        }
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let window = self.fill_buf()?;
        let count = window.len().min(buffer.len());
        buffer[..count].copy_from_slice(&window[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Utf8<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.piece > LONGEST_PIECE {
            let reason = "a tag, a text or a comment is longer than 16 MiB";
            return Err(io::Error::other(reason));
        }
        while self.taken == self.text.len() {
            if let Some(damage) = self.damage.take() {
                return Err(io::Error::other(damage));
            }
            if self.ended {
                break;
            }
            self.refill()?;
        }
        Ok(&self.text[self.taken..])
    }

    fn consume(&mut self, count: usize) {
        let piece = &self.text[self.taken..self.taken + count];
        self.line += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
        let room = BadRecord::LONGEST.saturating_sub(self.since_mark.len());
        self.since_mark.extend_from_slice(&piece[..count.min(room)]);
        self.taken += count;
        self.piece += count;
    }
}

/// By the byte order mark, by the look of the first bytes, or as declared.
fn encoding_of(beginning: &[u8]) -> Result<&'static Encoding, String> {
    if let Some((encoding, _)) = Encoding::for_bom(beginning) {
        return Ok(encoding);
    }
    match beginning {
        [b'<', 0, ..] => return Ok(UTF_16LE),
        [0, b'<', ..] => return Ok(UTF_16BE),
        _ => {}
    }
    let Some(label) = declared(&beginning[..beginning.len().min(DECLARATION)]) else {
        return Ok(UTF_8);
    };
    let unknown = || format!("`{}` is no encoding", String::from_utf8_lossy(label));
    let encoding = Encoding::for_label(label).ok_or_else(unknown)?;
    if encoding == UTF_16LE || encoding == UTF_16BE {
        return Err("it declares UTF-16 and is something else".into());
    }
    Ok(encoding)
}

/// The label in `<?xml version="1.0" encoding="label"?>`.
fn declared(beginning: &[u8]) -> Option<&[u8]> {
    let text = beginning.strip_prefix(b"<?xml")?;
    let end = text.windows(2).position(|two| two == b"?>")?;
    let declaration = &text[..end];
    let word = b"encoding";
    let at = declaration.windows(word.len()).position(|w| w == word)?;
    let rest = declaration[at + word.len()..].trim_ascii_start();
    let rest = rest.strip_prefix(b"=")?.trim_ascii_start();
    let (quote, rest) = rest.split_first()?;
    let end = rest.iter().position(|byte| byte == quote)?;
    Some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<String, String> {
        let mut input = Utf8::new(bytes).map_err(|error| error.reason)?;
        let mut text = String::new();
        let read = input.read_to_string(&mut text);
        read.map(|_| text).map_err(|error| error.to_string())
    }

    #[test]
    fn encodings_are_marked_seen_or_declared() {
        assert_eq!(read(b"\xEF\xBB\xBF<a/>").as_deref(), Ok("<a/>"));
        assert_eq!(read(b"\xFF\xFE<\0a\0/\0>\0").as_deref(), Ok("<a/>"));
        assert_eq!(read(b"\0<\0a\0/\0>").as_deref(), Ok("<a/>"));
        let latin = b"<?xml version='1.0' encoding = 'ISO-8859-1'?><a>\xE9</a>";
        assert!(read(latin).unwrap().ends_with("<a>\u{e9}</a>"));
    }

    #[test]
    fn what_is_no_text_is_told() {
        assert!(read(b"<a>\xE9</a>").unwrap_err().contains("no UTF-8"));
        assert!(read(b"<a>\0</a>").unwrap_err().contains("0x00"));
        let error = read(b"<?xml version='1.0' encoding='klingon'?>").unwrap_err();
        assert_eq!(error, "`klingon` is no encoding");
    }
}
