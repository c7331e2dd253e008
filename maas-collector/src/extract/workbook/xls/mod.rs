//! Old `.xls` (BIFF 8 and 5): one stream of records.

mod container;
mod record;
#[cfg(test)]
pub(in crate::extract) mod tests;

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::rc::Rc;

use encoding_rs::{Encoding, WINDOWS_1252};

use super::sheet::{Sheet, Stored};
use super::texts::Texts;
use super::{ExtractError, damage, format};
use container::{f64_at, u16_at, u32_at};
use record::{Record, Records};

/// The first bytes of the container.
pub(super) const MAGIC: &[u8] = b"\xD0\xCF\x11\xE0";
/// Largest file; a sheet holds 65536 rows at most.
const LARGEST_FILE: u64 = 32 << 20;

const BOF: u16 = 0x0809;
const EOF: u16 = 0x000A;

/// An open file.
pub(in crate::extract) struct Book {
    stream: Vec<u8>,
    globals: Globals,
    shared: Rc<Texts>,
}

/// What is said of all sheets.
struct Globals {
    /// Texts are bytes of an encoding, not Unicode.
    old: bool,
    encoding: &'static Encoding,
    since_1904: bool,
    /// Name and position of each sheet with cells.
    sheets: Vec<(String, usize)>,
    /// By number of a format that the file brings along, whether it shows a date.
    formats: HashMap<u16, bool>,
    /// The format of each cell style.
    styles: Vec<u16>,
}

impl Book {
    /// Reads everything but the sheets.
    pub(super) fn open(file: File) -> Result<Self, ExtractError> {
        let mut bytes = Vec::new();
        file.take(LARGEST_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(damage)?;
        if bytes.len() as u64 > LARGEST_FILE {
            return Err(damage(
                "it is larger than 32 MiB; save it as `.xlsx`, or deliver it as CSV",
            ));
        }
        let stream = container::stream(&bytes, &["Workbook", "Book"])
            .ok_or_else(|| damage("it is an Office file, but no workbook, or it is broken"))?;
        let (globals, shared) = Globals::read(&stream).map_err(damage)?;
        Ok(Self {
            stream,
            globals,
            shared: Rc::new(shared),
        })
    }

    /// The names of the sheets with cells, in order.
    pub(super) fn sheet_names(&self) -> Vec<&str> {
        let sheets = self.globals.sheets.iter();
        sheets.map(|(name, _)| name.as_str()).collect()
    }

    /// Reads the sheet at a position of [`Book::sheet_names`].
    pub(super) fn sheet(&self, position: usize) -> Result<Sheet, ExtractError> {
        let (name, start) = &self.globals.sheets[position];
        let mut sheet = Sheet::new(name, Rc::clone(&self.shared), self.globals.since_1904);
        let read = self.cells(*start, &mut sheet);
        read.map_err(|reason| ExtractError {
            place: format!("sheet `{name}`"),
            reason: reason.to_owned(),
        })?;
        sheet.sort();
        Ok(sheet)
    }

    fn cells(&self, start: usize, sheet: &mut Sheet) -> Result<(), &'static str> {
        // Charts stand within a sheet, with records of their own.
        let mut depth = 0;
        // The text of a formula comes behind it.
        let mut formula = None;
        for record in Records::from(&self.stream, start) {
            match record.kind {
                BOF => depth += 1,
                EOF if depth <= 1 => return Ok(()),
                EOF => depth -= 1,
                _ if depth == 1 => {
                    self.cell(&record, &mut formula, sheet)
                        .ok_or("a cell is cut short")??;
                }
                _ => {}
            }
        }
        Err("it ends in the middle")
    }

    /// Takes one record; `None` when it is shorter than it has to be.
    fn cell(
        &self,
        record: &Record<'_>,
        formula: &mut Option<(u32, u32)>,
        sheet: &mut Sheet,
    ) -> Option<Result<(), &'static str>> {
        let data = record.data();
        let place = || Some((u32::from(u16_at(data, 0)?), u32::from(u16_at(data, 2)?)));
        let (row, column, cell) = match record.kind {
            0x0203 => {
                let (row, column) = place()?;
                (row, column, self.number(u16_at(data, 4)?, f64_at(data, 6)?))
            }
            0x027E => {
                let (row, column) = place()?;
                (
                    row,
                    column,
                    self.number(u16_at(data, 4)?, short_number(u32_at(data, 6)?)),
                )
            }
            0x00BD => return self.short_numbers(data, sheet),
            0x0205 => {
                let (row, column) = place()?;
                let value = *data.get(6)?;
                match *data.get(7)? {
                    0 => (row, column, Stored::Boolean(value != 0)),
                    _ => (row, column, Stored::Error(value)),
                }
            }
            0x00FD => {
                let (row, column) = place()?;
                match sheet.shared(u32_at(data, 6)? as usize) {
                    Ok(cell) => (row, column, cell),
                    Err(reason) => return Some(Err(reason)),
                }
            }
            0x0204 | 0x00D6 => {
                let (row, column) = place()?;
                let text = self.globals.text(record, 6, false)?;
                return Some(add_text(sheet, row, column, &text));
            }
            0x0006 => {
                let (row, column) = place()?;
                *formula = Some((row, column));
                match self.result(data)? {
                    Some(cell) => (row, column, cell),
                    None if data.get(6) == Some(&3) => {
                        return Some(add_text(sheet, row, column, ""));
                    }
                    None => return Some(Ok(())),
                }
            }
            0x0207 => {
                let Some((row, column)) = formula.take() else {
                    return Some(Ok(()));
                };
                let text = self.globals.text(record, 0, false)?;
                return Some(add_text(sheet, row, column, &text));
            }
            0x00E5 => return merged(data, sheet),
            _ => return Some(Ok(())),
        };
        Some(sheet.push(row, column, cell))
    }

    /// The result of a formula; `None` when it is a text.
    fn result(&self, data: &[u8]) -> Option<Option<Stored>> {
        if u16_at(data, 12)? != 0xFFFF {
            return Some(Some(self.number(u16_at(data, 4)?, f64_at(data, 6)?)));
        }
        let value = *data.get(8)?;
        Some(match *data.get(6)? {
            1 => Some(Stored::Boolean(value != 0)),
            2 => Some(Stored::Error(value)),
            _ => None,
        })
    }

    /// Several numbers in one row.
    fn short_numbers(&self, data: &[u8], sheet: &mut Sheet) -> Option<Result<(), &'static str>> {
        let (row, first) = (u16_at(data, 0)?, u16_at(data, 2)?);
        let numbers = data.get(4..data.len().checked_sub(2)?)?;
        for (number, column) in numbers.chunks_exact(6).zip(u32::from(first)..) {
            let cell = self.number(u16_at(number, 0)?, short_number(u32_at(number, 2)?));
            if let Err(reason) = sheet.push(row.into(), column, cell) {
                return Some(Err(reason));
            }
        }
        Some(Ok(()))
    }

    fn number(&self, style: u16, number: f64) -> Stored {
        match self.globals.is_date(style) {
            true => Stored::Date(number),
            false => Stored::Number(number),
        }
    }
}

