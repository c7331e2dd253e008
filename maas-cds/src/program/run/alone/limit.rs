//! How much memory a message may take that is worked on alone: less than the machine has left, so that it is
//! this process that ends and no other.

use std::fs;

use rustix::process::{Resource, Rlimit, setrlimit};

const MIB: u64 = 1024 * 1024;
/// What is granted even on a machine that has little left.
const LEAST_MIB: u64 = 256;

/// Limits what this process may take from now on to `mib`, or to half of what is free. When the kernel runs out of
/// memory all the same it is to end this process first.
pub(super) fn memory(mib: Option<u64>) -> rustix::io::Result<()> {
    // Only a wish: without it the kernel chooses by size.
    let _ = fs::write("/proc/self/oom_score_adj", "1000");
    let more = match mib {
        Some(mib) => mib * MIB,
        None => (free().unwrap_or(0) / 2).max(LEAST_MIB * MIB),
    };
    // What is written to, not what is reserved: allocators reserve far more than they use.
    let limit = of_status("VmData:").unwrap_or(0) + more;
    let limits = Rlimit {
        current: Some(limit),
        maximum: Some(limit),
    };
    setrlimit(Resource::Data, limits)
}

/// Bytes that the machine, or the container, still has.
fn free() -> Option<u64> {
    let machine = kilobytes(&fs::read_to_string("/proc/meminfo").ok()?, "MemAvailable:")?;
    let number = |file: &str| -> Option<u64> {
        let text = fs::read_to_string(format!("/sys/fs/cgroup/{file}")).ok()?;
        text.trim().parse().ok()
    };
    let container = number("memory.max")
        .zip(number("memory.current"))
        .map(|(most, used)| most.saturating_sub(used));
    Some(container.map_or(machine, |container| container.min(machine)))
}

fn of_status(name: &str) -> Option<u64> {
    kilobytes(&fs::read_to_string("/proc/self/status").ok()?, name)
}

/// The bytes of a line such as `VmData:   123 kB`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(number * 1024)
}
