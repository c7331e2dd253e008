//! Promises that every plugin of this crate keeps.

// A test ends at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

use maas_collector as _;
use maas_model::plugin::{check_registry, legacy_names, plugins};
use serde_json::Value;

#[test]
fn examples_work_and_every_setting_is_described() {
    check_registry().unwrap();
    let names: Vec<&str> = plugins(None).map(|plugin| plugin.name).collect();
    let expected = [
        "file",
        "anomaly_correlation",
        "archive",
        "csv",
        "edrs_ddp",
        "edrs_pass_status",
        "eisp",
        "esip_products",
        "json",
        "log",
        "orbit_ephemeris_message",
        "satellite_unavailability",
        "xlsx",
        "xlsx_columns",
        "xml",
    ];
    assert_eq!(names, expected);
    for plugin in plugins(None) {
        let example: Value = serde_yaml::from_str(plugin.example)
            .unwrap_or_else(|error| panic!("{}: {error}", plugin.name));
        assert_eq!((plugin.check)(&example), [], "{}", plugin.name);
        let schema = Value::from((plugin.schema)());
        assert!(schema["description"].is_string(), "{}", plugin.name);
        for (name, setting) in schema["properties"].as_object().into_iter().flatten() {
            assert!(
                setting["description"].is_string(),
                "{}: {name}",
                plugin.name
            );
        }
    }
}

#[test]
fn an_old_class_has_one_plugin() {
    let mut classes: Vec<&str> = legacy_names("extractor").map(|name| name.class).collect();
    classes.sort_unstable();
    let all = classes.len();
    classes.dedup();
    assert_eq!(classes.len(), all);
    assert!(all >= 14, "{classes:?}");
}
