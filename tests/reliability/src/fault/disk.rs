//! A small disk of its own, that can be full and read-only.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// A tmpfs, unmounted when this is dropped. Mounting needs root.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// A disk of this size at a folder that is made.
    pub fn mount(folder: &Path, mebibytes: u32) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let size = format!("size={mebibytes}m,mode=700");
        mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], folder)?;
        Ok(Self {
            folder: folder.to_path_buf(),
        })
    }

    /// Leaves no room.
    pub fn fill(&self) -> Result<()> {
        let mut ballast = File::create(self.ballast())?;
        // Large pieces first, then what is left.
        for size in [1 << 20, 1 << 12, 1] {
            let piece = vec![0; size];
            while ballast.write_all(&piece).is_ok() {}
        }
        Ok(())
    }

    /// Gives the room back.
    pub fn free(&self) -> Result<()> {
        Ok(fs::remove_file(self.ballast())?)
    }

    /// Nothing can be written, until [`writable`](Self::writable). Nobody may have a file open for writing.
    pub fn read_only(&self) -> Result<()> {
        mount(&["-o", "remount,ro"], &self.folder)
    }

    /// Ends [`read_only`](Self::read_only).
    pub fn writable(&self) -> Result<()> {
        mount(&["-o", "remount,rw"], &self.folder)
    }

    fn ballast(&self) -> PathBuf {
        self.folder.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that was just killed may not be gone altogether.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}

fn mount(arguments: &[&str], folder: &Path) -> Result<()> {
    let output = Command::new("mount")
        .args(arguments)
        .arg(folder)
        .output()
        .context("cannot run `mount`")?;
    ensure!(
        output.status.success(),
        "cannot mount a small disk, which needs root: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
