//! Records of an old workbook, and texts that may go on in the next record.

use encoding_rs::Encoding;

use super::container::u16_at;

/// The record that a long one goes on in.
const CONTINUE: u16 = 0x3C;

/// One record with those that it goes on in.
pub(super) struct Record<'a> {
    pub(super) kind: u16,
    pub(super) parts: Vec<&'a [u8]>,
}

/// All records from a position on.
pub(super) struct Records<'a> {
    stream: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    pub(super) fn from(stream: &'a [u8], at: usize) -> Self {
        Self { stream, at }
    }

    fn one(&mut self) -> Option<(u16, &'a [u8])> {
        let kind = u16_at(self.stream, self.at)?;
        let length = usize::from(u16_at(self.stream, self.at + 2)?);
        let start = self.at + 4;
        let data = self.stream.get(start..start + length)?;
        self.at = start + length;
        Some((kind, data))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let (kind, data) = self.one()?;
        let mut parts = vec![data];
        while u16_at(self.stream, self.at) == Some(CONTINUE) {
            parts.push(self.one()?.1);
        }
        Some(Record { kind, parts })
    }
}

impl<'a> Record<'a> {
    /// The first part, which is all of most records.
    pub(super) fn data(&self) -> &'a [u8] {
        self.parts.first().copied().unwrap_or_default()
    }

    /// Reads on from a position of the first part.
    pub(super) fn reader(&self, at: usize) -> Reader<'_> {
        Reader {
            parts: &self.parts,
            part: 0,
            at,
        }
    }
}

/// Reads a record over all its parts.
pub(super) struct Reader<'a> {
    parts: &'a [&'a [u8]],
    part: usize,
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        loop {
            let part = self.parts.get(self.part)?;
            if let Some(byte) = part.get(self.at) {
                self.at += 1;
                return Some(*byte);
            }
            self.part += 1;
            self.at = 0;
        }
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) | u32::from(self.u16()?) << 16)
    }

    fn skip(&mut self, mut count: usize) {
        while count > 0 && self.part < self.parts.len() {
            let left = self.parts[self.part].len().saturating_sub(self.at);
            let step = left.min(count);
            self.at += step;
            count -= step;
            if count > 0 {
                self.part += 1;
                self.at = 0;
            }
        }
    }

    /// A text with its length in front of it: two bytes, or one.
    pub(super) fn text(&mut self, short: bool) -> Option<String> {
        let length = match short {
            true => u16::from(self.byte()?),
            false => self.u16()?,
        };
        let flags = self.byte()?;
        let runs = if flags & 8 != 0 { self.u16()? } else { 0 };
        let extra = if flags & 4 != 0 { self.u32()? } else { 0 };
        let text = self.letters(usize::from(length), flags & 1 != 0)?;
        self.skip(usize::from(runs) * 4);
        self.skip(extra as usize);
        Some(text)
    }

    /// Letters of one or two bytes; where they go on in the next part, it says anew of how many.
    fn letters(&mut self, count: usize, mut wide: bool) -> Option<String> {
        let mut letters = Vec::with_capacity(count);
        while letters.len() < count {
            let part = self.parts.get(self.part)?;
            let rest = part.get(self.at..).unwrap_or_default();
            let wanted = count - letters.len();
            let before = letters.len();
            if wide {
                let pairs = rest.chunks_exact(2).take(wanted);
                letters.extend(pairs.map(|pair| u16::from_le_bytes([pair[0], pair[1]])));
                self.at += (letters.len() - before) * 2;
            } else {
                letters.extend(rest.iter().take(wanted).map(|byte| u16::from(*byte)));
                self.at += letters.len() - before;
            }
            if letters.len() < count {
                self.part += 1;
                self.at = 0;
                wide = self.byte()? & 1 != 0;
            }
        }
        Some(String::from_utf16_lossy(&letters))
    }

    /// A text of the version before, in the encoding of the workbook.
    pub(super) fn old_text(&mut self, short: bool, encoding: &'static Encoding) -> Option<String> {
        let length = match short {
            true => u16::from(self.byte()?),
            false => self.u16()?,
        };
        let mut bytes = Vec::new();
        for _ in 0..length {
            bytes.push(self.byte()?);
        }
        Some(encoding.decode_without_bom_handling(&bytes).0.into_owned())
    }
}
