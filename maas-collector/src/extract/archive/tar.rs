//! Tar files.
//!
//! Long names are read here: the `tar` crate would read one of any length into memory.

use std::io::{Error, Read, Result};

use tar::{Archive, EntryType, PaxExtensions};

use super::member::Members;
use super::{ExtractError, damage};

/// Longest header with a long name.
const LONGEST_HEADER: u64 = 64 << 10;

/// Reads all members.
pub(super) fn read(
    bytes: impl Read,
    members: &mut Members<'_>,
) -> std::result::Result<(), ExtractError> {
    let mut archive = Archive::new(bytes);
    let entries = archive.entries().map_err(damage)?;
    let mut long_name = None;
    for entry in entries.raw(true) {
        let mut entry = entry.map_err(damage)?;
        let kind = entry.header().entry_type();
        match kind {
            EntryType::GNULongName => {
                let name = header(&mut entry).map_err(damage)?;
                long_name = Some(text(name.strip_suffix(b"\0").unwrap_or(&name)));
                continue;
            }
            EntryType::XHeader => {
                let header = header(&mut entry).map_err(damage)?;
                long_name = path_in(&header).or(long_name);
                continue;
            }
            EntryType::XGlobalHeader | EntryType::GNULongLink => continue,
            _ => {}
        }
        let name = long_name.take();
        let name = name.unwrap_or_else(|| text(&entry.header().path_bytes()));
        let is_file = matches!(kind, EntryType::Regular | EntryType::Continuous);
        if !members.wants(&name, is_file)? {
            continue;
        }
        let size = entry.header().entry_size().map_err(damage)?;
        let mut whole = Whole {
            bytes: entry,
            left: size,
        };
        if members.read(&name, &mut whole)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// The content of an entry that says something of the next one.
fn header(entry: &mut impl Read) -> Result<Vec<u8>> {
    let mut header = Vec::new();
    entry.take(LONGEST_HEADER + 1).read_to_end(&mut header)?;
    if header.len() as u64 > LONGEST_HEADER {
        return Err(Error::other("the name of a member is longer than 64 KiB"));
    }
    Ok(header)
}

/// The path in an extended header.
fn path_in(header: &[u8]) -> Option<String> {
    let mut extensions = PaxExtensions::new(header).flatten();
    let path = extensions.find(|extension| extension.key_bytes() == b"path")?;
    Some(text(path.value_bytes()))
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// A member that ends early is an error.
struct Whole<R> {
    bytes: R,
    left: u64,
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.bytes.read(buffer)?;
        self.left = self.left.saturating_sub(count as u64);
        if count == 0 && !buffer.is_empty() && self.left > 0 {
            return Err(Error::other("the archive ends in the middle of it"));
        }
        Ok(count)
    }
}