fn add_text(sheet: &mut Sheet, row: u32, column: u32, text: &str) -> Result<(), &'static str> {
    let cell = sheet.text(text)?;
    sheet.push(row, column, cell)
}

/// Merged cells make a sheet larger.
fn merged(data: &[u8], sheet: &mut Sheet) -> Option<Result<(), &'static str>> {
    for area in data.get(2..)?.chunks_exact(8).take(u16_at(data, 0)?.into()) {
        let (row, column) = (u16_at(area, 2)?, u16_at(area, 6)?);
        if let Err(reason) = sheet.reach(row.into(), column.into()) {
            return Some(Err(reason));
        }
    }
    Some(Ok(()))
}

/// A number in four bytes: the upper half of a float or a whole number, perhaps hundredths.
fn short_number(bits: u32) -> f64 {
    let number = match bits & 2 {
        0 => f64::from_bits(u64::from(bits & !3) << 32),
        _ => f64::from(bits.cast_signed() >> 2),
    };
    match bits & 1 {
        0 => number,
        _ => number / 100.0,
    }
}

impl Globals {
    fn read(stream: &[u8]) -> Result<(Self, Texts), &'static str> {
        let mut globals = Self {
            old: false,
            encoding: WINDOWS_1252,
            since_1904: false,
            sheets: Vec::new(),
            formats: HashMap::new(),
            styles: Vec::new(),
        };
        let mut shared = Texts::default();
        for record in Records::from(stream, 0) {
            match record.kind {
                EOF => return Ok((globals, shared)),
                0x00FC => shared = shared_texts(&record)?,
                _ => globals.take(&record).ok_or("its head is cut short")??,
            }
        }
        Err("it ends in the middle of its head")
    }

    /// Takes one record; `None` when it is shorter than it has to be.
    fn take(&mut self, record: &Record<'_>) -> Option<Result<(), &'static str>> {
        let data = record.data();
        match record.kind {
            BOF => match u16_at(data, 0)? {
                0x0600 => {}
                0x0500 => self.old = true,
                _ => return Some(Err("it is older than Excel 5; save it as `.xlsx`")),
            },
            0x002F => return Some(Err("it is encrypted")),
            0x0042 => self.encoding = encoding(u16_at(data, 0)?),
            0x0022 => self.since_1904 = u16_at(data, 0)? == 1,
            0x041E => {
                // The version before has one byte for the length.
                let format = self.text(record, 2, self.old)?;
                self.formats
                    .insert(u16_at(data, 0)?, format::is_date(&format));
            }
            0x00E0 => self.styles.push(u16_at(data, 2)?),
            0x0085 => {
                let start = u32_at(data, 0)? as usize;
                let name = self.text(record, 6, true)?;
                // Others are charts and programs.
                if *data.get(5)? == 0 {
                    self.sheets.push((name, start));
                }
            }
            _ => {}
        }
        Some(Ok(()))
    }

    fn text(&self, record: &Record<'_>, at: usize, short: bool) -> Option<String> {
        let mut reader = record.reader(at);
        match self.old {
            true => reader.old_text(short, self.encoding),
            false => reader.text(short),
        }
    }

    fn is_date(&self, style: u16) -> bool {
        let Some(id) = self.styles.get(usize::from(style)) else {
            return false;
        };
        match self.formats.get(id) {
            Some(date) => *date,
            None => format::is_old_date_id(u32::from(*id)),
        }
    }
}

fn shared_texts(record: &Record<'_>) -> Result<Texts, &'static str> {
    let count = u32_at(record.data(), 4).ok_or("its texts are cut short")?;
    let mut texts = Texts::default();
    let mut reader = record.reader(8);
    for _ in 0..count {
        // Some programs count texts that are not there.
        let Some(text) = reader.text(false) else {
            break;
        };
        texts.push(&text)?;
    }
    Ok(texts)
}

/// The encoding with this number.
fn encoding(page: u16) -> &'static Encoding {
    let label = match page {
        10000 => "macintosh".to_owned(),
        10007 => "x-mac-cyrillic".to_owned(),
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        866 => "ibm866".to_owned(),
        page => format!("windows-{page}"),
    };
    Encoding::for_label(label.as_bytes()).unwrap_or(WINDOWS_1252)
}
