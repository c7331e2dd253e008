//! The cells of a sheet.

use super::super::sheet::{MOST_COLUMNS, MOST_ROWS, Sheet, Stored};
use super::parts::{cooked, keeps_blanks, rich_text};
use super::xml::{Fault, Piece, Xml};
use quick_xml::events::BytesStart;

/// What a cell says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Shared,
    Formula,
    Inline,
    Boolean,
    Error,
}

/// A cell that was just entered.
struct Head {
    row: u32,
    column: u32,
    kind: Kind,
    date: bool,
}

/// Where the next row and cell stand, when they do not say it.
struct Place {
    row: u32,
    column: u32,
}

/// Reads a sheet; `dates` tells which styles show dates.
pub(super) fn read(xml: &mut Xml<'_>, mut sheet: Sheet, dates: &[bool]) -> Result<Sheet, Fault> {
    let mut next = Place { row: 0, column: 0 };
    let mut text = String::new();
    loop {
        match xml.next()? {
            Piece::Start(element) => match element.local_name().as_ref() {
                "row" => enter_row(&element, &mut next)?,
                "c" => {
                    let head = head(&element, &mut next, dates)?;
                    let added = match body(xml, &head, &sheet, &mut text) {
                        Ok(Body::Text) => sheet.text(&text).map(Some),
                        Ok(Body::Other(cell)) => Ok(Some(cell)),
                        Ok(Body::Nothing) => Ok(None),
                        Err(fault) => return Err(at(&head, fault.reason)),
                    };
                    let added = added.and_then(|cell| match cell {
                        Some(cell) => sheet.push(head.row, head.column, cell),
                        None => Ok(()),
                    });
                    added.map_err(|reason| at(&head, reason.to_owned()))?;
                }
                // Merged cells make a sheet larger, others without content do not.
                "mergeCell" => {
                    if let Some(area) = super::xml::attribute(&element, "ref")? {
                        let last = area.rsplit(':').next().unwrap_or_default();
                        let (column, row) = reference(last)?;
                        sheet.reach(row.unwrap_or(0), column)?;
                    }
                }
                _ => {}
            },
            Piece::End | Piece::Text(_) | Piece::Other => {}
            Piece::Eof => break,
        }
    }
    sheet.sort();
    Ok(sheet)
}

fn at(head: &Head, reason: String) -> Fault {
    Fault {
        reason,
        cell: Some(name(head.row, head.column)),
    }
}

/// `B3`.
fn name(row: u32, column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        letters.push(char::from(b'A' + ((rest - 1) % 26) as u8));
        rest = (rest - 1) / 26;
    }
    let letters: String = letters.into_iter().rev().collect();
    format!("{letters}{}", row + 1)
}

fn enter_row(element: &BytesStart<'_>, next: &mut Place) -> Result<(), Fault> {
    next.column = 0;
    let mut number = None;
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute?;
        if attribute.key.as_ref() == "r" {
            number = Some(attribute.value.parse::<u32>().ok());
        }
    }
    next.row = match number {
        None => next.row,
        Some(Some(number)) if (1..=MOST_ROWS).contains(&number) => number - 1,
        Some(_) => return Err("a row has no number that a row can have".into()),
    };
    // The one behind it, unless it says something else.
    next.row += 1;
    Ok(())
}

fn head(element: &BytesStart<'_>, next: &mut Place, dates: &[bool]) -> Result<Head, Fault> {
    let mut head = Head {
        row: next.row.saturating_sub(1),
        column: next.column,
        kind: Kind::Number,
        date: dates.first().copied().unwrap_or(false),
    };
    for attribute in element.attributes().with_checks(false) {
        let attribute = attribute?;
        let value = &*attribute.value;
        match attribute.key.as_ref() {
            "r" => {
                let (column, row) = reference(value)?;
                if row.is_some_and(|row| row != head.row) {
                    return Err(format!("cell `{value}` stands in row {}", head.row + 1).into());
                }
                head.column = column;
            }
            "s" => {
                let style = value.parse().ok().and_then(|style: usize| dates.get(style));
                head.date = style.copied().unwrap_or(false);
            }
            "t" => {
                head.kind = match value {
                    "n" => Kind::Number,
                    "s" => Kind::Shared,
                    "str" => Kind::Formula,
                    "inlineStr" => Kind::Inline,
                    "b" => Kind::Boolean,
                    "e" => Kind::Error,
                    other => return Err(format!("cells of type `{other}` are not known").into()),
                };
            }
            _ => {}
        }
    }
    next.column = head.column + 1;
    Ok(head)
}

