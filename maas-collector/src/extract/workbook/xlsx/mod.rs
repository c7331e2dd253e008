//! `.xlsx`: a zip file of XML parts, each read in one pass.

mod cells;
mod parts;
mod xml;

use std::fs::File;
use std::io::BufReader;
use std::rc::Rc;

use super::super::zip::Zip;
use super::texts::Texts;
use super::{ExtractError, LARGEST_PART, Sheet, damage};
use parts::{Contents, Relations};
use xml::Xml;

/// An open file.
pub(in crate::extract) struct Package {
    zip: Zip<File>,
    contents: Contents,
    sheets: Vec<(String, String)>,
    shared: Rc<Texts>,
    /// Which cell styles show dates.
    dates: Vec<bool>,
}

impl Package {
    /// Reads everything but the sheets.
    pub(super) fn open(file: File) -> Result<Self, ExtractError> {
        let mut zip = Zip::open(file).map_err(damage)?;
        let root = part(&mut zip, "_rels/.rels", parts::relations)?.unwrap_or_default();
        let workbook = root
            .office_document()
            .unwrap_or("xl/workbook.xml")
            .to_owned();
        let contents = part(&mut zip, &workbook, parts::contents)?
            .ok_or_else(|| damage("it is a zip file, but no workbook"))?;
        let (folder, name) = workbook.rsplit_once('/').unwrap_or(("", &workbook));
        let path = format!("{folder}/_rels/{name}.rels");
        let relations: Relations = part(&mut zip, &path, parts::relations)?.unwrap_or_default();
        let sheets = contents.sheets.iter().filter_map(|(name, id)| {
            let path = relations.worksheet(id, folder)?;
            Some((name.clone(), path))
        });
        let sheets = sheets.collect();
        let styles = relations.part("styles", folder);
        let dates = part(&mut zip, &styles, parts::date_styles)?;
        let texts = relations.part("sharedStrings", folder);
        let shared = part(&mut zip, &texts, parts::shared_texts)?;
        Ok(Self {
            zip,
            contents,
            sheets,
            shared: Rc::new(shared.unwrap_or_default()),
            dates: dates.unwrap_or_default(),
        })
    }

    /// The names of the sheets with cells, in order.
    pub(super) fn sheet_names(&self) -> Vec<&str> {
        self.sheets.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Reads the sheet at a position of [`Package::sheet_names`].
    pub(super) fn sheet(&mut self, position: usize) -> Result<Sheet, ExtractError> {
        let (name, path) = &self.sheets[position];
        let sheet = Sheet::new(name, Rc::clone(&self.shared), self.contents.since_1904);
        let dates = &self.dates;
        let read = part(&mut self.zip, path, |xml| cells::read(xml, sheet, dates))?;
        read.ok_or_else(|| damage(format!("the cells of sheet `{name}` are missing")))
    }
}

/// Reads a part of the file; `None` when there is none of this name.
fn part<T>(
    zip: &mut Zip<File>,
    name: &str,
    read: impl FnOnce(&mut Xml<'_>) -> Result<T, xml::Fault>,
) -> Result<Option<T>, ExtractError> {
    let member = zip
        .members()
        .iter()
        .find(|member| same_name(&member.name, name));
    let Some(member) = member.cloned() else {
        return Ok(None);
    };
    let in_part = |reason: String| ExtractError {
        place: format!("part `{name}`"),
        reason,
    };
    if member.size > LARGEST_PART {
        return Err(in_part("it has more than 512 MiB unpacked".into()));
    }
    let bytes = zip
        .read(&member)
        .map_err(|error| in_part(error.to_string()))?;
    let mut xml = Xml::new(Box::new(BufReader::with_capacity(64 << 10, bytes)));
    read(&mut xml).map(Some).map_err(|fault| ExtractError {
        place: match fault.cell {
            Some(cell) => format!("part `{name}`, cell {cell}"),
            None => format!("part `{name}`, byte {}", xml.position()),
        },
        reason: fault.reason,
    })
}

/// Some programs write other letters or Windows' separator.
fn same_name(found: &str, wanted: &str) -> bool {
    let plain = |c: u8| match c {
        b'\\' => b'/',
        c => c.to_ascii_lowercase(),
    };
    let found = found.strip_prefix('/').unwrap_or(found);
    found.len() == wanted.len() && found.bytes().map(plain).eq(wanted.bytes().map(plain))
}
