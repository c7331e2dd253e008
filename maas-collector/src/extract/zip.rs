//! Zip files: their directory and the bytes of a member, in bounded memory.
//!
//! The `zip` crate keeps the whole directory with comments and extra fields in memory, so that a small
//! file may take gigabytes; here only names are kept, and only so many.

use std::io::{BufReader, Error, ErrorKind, Read, Result, Seek, SeekFrom};

use flate2::CrcReader;
use flate2::read::DeflateDecoder;

/// Most members of one file.
pub(super) const MOST_MEMBERS: u64 = 65_536;
/// Most bytes of all names.
const MOST_NAME_BYTES: usize = 8 << 20;

const END: &[u8; 4] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
const END_64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR_64: &[u8; 4] = b"PK\x06\x07";
const LOCATOR_64_LENGTH: u64 = 20;
const MEMBER: &[u8; 4] = b"PK\x01\x02";
const LOCAL: &[u8; 4] = b"PK\x03\x04";

/// The directory of a zip file.
pub(super) struct Zip<R> {
    file: R,
    members: Vec<Member>,
}

/// One member as the directory tells of it.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// The name as it stands there; not safe as a path.
    pub(super) name: String,
    /// How many bytes it has unpacked. More are not given.
    pub(super) size: u64,
    packed: u64,
    start: u64,
    method: u16,
    encrypted: bool,
    checksum: u32,
    /// Whether it is a file: no folder, no link.
    pub(super) is_file: bool,
}

/// Where the directory is.
struct Directory {
    start: u64,
    members: u64,
    /// What stands before the zip file in the file (a program that unpacks itself).
    shift: u64,
}

impl<R: Read + Seek> Zip<R> {
    /// Reads the directory.
    pub(super) fn open(mut file: R) -> Result<Self> {
        let directory = directory(&mut file)?;
        if directory.members > MOST_MEMBERS {
            return Err(damage(format!("it has more than {MOST_MEMBERS} members")));
        }
        file.seek(SeekFrom::Start(directory.start))?;
        let mut reader = BufReader::new(&mut file);
        let mut members = Vec::new();
        let mut name_bytes = 0;
        for _ in 0..directory.members {
            let member = member(&mut reader, directory.shift)?;
            name_bytes += member.name.len();
            if name_bytes > MOST_NAME_BYTES {
                return Err(damage("the names of its members are longer than 8 MiB"));
            }
            members.push(member);
        }
        Ok(Self { file, members })
    }

    /// All members, in the order of the directory.
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The bytes of a member, checked against its size and checksum at their end.
    pub(super) fn read(&mut self, member: &Member) -> Result<impl Read + use<'_, R>> {
        if member.encrypted {
            return Err(damage("it is encrypted"));
        }
        self.file.seek(SeekFrom::Start(member.start))?;
        let mut head = [0; 30];
        self.file.read_exact(&mut head)?;
        if &head[..4] != LOCAL {
            return Err(damage("the directory leads to no member"));
        }
        let behind = u64::from(u16_at(&head, 26)) + u64::from(u16_at(&head, 28));
        self.file.seek_relative(behind.cast_signed())?;
        let packed = BufReader::with_capacity(64 << 10, (&mut self.file).take(member.packed));
        let bytes: Box<dyn Read + '_> = match member.method {
            0 => Box::new(packed),
            8 => Box::new(DeflateDecoder::new(packed)),
            other => return Err(damage(format!("packing method {other} is not known"))),
        };
        Ok(Checked {
            bytes: CrcReader::new(bytes),
            left: member.size,
            checksum: member.checksum,
        })
    }
}

/// Compares size and checksum at the end.
struct Checked<R> {
    bytes: CrcReader<R>,
    left: u64,
    checksum: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.bytes.read(buffer)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => self.left = left,
            None => return Err(damage("it has more bytes than the directory says")),
        }
        let ended = count == 0 && !buffer.is_empty();
        if ended && (self.left > 0 || self.bytes.crc().sum() != self.checksum) {
            return Err(damage("its bytes do not fit its checksum"));
        }
        Ok(count)
    }
}