/// Column and row of `B3`; the row may be missing.
fn reference(text: &str) -> Result<(u32, Option<u32>), Fault> {
    let wrong = || Fault::from(format!("`{text}` names no cell"));
    let plain = text.trim_start_matches('$');
    let letters = plain.bytes().take_while(u8::is_ascii_alphabetic).count();
    if !(1..=3).contains(&letters) {
        return Err(wrong());
    }
    let (column, row) = plain.split_at(letters);
    let column = column.bytes().fold(0, |column, c| {
        column * 26 + u32::from(c.to_ascii_uppercase() - b'A') + 1
    });
    let row = match row.trim_start_matches('$') {
        "" => None,
        row => {
            let row: u32 = row.parse().map_err(|_| wrong())?;
            Some(row.checked_sub(1).ok_or_else(wrong)?)
        }
    };
    if column > MOST_COLUMNS || row.is_some_and(|row| row >= MOST_ROWS) {
        return Err(wrong());
    }
    Ok((column - 1, row))
}

/// What a cell holds.
enum Body {
    Nothing,
    /// A text, which is in the buffer.
    Text,
    Other(Stored),
}

/// Reads the cell that was just entered, and leaves it.
fn body(xml: &mut Xml<'_>, head: &Head, sheet: &Sheet, text: &mut String) -> Result<Body, Fault> {
    text.clear();
    let mut has_value = false;
    let outside = xml.depth() - 1;
    while xml.depth() > outside {
        match xml.next()? {
            Piece::Start(element) => match element.local_name().as_ref() {
                "v" if head.kind == Kind::Formula => {
                    let kept = keeps_blanks(&element)?;
                    has_value = true;
                    cooked(xml, kept, text)?;
                }
                "v" => {
                    has_value = true;
                    xml.text(text)?;
                }
                "is" if head.kind == Kind::Inline => rich_text(xml, text)?,
                _ => xml.skip()?,
            },
            Piece::Eof => break,
            _ => {}
        }
    }
    let empty = text.is_empty();
    match head.kind {
        // The value of a formula may be an empty text; that is something.
        Kind::Formula if has_value => Ok(Body::Text),
        Kind::Inline if !empty => Ok(Body::Text),
        _ if empty => Ok(Body::Nothing),
        Kind::Formula | Kind::Inline => Ok(Body::Nothing),
        Kind::Number => {
            let number = number(text)?;
            Ok(Body::Other(match head.date {
                true => Stored::Date(number),
                false => Stored::Number(number),
            }))
        }
        Kind::Shared => {
            let number = text.trim().parse().map_err(|_| no("text number", text))?;
            Ok(Body::Other(sheet.shared(number)?))
        }
        Kind::Boolean => match text.trim() {
            "1" | "true" => Ok(Body::Other(Stored::Boolean(true))),
            "0" | "false" => Ok(Body::Other(Stored::Boolean(false))),
            _ => Err(no("boolean", text)),
        },
        Kind::Error => Ok(Body::Other(Stored::Error(error_code(text.trim())))),
    }
}

fn number(text: &str) -> Result<f64, Fault> {
    let number = text
        .trim()
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| no("number", text))
}

fn no(kind: &str, text: &str) -> Fault {
    let shown: String = text.chars().take(40).collect();
    format!("`{shown}` is no {kind}").into()
}

/// The code that the old format has for an error. Later ones (`#SPILL!`) have none: not available.
fn error_code(text: &str) -> u8 {
    match text {
        "#NULL!" => 0,
        "#DIV/0!" => 7,
        "#VALUE!" => 15,
        "#REF!" => 23,
        "#NAME?" => 29,
        "#NUM!" => 36,
        "#GETTING_DATA" => 43,
        _ => 42,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_and_names_agree() {
        for (text, column, row) in [
            ("A1", 0, 0),
            ("B3", 1, 2),
            ("AA10", 26, 9),
            ("XFD1048576", 16383, 1048575),
        ] {
            assert_eq!(reference(text).unwrap(), (column, Some(row)));
            assert_eq!(name(row, column), text);
        }
        for text in ["", "1", "A0", "XFE1", "A1048577", "AAAA1", "A-1"] {
            assert!(reference(text).is_err(), "{text}");
        }
    }
}
