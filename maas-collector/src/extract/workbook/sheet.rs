//! The cells of one sheet: only those that are not empty are kept.

use std::ops::Range;

use super::cell::{Cell, Date};
use super::texts::Texts;
use super::{MOST_CELLS, MOST_PLACES, Rc, TOO_MANY_CELLS};

/// Most columns.
pub(super) const MOST_COLUMNS: u32 = 16_384;
/// Most rows.
pub(super) const MOST_ROWS: u32 = 1_048_576;

/// One sheet. Every row is as wide as the widest.
pub(in crate::extract) struct Sheet {
    name: String,
    shared: Rc<Texts>,
    own: Texts,
    columns: Vec<u16>,
    cells: Vec<Stored>,
    rows: Vec<StoredRow>,
    height: u32,
    width: u32,
    since_1904: bool,
}

/// A cell in little memory.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stored {
    /// A text that all sheets share.
    Shared(u32),
    /// A text of this sheet.
    Own(u32),
    Number(f64),
    Date(f64),
    Boolean(bool),
    Error(u8),
}

struct StoredRow {
    number: u32,
    end: u32,
}

/// One row.
#[derive(Clone)]
pub(in crate::extract) struct Row<'a> {
    sheet: &'a Sheet,
    number: usize,
    cells: Range<usize>,
}

impl Sheet {
    pub(super) fn new(name: &str, shared: Rc<Texts>, since_1904: bool) -> Self {
        Self {
            name: name.to_owned(),
            shared,
            own: Texts::default(),
            columns: Vec::new(),
            cells: Vec::new(),
            rows: Vec::new(),
            height: 0,
            width: 0,
            since_1904,
        }
    }

    /// Its name.
    pub(in crate::extract) fn name(&self) -> &str {
        &self.name
    }

    /// How many rows it has.
    pub(in crate::extract) fn height(&self) -> usize {
        self.height as usize
    }

    /// How many columns it has.
    pub(in crate::extract) fn width(&self) -> usize {
        self.width as usize
    }

    /// All rows, those without cells too.
    pub(in crate::extract) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let mut stored = self.rows.iter().peekable();
        let mut start = 0;
        (0..self.height()).map(move |number| {
            let end = match stored.next_if(|row| row.number as usize == number) {
                Some(row) => row.end as usize,
                None => start,
            };
            let cells = start..end;
            start = end;
            Row {
                sheet: self,
                number,
                cells,
            }
        })
    }

    /// A text of this sheet.
    pub(super) fn text(&mut self, text: &str) -> Result<Stored, &'static str> {
        self.own.push(text).map(Stored::Own)
    }

    /// A text that all sheets share.
    pub(super) fn shared(&self, number: usize) -> Result<Stored, &'static str> {
        match u32::try_from(number) {
            Ok(number) if (number as usize) < self.shared.len() => Ok(Stored::Shared(number)),
            _ => Err("it refers to a text that is not there"),
        }
    }

    /// Adds a cell. Rows come in order, cells of a row in any.
    pub(super) fn push(&mut self, row: u32, column: u32, cell: Stored) -> Result<(), &'static str> {
        if self.cells.len() >= MOST_CELLS {
            return Err(TOO_MANY_CELLS);
        }
        if row >= MOST_ROWS || column >= MOST_COLUMNS {
            return Err("it is beyond the last row or column that a sheet can have");
        }
        self.reach(row, column)?;
        let end = self.cells.len() as u32 + 1;
        match self.rows.last_mut() {
            Some(last) if last.number == row => last.end = end,
            Some(last) if last.number > row => return Err("the rows are out of order"),
            _ => self.rows.push(StoredRow { number: row, end }),
        }
        self.columns.push(column as u16);
        self.cells.push(cell);
        Ok(())
    }

    /// The sheet has this place.
    pub(super) fn reach(&mut self, row: u32, column: u32) -> Result<(), &'static str> {
        self.height = self.height.max(row + 1);
        self.width = self.width.max(column + 1);
        if u64::from(self.height) * u64::from(self.width) > MOST_PLACES {
            return Err("its cells are spread over more than 50000000 places");
        }
        Ok(())
    }

    /// All cells are there: brings those of each row in order.
    pub(super) fn sort(&mut self) {
        let mut start = 0;
        for row in &self.rows {
            let range = start..row.end as usize;
            start = range.end;
            if self.columns[range.clone()].is_sorted() {
                continue;
            }
            let both = self.columns[range.clone()]
                .iter()
                .zip(&self.cells[range.clone()]);
            let mut both: Vec<(u16, Stored)> = both.map(|(at, cell)| (*at, *cell)).collect();
            both.sort_by_key(|(at, _)| *at);
            for (at, (column, cell)) in range.zip(both) {
                self.columns[at] = column;
                self.cells[at] = cell;
            }
        }
    }

    fn cell(&self, at: usize) -> Cell<'_> {
        match self.cells[at] {
            Stored::Shared(number) => self.shared.get(number).map_or(Cell::Empty, Cell::Text),
            Stored::Own(number) => self.own.get(number).map_or(Cell::Empty, Cell::Text),
            Stored::Number(number) => Cell::Number(number),
            Stored::Date(days) => Cell::Date(Date {
                days,
                since_1904: self.since_1904,
            }),
            Stored::Boolean(boolean) => Cell::Boolean(boolean),
            Stored::Error(code) => Cell::Error(code),
        }
    }
}

