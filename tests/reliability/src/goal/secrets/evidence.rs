//! Everything that the program let out, kept to be searched.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;

use super::canary::Canaries;

/// What was let out, and where.
#[derive(Default)]
pub(super) struct Evidence {
    pieces: Vec<(String, Vec<u8>)>,
}

impl Evidence {
    pub(super) fn add(&mut self, what: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.pieces.push((what.into(), bytes.into()));
    }

    /// All files below a folder, with their names.
    pub(super) fn add_folder(&mut self, folder: &Path) -> Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            self.add("the name of a file", path.to_string_lossy().into_owned());
            match path.is_dir() {
                true => self.add_folder(&path)?,
                false => self.add(path.display().to_string(), std::fs::read(&path)?),
            }
        }
        Ok(())
    }

    /// The same of a pipeline that was translated: addresses stay as they are there.
    pub(super) fn add_translated(&mut self, folder: &Path, address: &str) -> Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let text = std::fs::read_to_string(&path)?.replace(address, "");
            self.add(path.display().to_string(), text);
        }
        Ok(())
    }

    pub(super) fn count(&self) -> usize {
        self.pieces.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.pieces.iter().map(|(_, bytes)| bytes.len()).sum()
    }

    /// Where secrets are met.
    pub(super) fn leaks(&self, canaries: &Canaries) -> Vec<String> {
        let pieces = self.pieces.iter();
        let leaks = pieces.flat_map(|(what, bytes)| {
            let met = canaries.met_in(bytes).into_iter();
            met.map(move |canary| format!("{canary} in {what}"))
        });
        leaks.collect()
    }
}

/// Watches for processes that the program starts, and keeps their arguments, until it is asked for them.
pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<BTreeSet<Vec<u8>>>>,
    watching: Option<JoinHandle<()>>,
}

impl Watch {
    pub(super) fn start(program: &Path) -> Self {
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let watching = {
            let (stop, seen, program) =
                (Arc::clone(&stop), Arc::clone(&seen), program.to_path_buf());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    look(&program, &seen);
                    std::thread::sleep(Duration::from_millis(20));
                }
            })
        };
        Self {
            stop,
            seen,
            watching: Some(watching),
        }
    }

    /// The arguments of each process that the program started.
    pub(super) fn arguments(mut self) -> Vec<Vec<u8>> {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(watching) = self.watching.take() {
            let _ = watching.join();
        }
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.iter().cloned().collect()
    }
}

fn look(program: &Path, seen: &Mutex<BTreeSet<Vec<u8>>>) {
    let is_program =
        |process: &Path| std::fs::read_link(process.join("exe")).is_ok_and(|exe| exe == program);
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return;
    };
    for process in processes.flatten().map(|entry| entry.path()) {
        let started_by_it = || {
            let status = std::fs::read_to_string(process.join("status")).ok()?;
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
            Some(is_program(&Path::new("/proc").join(parent.trim())))
        };
        if started_by_it() == Some(true)
            && let Ok(arguments) = std::fs::read(process.join("cmdline"))
        {
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(arguments);
        }
    }
}
