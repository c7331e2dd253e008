//! One seed is one history, in this process and in the next.

use std::process::Command;

use maas_model::planted::Bug;
use maas_simulation::run::{Setting, run};

fn setting(seed: u64) -> Setting {
    Setting {
        seed,
        ..Setting::default()
    }
}

#[test]
fn a_seed_gives_the_same_events_again() {
    for seed in 0..8 {
        let (first, second) = (run(setting(seed)).unwrap(), run(setting(seed)).unwrap());
        assert_eq!(
            (first.digest, first.events),
            (second.digest, second.events),
            "seed {seed}"
        );
        assert!(first.broken.is_empty(), "seed {seed}: {:?}", first.broken);
    }
}

#[test]
fn another_process_has_the_same_history() {
    let told = || {
        let command = env!("CARGO_BIN_EXE_maas-simulation");
        let output = Command::new(command)
            .args(["--seed", "5", "--trace"])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let first = told();
    assert!(first.contains("digest"), "{first}");
    assert_eq!(first, told());
}

#[test]
fn seeds_differ() {
    let digests = [0, 1].map(|seed| run(setting(seed)).unwrap().digest);
    assert_ne!(digests[0], digests[1]);
}

/// The quick ones; `maas-simulation --bug all` plants each of them.
#[test]
fn planted_bugs_are_found() {
    for bug in [
        Bug::WriteWithoutIntent,
        Bug::SkipAConflict,
        Bug::ForgetABadRecord,
    ] {
        let found = (0..100).any(|seed| {
            let setting = Setting {
                bug: Some(bug),
                ..setting(seed)
            };
            !run(setting).unwrap().broken.is_empty()
        });
        assert!(found, "{bug:?}");
    }
}
