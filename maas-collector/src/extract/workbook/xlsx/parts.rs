//! The small parts: relations, sheet names, formats, shared texts.

use std::collections::HashMap;

use super::super::format;
use super::super::texts::Texts;
use super::xml::{Fault, Piece, Xml, attribute};

/// Most sheets, relations, formats or styles.
const MOST_ENTRIES: usize = 100_000;
const TOO_MANY: &str = "it has more than 100000 entries";

/// Which part stands behind which id.
#[derive(Debug, Default)]
pub(super) struct Relations {
    all: Vec<Relation>,
}

#[derive(Debug)]
struct Relation {
    id: String,
    /// The last word of its type: `worksheet`.
    kind: String,
    target: String,
}

/// What the part `workbook.xml` says.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// Name and relation of each sheet.
    pub(super) sheets: Vec<(String, String)>,
    pub(super) since_1904: bool,
}

impl Relations {
    pub(super) fn office_document(&self) -> Option<&str> {
        let found = self.all.iter().find(|one| one.kind == "officeDocument")?;
        Some(found.target.trim_start_matches('/'))
    }

    /// The path of a sheet that has cells; charts have none.
    pub(super) fn worksheet(&self, id: &str, folder: &str) -> Option<String> {
        let found = self.all.iter().find(|one| one.id == id)?;
        (found.kind == "worksheet").then(|| joined(folder, &found.target))
    }

    /// The path of the only part of a kind.
    pub(super) fn part(&self, kind: &str, folder: &str) -> String {
        let found = self.all.iter().find(|one| one.kind == kind);
        let usual = format!("{kind}.xml");
        joined(folder, found.map_or(&usual, |one| &one.target))
    }
}

/// A target is relative to the folder, or starts with a slash.
fn joined(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in target.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Reads a part of relations.
pub(super) fn relations(xml: &mut Xml<'_>) -> Result<Relations, Fault> {
    let mut all = Vec::new();
    loop {
        match xml.next()? {
            Piece::Start(element) if element.local_name().as_ref() == "Relationship" => {
                if all.len() >= MOST_ENTRIES {
                    return Err(TOO_MANY.into());
                }
                let text = |name| attribute(&element, name).map(Option::unwrap_or_default);
                let kind = text("Type")?;
                all.push(Relation {
                    id: text("Id")?,
                    kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                    target: text("Target")?,
                });
            }
            Piece::Eof => return Ok(Relations { all }),
            _ => {}
        }
    }
}

/// Reads the names of the sheets.
pub(super) fn contents(xml: &mut Xml<'_>) -> Result<Contents, Fault> {
    let mut contents = Contents::default();
    loop {
        match xml.next()? {
            Piece::Start(element) => match element.local_name().as_ref() {
                "sheet" => {
                    if contents.sheets.len() >= MOST_ENTRIES {
                        return Err(TOO_MANY.into());
                    }
                    let name = attribute(&element, "name")?.unwrap_or_default();
                    let id = attribute(&element, "id")?.unwrap_or_default();
                    contents.sheets.push((name, id));
                }
                "workbookPr" => {
                    let flag = attribute(&element, "date1904")?;
                    contents.since_1904 = matches!(flag.as_deref(), Some("1" | "true"));
                }
                _ => {}
            },
            Piece::Eof => return Ok(contents),
            _ => {}
        }
    }
}

/// Reads of each cell style whether it shows a date.
pub(super) fn date_styles(xml: &mut Xml<'_>) -> Result<Vec<bool>, Fault> {
    let mut formats: HashMap<u32, bool> = HashMap::new();
    let mut styles = Vec::new();
    // Styles of styles stand in `cellStyleXfs`, those of cells in `cellXfs`.
    let mut of_cells = false;
    loop {
        match xml.next()? {
            Piece::Start(element) => {
                let number = |name| -> Result<u32, Fault> {
                    let text = attribute(&element, name)?;
                    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0))
                };
                match element.local_name().as_ref() {
                    "numFmt" => {
                        let code = attribute(&element, "formatCode")?.unwrap_or_default();
                        formats.insert(number("numFmtId")?, format::is_date(&code));
                    }
                    "cellXfs" => of_cells = true,
                    "cellStyleXfs" | "cellStyles" | "dxfs" => of_cells = false,
                    "xf" if of_cells => {
                        let id = number("numFmtId")?;
                        let date = formats.get(&id).copied();
                        styles.push(date.unwrap_or_else(|| format::is_date_id(id)));
                    }
                    _ => {}
                }
                if formats.len().max(styles.len()) > MOST_ENTRIES {
                    return Err(TOO_MANY.into());
                }
            }
            Piece::Eof => return Ok(styles),
            _ => {}
        }
    }
}

