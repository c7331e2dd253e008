//! What a power cut leaves of an embedded folder.
//!
//! A killed process leaves what it wrote: the kernel keeps it. A power cut also loses what was not yet
//! synced. SQLite syncs its log at the end of every commit, before anybody is answered; so of the log of a process
//! killed right after a commit, and before the answer, the last transaction may be there, missing, or torn.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use maas_tests::random::Random;

/// How the last transaction of a log was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tear {
    /// It is there.
    None,
    /// The log ends within it.
    Cut,
    /// Its last page holds garbage.
    Garbled,
}

/// Copies the folder of a killed process, tearing the last transaction of one of its files (`store` or `bus`).
/// Tells how.
pub fn power_cut(from: &Path, to: &Path, file: &str, random: &mut Random) -> Result<Tear> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        // Shared memory of the machine that has no power.
        if !name.to_string_lossy().ends_with("-shm") {
            fs::copy(entry.path(), to.join(name))?;
        }
    }
    let log = to.join(format!("{file}.sqlite-wal"));
    let tear = random.one_of(&[Tear::None, Tear::Cut, Tear::Garbled]);
    if !log.exists() || tear == Tear::None {
        return Ok(Tear::None);
    }
    let mut bytes = fs::read(&log)?;
    let Some(Frames { last, end }) = Frames::of(&bytes)? else {
        return Ok(Tear::None);
    };
    if tear == Tear::Cut {
        let keep = random.between(last as i64, end as i64);
        bytes.truncate(usize::try_from(keep)?);
    } else {
        bytes.truncate(end);
        let page = random.between((end - SECTOR) as i64, end as i64);
        for byte in bytes.iter_mut().skip(usize::try_from(page)?) {
            *byte = random.next() as u8;
        }
    }
    fs::write(&log, bytes)?;
    Ok(tear)
}

/// The least that a disk writes as a whole.
const SECTOR: usize = 512;
const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// Where the last transaction of a log begins, and where it ends (see SQLite's file format, section 4).
struct Frames {
    last: usize,
    end: usize,
}

impl Frames {
    /// `None` for a log without a transaction.
    fn of(log: &[u8]) -> Result<Option<Self>> {
        if log.len() < HEADER {
            return Ok(None);
        }
        let page = number(log, 8)? as usize;
        ensure!(page.is_power_of_two(), "it is no log of SQLite");
        let (mut at, mut last, mut end) = (HEADER, None, HEADER);
        while at + FRAME_HEADER + page <= log.len() {
            // Frames of an earlier use of the file have another salt.
            if log[at + 8..at + 16] != log[16..24] {
                break;
            }
            // The last frame of a transaction tells the size of the database.
            let commits = number(log, at + 4)? != 0;
            at += FRAME_HEADER + page;
            if commits {
                (last, end) = (Some(end), at);
            }
        }
        Ok(last.map(|last| Self { last, end }))
    }
}

fn number(bytes: &[u8], at: usize) -> Result<u32> {
    let four = bytes.get(at..at + 4).context("the log ends too early")?;
    Ok(u32::from_be_bytes(four.try_into()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: usize = 512;

    /// A log of frames: salt, and whether it commits.
    fn log(frames: &[(u8, bool)]) -> Vec<u8> {
        let mut log = vec![0; HEADER];
        log[8..12].copy_from_slice(&(PAGE as u32).to_be_bytes());
        log[16..24].fill(1);
        for (salt, commits) in frames {
            let mut frame = vec![0; FRAME_HEADER + PAGE];
            frame[7] = u8::from(*commits);
            frame[8..16].fill(*salt);
            log.extend(frame);
        }
        log
    }

    fn found(frames: &[(u8, bool)]) -> Option<(usize, usize)> {
        let frame = |at: usize| (at - HEADER) / (FRAME_HEADER + PAGE);
        let found = Frames::of(&log(frames)).ok().flatten();
        found.map(|found| (frame(found.last), frame(found.end)))
    }

    #[test]
    fn the_last_transaction_is_found() {
        let frames = [(1, true), (1, false), (1, true), (1, false)];
        assert_eq!(found(&frames), Some((1, 3)));
    }

    #[test]
    fn what_an_earlier_use_left_is_not_looked_at() {
        assert_eq!(found(&[(1, true), (2, true)]), Some((0, 1)));
    }

    #[test]
    fn a_log_without_a_commit_has_no_transaction() {
        assert_eq!(found(&[(1, false)]), None);
        assert_eq!(found(&[]), None);
    }
}
