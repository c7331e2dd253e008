//! The examples of the page about extractors work.

// A test ends at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

use maas_collector::extract::ExtractorPlugin;
use serde_json::Value;

const PAGE: &str = include_str!("../../docs/extractors.md");

#[test]
fn every_example_builds() {
    let examples: Vec<&str> = PAGE
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert!(!examples.is_empty());
    for example in examples {
        let tree: Value = serde_yaml::from_str(example).unwrap();
        let extract = tree["extract"].as_object().unwrap();
        assert_eq!(extract.len(), 1, "{example}");
        for (name, settings) in extract {
            let plugin = ExtractorPlugin::find(name).unwrap_or_else(|| panic!("{name}"));
            if let Err(errors) = plugin.build(settings) {
                panic!("{example}: {errors:?}");
            }
        }
    }
}

#[test]
fn every_extractor_has_its_section() {
    let headings = PAGE.lines().filter_map(|line| line.strip_prefix("## "));
    let described: Vec<&str> = headings.flat_map(|heading| heading.split(", ")).collect();
    for plugin in ExtractorPlugin::all() {
        let name = plugin.info().name;
        assert!(described.contains(&name), "{name}");
    }
}