/// Reads the texts that all sheets share.
pub(super) fn shared_texts(xml: &mut Xml<'_>) -> Result<Texts, Fault> {
    let mut texts = Texts::default();
    let mut text = String::new();
    loop {
        match xml.next()? {
            Piece::Start(element) if element.local_name().as_ref() == "si" => {
                text.clear();
                rich_text(xml, &mut text)?;
                texts.push(&text)?;
            }
            Piece::Eof => return Ok(texts),
            _ => {}
        }
    }
}

/// Reads the text of the element that was just entered: one `t`, or one in each of several runs. How a
/// text is pronounced (`rPh`) is left out.
pub(super) fn rich_text(xml: &mut Xml<'_>, text: &mut String) -> Result<(), Fault> {
    let outside = xml.depth() - 1;
    while xml.depth() > outside {
        match xml.next()? {
            Piece::Start(element) => match element.local_name().as_ref() {
                "t" => {
                    let kept = keeps_blanks(&element)?;
                    cooked(xml, kept, text)?;
                }
                "rPh" => xml.skip()?,
                _ => {}
            },
            Piece::Eof => break,
            _ => {}
        }
    }
    Ok(())
}

/// Whether blanks around the text of an element belong to it.
pub(super) fn keeps_blanks(element: &quick_xml::events::BytesStart<'_>) -> Result<bool, Fault> {
    Ok(attribute(element, "space")?.as_deref() == Some("preserve"))
}

/// Adds the text of the element that was just entered, without blanks around it, and with `_x0041_` read
/// as the character that it stands for.
pub(super) fn cooked(xml: &mut Xml<'_>, keep_blanks: bool, text: &mut String) -> Result<(), Fault> {
    let start = text.len();
    xml.text(text)?;
    let blank = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    if !keep_blanks && text[start..].contains(blank) {
        let trimmed = text[start..].trim_matches(blank).to_owned();
        text.truncate(start);
        text.push_str(&trimmed);
    }
    if text[start..].contains("_x") {
        let read = unescaped(&text[start..]);
        text.truncate(start);
        text.push_str(&read);
    }
    Ok(())
}

/// Reads `_x0041_`. Half a surrogate becomes the replacement character.
fn unescaped(text: &str) -> String {
    let mut read = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let code = rest.get(at + 2..at + 6).filter(|code| {
            rest[at + 6..].starts_with('_') && code.bytes().all(|c| c.is_ascii_hexdigit())
        });
        match code.and_then(|code| u32::from_str_radix(code, 16).ok()) {
            Some(code) => {
                read.push_str(&rest[..at]);
                read.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                rest = &rest[at + 7..];
            }
            None => {
                read.push_str(&rest[..at + 2]);
                rest = &rest[at + 2..];
            }
        }
    }
    read.push_str(rest);
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_characters_are_read() {
        for (text, read) in [
            ("res_x0041_", "resA"),
            ("_x0041__x0042_", "AB"),
            ("_x004_", "_x004_"),
            ("a_x00é", "a_x00é"),
            ("_xD800_", "\u{fffd}"),
            ("_x_x0041_", "_xA"),
        ] {
            assert_eq!(unescaped(text), read);
        }
    }

    #[test]
    fn targets_are_relative_to_the_workbook() {
        assert_eq!(joined("xl", "worksheets/a.xml"), "xl/worksheets/a.xml");
        assert_eq!(joined("xl", "/xl/a.xml"), "xl/a.xml");
        assert_eq!(joined("xl", "../a.xml"), "a.xml");
    }
}
