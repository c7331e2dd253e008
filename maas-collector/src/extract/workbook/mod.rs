//! Workbooks (`.xlsx`, old `.xls`): the cells of one sheet at a time, told apart as the Python system does.
//!
//! Not by `calamine`: it reserves memory for as many texts and cells as a file claims to have, copies
//! formats without bound, and knows another rule for what a date is. See `docs/decisions`.

mod cell;
mod format;
mod sheet;
#[cfg(test)]
pub(super) mod testing;
mod texts;
pub(super) mod xls;
mod xlsx;

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;
use std::rc::Rc;

pub(super) use cell::Cell;
pub use cell::Dates;
pub(super) use sheet::{Row, Sheet};

use super::ExtractError;
use xls::Book;
use xlsx::Package;

/// Largest file.
const LARGEST_FILE: u64 = 64 << 20;
/// Largest part of a file, unpacked.
const LARGEST_PART: u64 = 512 << 20;
/// Most cells of a sheet that are not empty.
const MOST_CELLS: usize = 4_000_000;
/// Most cells of the rectangle that a sheet fills, empty ones included.
const MOST_PLACES: u64 = 50_000_000;
/// Longest text of all cells together.
const LONGEST_TEXTS: usize = 64 << 20;

/// What is said of a sheet with more.
const TOO_MANY_CELLS: &str =
    "it has more than 4000000 cells; split the workbook, or deliver it as CSV";

/// A workbook of either form.
pub(super) enum Workbook {
    /// `.xlsx`
    Package(Package),
    /// `.xls`
    Book(Book),
}

/// Which sheet.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum SheetId<'a> {
    /// By position, from 0.
    Position(usize),
    /// By name.
    Name(&'a str),
}

impl Workbook {
    /// Opens a file by its content. Nothing but names and formats is read.
    pub(super) fn open(path: &Path) -> Result<Self, ExtractError> {
        let mut file = File::open(path).map_err(damage)?;
        let length = file.metadata().map_err(damage)?.len();
        if length > LARGEST_FILE {
            return Err(damage(
                "it is larger than 64 MiB; split the workbook, or deliver it as CSV",
            ));
        }
        let mut magic = [0; 4];
        let count = file.read(&mut magic).map_err(damage)?;
        file.rewind().map_err(damage)?;
        match &magic[..count] {
            b"PK\x03\x04" => Package::open(file).map(Self::Package),
            xls::MAGIC => Book::open(file).map(Self::Book),
            _ => Err(damage("it is no workbook")),
        }
    }

    /// Reads one sheet.
    pub(super) fn sheet(&mut self, id: &SheetId<'_>) -> Result<Sheet, ExtractError> {
        let names = match self {
            Self::Package(package) => package.sheet_names(),
            Self::Book(book) => book.sheet_names(),
        };
        let position = match *id {
            SheetId::Position(position) => Some(position).filter(|at| *at < names.len()),
            SheetId::Name(wanted) => names.iter().position(|name| *name == wanted),
        };
        let position = position.ok_or_else(|| {
            let wanted = match id {
                SheetId::Position(position) => format!("{position}"),
                SheetId::Name(name) => (*name).to_owned(),
            };
            let names = names.join("`, `");
            damage(format!("there is no sheet `{wanted}`; there are `{names}`"))
        })?;
        match self {
            Self::Package(package) => package.sheet(position),
            Self::Book(book) => book.sheet(position),
        }
    }
}

fn damage(reason: impl ToString) -> ExtractError {
    ExtractError {
        place: "the whole file".into(),
        reason: reason.to_string(),
    }
}