/// Finds the directory from the end of the file.
fn directory<R: Read + Seek>(file: &mut R) -> Result<Directory> {
    let length = file.seek(SeekFrom::End(0))?;
    let tail_start = length.saturating_sub((END_LENGTH + usize::from(u16::MAX)) as u64);
    file.seek(SeekFrom::Start(tail_start))?;
    let mut tail = Vec::new();
    file.take(length - tail_start).read_to_end(&mut tail)?;
    let end = (0..(tail.len() + 1).saturating_sub(END_LENGTH))
        .rev()
        .find(|at| tail[*at..].starts_with(END))
        .ok_or_else(|| damage("it is no zip file, or its end is missing"))?;
    let end_start = tail_start + end as u64;
    let end = &tail[end..];
    let (members, size, start) = (u16_at(end, 10), u32_at(end, 12), u32_at(end, 16));
    if members == u16::MAX || size == u32::MAX || start == u32::MAX {
        return directory_64(file, end_start);
    }
    placed(
        end_start,
        u64::from(members),
        u64::from(size),
        u64::from(start),
    )
}

/// The directory of a file with more members or bytes than the old form can say.
fn directory_64<R: Read + Seek>(file: &mut R, end_start: u64) -> Result<Directory> {
    let no_end = || damage("the end of the directory is missing");
    let locator_start = end_start
        .checked_sub(LOCATOR_64_LENGTH)
        .ok_or_else(no_end)?;
    file.seek(SeekFrom::Start(locator_start))?;
    let mut locator = [0; LOCATOR_64_LENGTH as usize];
    file.read_exact(&mut locator)?;
    if !locator.starts_with(LOCATOR_64) {
        return Err(no_end());
    }
    let start = u64_at(&locator, 8);
    file.seek(SeekFrom::Start(start))?;
    let mut end = [0; 56];
    file.read_exact(&mut end)?;
    if !end.starts_with(END_64) {
        return Err(no_end());
    }
    placed(start, u64_at(&end, 32), u64_at(&end, 40), u64_at(&end, 48))
}

/// The directory ends where its end record starts, whatever stands before the zip file.
fn placed(end_start: u64, members: u64, size: u64, start: u64) -> Result<Directory> {
    let wrong = || damage("the directory is not where its end says");
    let actual = end_start.checked_sub(size).ok_or_else(wrong)?;
    let shift = actual.checked_sub(start).ok_or_else(wrong)?;
    Ok(Directory {
        start: actual,
        members,
        shift,
    })
}

/// The next member of the directory.
fn member(directory: &mut impl Read, shift: u64) -> Result<Member> {
    let mut head = [0; 46];
    directory.read_exact(&mut head)?;
    if !head.starts_with(MEMBER) {
        return Err(damage("the directory is broken"));
    }
    let mut name = vec![0; usize::from(u16_at(&head, 28))];
    directory.read_exact(&mut name)?;
    let mut extra = vec![0; usize::from(u16_at(&head, 30))];
    directory.read_exact(&mut extra)?;
    let comment = u64::from(u16_at(&head, 32));
    std::io::copy(&mut directory.take(comment), &mut std::io::sink())?;
    let name = String::from_utf8_lossy(&name).into_owned();
    // Made on Unix: the upper half of the attributes is the mode.
    let mode = (u32_at(&head, 38) >> 16) & 0o170_000;
    let unix = head[5] == 3;
    let mut member = Member {
        is_file: !name.ends_with('/') && (!unix || matches!(mode, 0 | 0o100_000)),
        name,
        size: u64::from(u32_at(&head, 24)),
        packed: u64::from(u32_at(&head, 20)),
        start: u64::from(u32_at(&head, 42)),
        method: u16_at(&head, 10),
        encrypted: u16_at(&head, 8) & 1 != 0,
        checksum: u32_at(&head, 16),
    };
    fill_64(&mut member, &extra);
    member.start = member
        .start
        .checked_add(shift)
        .ok_or_else(|| damage("the directory is broken"))?;
    Ok(member)
}

/// Large numbers stand in an extra field, in this order, and only those that do not fit elsewhere.
fn fill_64(member: &mut Member, mut extra: &[u8]) {
    while extra.len() >= 4 {
        let (kind, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let end = extra.len().min(4 + length);
        if kind == 1 {
            let mut numbers = extra[4..end].chunks_exact(8);
            for field in [&mut member.size, &mut member.packed, &mut member.start] {
                if *field == u64::from(u32::MAX)
                    && let Some(number) = numbers.next()
                {
                    *field = u64_at(number, 0);
                }
            }
        }
        extra = &extra[end..];
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

fn damage(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidData, reason.into())
}