impl<'a> Row<'a> {
    /// Its position, from 0.
    pub(in crate::extract) fn number(&self) -> usize {
        self.number
    }

    /// How many columns it has.
    pub(in crate::extract) fn width(&self) -> usize {
        self.sheet.width()
    }

    /// The columns that hold something.
    pub(in crate::extract) fn filled(&self) -> impl Iterator<Item = usize> {
        let cells = self.cells.clone();
        let filled = cells.filter(|at| self.sheet.cell(*at).is_something());
        filled.map(|at| usize::from(self.sheet.columns[at]))
    }

    /// The cell of a column; empty where there is none.
    pub(in crate::extract) fn cell(&self, column: usize) -> Cell<'a> {
        let columns = &self.sheet.columns[self.cells.clone()];
        // Most rows have a cell in every column.
        let at = match columns.get(column) {
            Some(found) if usize::from(*found) == column => column,
            _ => match columns
                .partition_point(|at| usize::from(*at) <= column)
                .checked_sub(1)
            {
                Some(at) if usize::from(columns[at]) == column => at,
                _ => return Cell::Empty,
            },
        };
        self.sheet.cell(self.cells.start + at)
    }

    /// All cells, empty ones too.
    pub(in crate::extract) fn cells(&self) -> impl Iterator<Item = Cell<'a>> {
        let row = self.clone();
        (0..self.sheet.width()).map(move |column| row.cell(column))
    }

    /// Whether nothing stands in it.
    pub(in crate::extract) fn is_empty(&self) -> bool {
        !self
            .cells
            .clone()
            .any(|at| self.sheet.cell(at) != Cell::Text(""))
    }

    /// The texts of its cells with tabs between them, for a dead letter.
    pub(in crate::extract) fn raw(&self) -> Vec<u8> {
        let mut raw = String::new();
        for (number, cell) in self.cells().enumerate() {
            if number > 0 {
                raw.push('\t');
            }
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => raw.push_str(text),
                Cell::Number(number) => raw.push_str(&number.to_string()),
                Cell::Date(date) => raw.push_str(&date.days.to_string()),
                Cell::Boolean(boolean) => raw.push_str(&boolean.to_string()),
                Cell::Error(code) => raw.push_str(&format!("error {code}")),
            }
            if raw.len() > super::super::BadRecord::LONGEST {
                break;
            }
        }
        raw.into_bytes()
    }
}
