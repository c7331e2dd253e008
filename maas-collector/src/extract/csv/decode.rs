//! Text from bytes, window by window. What does not fit the encoding ends the file with its place.

use std::io::Read;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

use crate::extract::ExtractError;

/// What is read and decoded at a time.
const WINDOW: usize = 64 << 10;

/// A file as UTF-8.
pub(super) struct Decoded<R> {
    file: R,
    decoder: Decoder,
    bytes: Vec<u8>,
    text: Vec<u8>,
    /// What of `text` was taken.
    taken: usize,
    decoded: u64,
    ended: bool,
}

impl<R: Read> Decoded<R> {
    /// `encoding`: `None` finds it out from the beginning of the file. A byte order mark always wins.
    pub(super) fn new(
        mut file: R,
        encoding: Option<&'static Encoding>,
    ) -> Result<Self, ExtractError> {
        let mut bytes = Vec::new();
        let first = file.by_ref().take(WINDOW as u64).read_to_end(&mut bytes);
        first.map_err(|error| damage(0, error.to_string()))?;
        let encoding = encoding.unwrap_or_else(|| detected(&bytes));
        let mut decoded = Self {
            file,
            decoder: encoding.new_decoder(),
            ended: bytes.is_empty(),
            bytes,
            text: Vec::new(),
            taken: 0,
            decoded: 0,
        };
        decoded.decode(decoded.ended)?;
        Ok(decoded)
    }

    /// The next bytes of the text; none at its end.
    pub(super) fn window(&mut self) -> Result<&[u8], ExtractError> {
        while self.taken == self.text.len() && !self.ended {
            self.text.clear();
            self.taken = 0;
            self.read()?;
        }
        Ok(&self.text[self.taken..])
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.taken += count;
    }

    /// The text up to the first end of line, left where it is; at most one window.
    pub(super) fn first_line(&mut self) -> Result<String, ExtractError> {
        let window = self.window()?;
        let end = window.iter().position(|b| matches!(b, b'\n' | b'\r'));
        let line = &window[..end.unwrap_or(window.len())];
        Ok(String::from_utf8_lossy(line).into_owned())
    }

    fn read(&mut self) -> Result<(), ExtractError> {
        self.bytes.resize(WINDOW, 0);
        let count = loop {
            match self.file.read(&mut self.bytes) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                read => break read.map_err(|error| damage(self.decoded, error.to_string()))?,
            }
        };
        self.bytes.truncate(count);
        self.ended = count == 0;
        self.decode(self.ended)
    }

    /// Decodes all of `bytes`.
    fn decode(&mut self, last: bool) -> Result<(), ExtractError> {
        let mut from = 0;
        loop {
            let old = self.text.len();
            // UTF-16 grows by half, single-byte encodings by two thirds at most.
            self.text
                .resize(old + (self.bytes.len() - from) * 3 + 16, 0);
            let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
                &self.bytes[from..],
                &mut self.text[old..],
                last,
            );
            self.text.truncate(old + written);
            from += read;
            self.decoded += read as u64;
            match result {
                DecoderResult::InputEmpty => return Ok(()),
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    let name = self.decoder.encoding().name();
                    let reason = format!("this is no {name}; set `encoding`");
                    return Err(damage(self.decoded, reason));
                }
            }
        }
    }
}

fn detected(beginning: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(beginning) {
        return encoding;
    }
    if std::str::from_utf8(beginning).is_ok() {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(beginning, beginning.len() < WINDOW);
    detector.guess(None, Utf8Detection::Allow)
}

fn damage(byte: u64, reason: String) -> ExtractError {
    ExtractError {
        place: format!("byte {byte}"),
        reason,
    }
}
