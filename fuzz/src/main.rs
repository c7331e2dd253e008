//! `maas-fuzz`: runs targets for some time, each in a process of its own with little memory.
//!
//! Without a target all of them. What breaks a promise is written to `fuzz/findings`, and the exit code is 1. The
//! same seed makes the same inputs.

use std::any::Any;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use maas_fuzz::mutate::{Random, mutated};
use maas_fuzz::target::Target;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

/// No input may need more memory, whatever it claims to be.
const MOST_MEMORY: u64 = 256 << 20;
/// No input of at most 256 KiB may need more processor time, even without optimization.
const LONGEST: Duration = Duration::from_secs(20);
/// More findings of one target are not looked at before the first are mended.
const MOST_FINDINGS: usize = 10;

/// Gives hostile input to everything that reads what others wrote.
#[derive(Debug, Parser)]
struct Fuzz {
    /// The targets; all when none is named.
    targets: Vec<String>,
    /// How long each target is run, in seconds of processor time: other work on the machine shortens nothing.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// What the inputs are made up from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Give the target this file, and nothing else.
    #[arg(long)]
    input: Option<PathBuf>,
    /// Names the targets.
    #[arg(long)]
    list: bool,
    /// Run the target in this process.
    #[arg(long, hide = true)]
    child: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let fuzz = Fuzz::parse();
    let mut targets = Vec::new();
    for name in &fuzz.targets {
        let target = Target::find(name);
        targets.push(target.with_context(|| format!("there is no target `{name}`"))?);
    }
    if targets.is_empty() {
        targets = Target::all();
    }
    if fuzz.list {
        targets.iter().for_each(|target| say(target.name));
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(input) = &fuzz.input {
        let bytes = std::fs::read(input)?;
        targets.iter().for_each(|target| target.run(&bytes));
        return Ok(ExitCode::SUCCESS);
    }
    let well = match (fuzz.child, targets.as_slice()) {
        (true, [target]) => Session::new(*target)?.run(&fuzz)?,
        _ => run_all(targets, &fuzz)?,
    };
    Ok(match well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

#[allow(clippy::print_stdout)] // What this program is for.
fn say(text: &str) {
    println!("{text}");
}

fn findings(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("findings")
        .join(target)
}

/// As many side by side as there are processors. Whether nothing was found.
fn run_all(targets: Vec<Target>, fuzz: &Fuzz) -> anyhow::Result<bool> {
    let program = std::env::current_exe()?;
    let waiting = Arc::new(Mutex::new(targets));
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let workers: Vec<_> = (0..count)
        .map(|_| {
            let (waiting, program) = (Arc::clone(&waiting), program.clone());
            let (seconds, seed) = (fuzz.seconds.to_string(), fuzz.seed.to_string());
            std::thread::spawn(move || {
                let mut well = true;
                loop {
                    let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    let Some(target) = next else { return well };
                    let status = Command::new(&program)
                        .args([
                            "--child",
                            target.name,
                            "--seconds",
                            &seconds,
                            "--seed",
                            &seed,
                        ])
                        .status();
                    match status {
                        Ok(status) if status.success() => {}
                        Ok(status) => {
                            well = false;
                            let place = findings(target.name);
                            say(&format!(
                                "{}: {status}, see {}",
                                target.name,
                                place.display()
                            ));
                        }
                        Err(error) => {
                            well = false;
                            say(&format!("{}: cannot be started: {error}", target.name));
                        }
                    }
                }
            })
        })
        .collect();
    let well = workers
        .into_iter()
        .all(|worker| worker.join().unwrap_or(false));
    Ok(well)
}

/// One target in this process.
struct Session {
    target: Target,
    seeds: Vec<Vec<u8>>,
    folder: PathBuf,
    /// When the input in hand was begun, in milliseconds of processor time; 0: none is.
    begun: Arc<AtomicU64>,
    known: HashSet<String>,
}

impl Session {
    fn new(target: Target) -> anyhow::Result<Self> {
        let limit = Rlimit {
            current: Some(MOST_MEMORY),
            maximum: Some(MOST_MEMORY),
        };
        setrlimit(Resource::Data, limit).context("cannot limit the memory")?;
        let folder = findings(target.name);
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            seeds: target.seeds()?,
            target,
            folder,
            begun: Arc::default(),
            known: HashSet::new(),
        })
    }

    /// Whether nothing was found.
    fn run(mut self, fuzz: &Fuzz) -> anyhow::Result<bool> {
        std::panic::set_hook(Box::new(|_| {}));
        self.watch();
        let current = self.folder.join("current");
        let mut random = Random::new(fuzz.seed);
        let mut inputs = 0_u64;
        let end = Duration::from_secs(fuzz.seconds);
        while self.known.len() < MOST_FINDINGS {
            let seed = usize::try_from(inputs).ok().and_then(|n| self.seeds.get(n));
            let bytes = match seed {
                Some(seed) => seed.clone(),
                None if processor_time() >= end => break,
                None => mutated(&self.seeds, &mut random),
            };
            // Still there when the process is killed by it.
            std::fs::write(&current, &bytes)?;
            self.begun
                .store(milliseconds(processor_time()).max(1), Relaxed);
            let ran = catch_unwind(AssertUnwindSafe(|| self.target.run(&bytes)));
            self.begun.store(0, Relaxed);
            if let Err(panic) = ran {
                self.found(&words(&*panic), &bytes)?;
            }
            inputs += 1;
        }
        std::fs::remove_file(&current)?;
        // Stays when something was found.
        let _ = std::fs::remove_dir(&self.folder);
        let name = self.target.name;
        say(&format!(
            "{name}: {inputs} inputs, {} findings, {} MiB at most",
            self.known.len(),
            peak()
        ));
        Ok(self.known.is_empty())
    }

    fn found(&mut self, what: &str, bytes: &[u8]) -> anyhow::Result<()> {
        // The same with other values is the same.
        let what: String = what
            .chars()
            .filter(|letter| !letter.is_ascii_digit())
            .take(200)
            .collect();
        if self.known.insert(what.clone()) {
            let file = self.folder.join(format!("panic-{}", self.known.len()));
            std::fs::write(&file, bytes)?;
            say(&format!(
                "{}: {what}\n  {}",
                self.target.name,
                file.display()
            ));
        }
        Ok(())
    }

    /// Ends the process when an input takes too long.
    fn watch(&self) {
        let begun = Arc::clone(&self.begun);
        let name = self.target.name;
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_millis(500));
                let begun = begun.load(Relaxed);
                let needed = milliseconds(processor_time()).saturating_sub(begun);
                if begun > 0 && needed > milliseconds(LONGEST) {
                    say(&format!("{name}: an input takes longer than {LONGEST:?}"));
                    std::process::abort();
                }
            }
        });
    }
}

/// What this process has used so far.
fn processor_time() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(used.tv_sec).unwrap_or(0),
        u32::try_from(used.tv_nsec).unwrap_or(0),
    )
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn words(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<String>() {
        return text.clone();
    }
    panic
        .downcast_ref::<&str>()
        .map_or_else(|| "a panic".to_owned(), |text| (*text).to_owned())
}

/// The most memory this process ever had resident, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: Option<u64> = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kib.unwrap_or(0) / 1024
}
