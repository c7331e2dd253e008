//! The container of old Office files: streams in chains of sectors.

/// No sector, or the end of a chain.
const LAST: u32 = 0xFFFF_FFFA;
/// Streams that are shorter stand in sectors of 64 bytes of a stream of their own.
const SMALL: usize = 4096;
const SMALL_SECTOR: usize = 64;
const ENTRY: usize = 128;

/// The bytes of a file, and which sector follows which.
struct Sectors<'a> {
    bytes: &'a [u8],
    size: usize,
    next: Vec<u32>,
}

/// Where a stream is.
struct Entry {
    start: u32,
    length: usize,
}

/// The bytes of the first stream that has one of these names.
pub(super) fn stream(file: &[u8], names: &[&str]) -> Option<Vec<u8>> {
    let size = match u16_at(file, 30)? {
        9 => 512,
        12 => 4096,
        _ => return None,
    };
    let sectors = Sectors {
        next: allocation(file, size)?,
        // The header takes the place of one sector.
        bytes: file.get(size..)?,
        size,
    };
    let directory = sectors.chain(u32_at(file, 48)?, usize::MAX);
    let root = entry(directory.get(..ENTRY)?)?;
    let wanted = |one: &[u8]| names.iter().any(|name| is_called(one, name));
    let found = entry(directory.chunks_exact(ENTRY).find(|one| wanted(one))?)?;
    if found.length >= SMALL {
        return Some(sectors.chain(found.start, found.length));
    }
    let small = sectors.chain(root.start, root.length);
    let next = sectors.chain(u32_at(file, 60)?, usize::MAX);
    let small = Sectors {
        bytes: &small,
        size: SMALL_SECTOR,
        next: numbers(&next).collect(),
    };
    Some(small.chain(found.start, found.length))
}

/// Which sector follows which: a table in sectors that are listed in the header and in a chain of its own.
fn allocation(file: &[u8], size: usize) -> Option<Vec<u32>> {
    let sector = |number: u32| {
        let start = (number as usize).checked_add(1)?.checked_mul(size)?;
        file.get(start..start.checked_add(size)?)
    };
    let most = file.len() / size;
    let mut parts: Vec<u32> = numbers(file.get(76..512)?).collect();
    let mut more = u32_at(file, 68)?;
    for _ in 0..most {
        let Some(list) = Some(more).filter(|at| *at < LAST).and_then(sector) else {
            break;
        };
        let (list, last) = list.split_at(size - 4);
        parts.extend(numbers(list));
        more = u32_at(last, 0)?;
    }
    let parts = parts.into_iter().filter(|part| *part < LAST).take(most);
    let tables = parts.filter_map(sector);
    Some(tables.flat_map(numbers).collect())
}

impl Sectors<'_> {
    /// The bytes of a chain, at most `length`. One that leads nowhere ends there.
    fn chain(&self, start: u32, length: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut sector = start;
        // A chain that is longer than the file goes in a circle.
        for _ in 0..=self.bytes.len() / self.size {
            let from = (sector as usize).saturating_mul(self.size);
            if bytes.len() >= length || sector >= LAST || from >= self.bytes.len() {
                break;
            }
            let to = self.bytes.len().min(from + self.size);
            bytes.extend_from_slice(&self.bytes[from..to]);
            sector = self.next.get(sector as usize).copied().unwrap_or(LAST);
        }
        bytes.truncate(length);
        bytes
    }
}

fn entry(bytes: &[u8]) -> Option<Entry> {
    Some(Entry {
        start: u32_at(bytes, 116)?,
        length: u32_at(bytes, 120)? as usize,
    })
}

fn is_called(entry: &[u8], name: &str) -> bool {
    let Some(length) = u16_at(entry, 64) else {
        return false;
    };
    let letters = usize::from(length / 2).saturating_sub(1).min(31);
    let found = entry[..letters * 2].chunks_exact(2);
    let found = found.map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let found = char::decode_utf16(found).map(|letter| letter.unwrap_or_default());
    // Some programs write it in capitals.
    let lower = |letter: char| letter.to_ascii_lowercase();
    found.map(lower).eq(name.chars().map(lower))
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let four = bytes.chunks_exact(4);
    four.map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes([bytes[0], bytes[1]]))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let (low, high) = (u16_at(bytes, at)?, u16_at(bytes, at.checked_add(2)?)?);
    Some(u32::from(low) | u32::from(high) << 16)
}

pub(super) fn f64_at(bytes: &[u8], at: usize) -> Option<f64> {
    let bits = u64::from(u32_at(bytes, at)?) | u64::from(u32_at(bytes, at + 4)?) << 32;
    Some(f64::from_bits(bits))
}
