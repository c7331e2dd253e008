//! The shape of the workspace: who may know whom.

// What clippy allows in functions marked `#[test]` goes for their helpers too.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

/// The dependencies among crates of the workspace, development ones left out.
fn dependencies() -> BTreeSet<(String, String)> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(maas_tests::program::workspace())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<&str> = packages
        .iter()
        .filter_map(|found| found["name"].as_str())
        .collect();
    let mut edges = BTreeSet::new();
    for package in packages {
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap();
            if ours.contains(name) && dependency["kind"] != "dev" {
                edges.insert((
                    package["name"].as_str().unwrap().to_owned(),
                    name.to_owned(),
                ));
            }
        }
    }
    edges
}

fn known_by(name: &str) -> Vec<String> {
    let edges = dependencies().into_iter();
    edges
        .filter(|(user, _)| user == name)
        .map(|(_, used)| used)
        .collect()
}

#[test]
fn the_model_depends_on_no_other_crate_of_ours() {
    assert_eq!(known_by("maas-model"), [] as [&str; 0]);
}

#[test]
fn the_halves_know_the_model_and_not_each_other() {
    assert_eq!(known_by("maas-collector"), ["maas-model"]);
    assert_eq!(known_by("maas-engine"), ["maas-model"]);
}

#[test]
fn nothing_depends_on_tests_and_examples() {
    let leaves = [
        "maas-tests",
        "maas-reliability",
        "custom-build",
        "maas-fuzz",
    ];
    let users: Vec<_> = dependencies()
        .into_iter()
        .filter(|(_, used)| leaves.contains(&used.as_str()))
        // They share the servers.
        .filter(|(user, _)| user != "maas-reliability")
        .collect();
    assert_eq!(users, []);
}
