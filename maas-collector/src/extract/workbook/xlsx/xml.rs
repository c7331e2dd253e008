//! XML event by event, in bounded memory.

use std::io::{BufRead, Error, Read};

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

/// Longest text or element; a cell holds at most 32767 characters.
const LONGEST_EVENT: usize = 4 << 20;
/// How deep elements may stand in one another.
const DEEPEST: usize = 64;

/// A part of a workbook.
pub(super) struct Xml<'a> {
    reader: Reader<Metered<'a>>,
    buffer: Vec<u8>,
    depth: usize,
}

/// What is wrong with a part.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) reason: String,
    /// Where, in words of the sheet: `B3`.
    pub(super) cell: Option<String>,
}

/// An event that matters here.
pub(super) enum Piece<'a> {
    Start(BytesStart<'a>),
    End,
    /// A part of a text, ready to use.
    Text(std::borrow::Cow<'a, str>),
    Other,
    Eof,
}

impl<T: ToString> From<T> for Fault {
    fn from(reason: T) -> Self {
        Self {
            reason: reason.to_string(),
            cell: None,
        }
    }
}

impl<'a> Xml<'a> {
    pub(super) fn new(bytes: Box<dyn BufRead + 'a>) -> Self {
        let mut reader = Reader::from_reader(Metered { bytes, left: 0 });
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            buffer: Vec::new(),
            depth: 0,
        }
    }

    /// The next event.
    pub(super) fn next(&mut self) -> Result<Piece<'_>, Fault> {
        self.buffer.clear();
        self.reader.get_mut().left = LONGEST_EVENT;
        match self.reader.read_event_into(&mut self.buffer)? {
            Event::Start(element) => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    return Err(
                        format!("elements stand deeper than {DEEPEST} in one another").into(),
                    );
                }
                Ok(Piece::Start(element))
            }
            Event::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(Piece::End)
            }
            Event::Text(text) => Ok(Piece::Text(text.xml10_content())),
            Event::CData(text) => Ok(Piece::Text(text.xml10_content())),
            Event::GeneralRef(reference) => {
                let text = unescape(&format!("&{};", &*reference))?.into_owned();
                Ok(Piece::Text(text.into()))
            }
            Event::Eof if self.depth > 0 => Err("it ends in the middle".into()),
            Event::Eof => Ok(Piece::Eof),
            _ => Ok(Piece::Other),
        }
    }

    /// Adds the text of the element that was just entered to `text`, and leaves it. What stands in elements
    /// within it does not belong to it.
    pub(super) fn text(&mut self, text: &mut String) -> Result<(), Fault> {
        let outside = self.depth - 1;
        while self.depth > outside {
            let inside = self.depth == outside + 1;
            match self.next()? {
                Piece::Text(part) if inside => {
                    text.push_str(&part);
                    if text.len() > LONGEST_EVENT {
                        return Err("a text is longer than 4 MiB".into());
                    }
                }
                Piece::Eof => break,
                _ => {}
            }
        }
        Ok(())
    }

    /// Leaves the element that was just entered.
    pub(super) fn skip(&mut self) -> Result<(), Fault> {
        let outside = self.depth - 1;
        while self.depth > outside {
            if matches!(self.next()?, Piece::Eof) {
                break;
            }
        }
        Ok(())
    }

    /// How many elements stand around this place.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// How many bytes were read.
    pub(super) fn position(&self) -> u64 {
        self.reader.buffer_position()
    }
}

/// The value of an attribute, whatever the prefix of its name.
pub(super) fn attribute(element: &BytesStart<'_>, wanted: &str) -> Result<Option<String>, Fault> {
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute?;
        if attribute.key.local_name().as_ref() == wanted {
            return Ok(Some(unescape(&attribute.value)?.into_owned()));
        }
    }
    Ok(None)
}

/// Refuses to give more than is left, so that one event cannot fill the memory.
struct Metered<'a> {
    bytes: Box<dyn BufRead + 'a>,
    left: usize,
}

impl BufRead for Metered<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.left == 0 {
            return Err(Error::other("a text or element is longer than 4 MiB"));
        }
        self.bytes.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count);
        self.bytes.consume(count);
    }
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
