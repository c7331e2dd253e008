//! Files without mistakes, and what they become.

use maas_model::document::IdFields;
use maas_model::message::QueueKind;
use maas_model::pipeline::{MissingInput, Pipeline};
use serde_json::json;

const COMPLETE: &str = include_str!("complete.yaml");

pub(crate) fn env(name: &str) -> Option<String> {
    match name {
        "PRIP_PASSWORD" => Some("hunter2-hunter2".into()),
        "EMPTY" => Some(String::new()),
        "NUMBER" => Some("7".into()),
        _ => None,
    }
}

fn load(text: &str) -> Pipeline {
    let loaded = Pipeline::from_text("test.yaml", text, &env);
    let (pipeline, warnings) = loaded.map_err(|error| error.to_string()).unwrap();
    assert_eq!(warnings, []);
    pipeline
}

#[test]
fn interfaces_are_read() {
    let pipeline = load(COMPLETE);
    let interface = &pipeline.interfaces[0];
    assert_eq!(interface.name, "PRIP");
    assert_eq!(interface.collect.name, "probe");
    assert_eq!(interface.collect.place, "test.yaml:7:7");
    assert_eq!(
        interface.collect.settings,
        json!({
            "paths": ["samples"],
            "interval_seconds": 30,
            "password": {"env": "PRIP_PASSWORD"},
            "done": {"move": "done"},
            "recursive": true,
        })
    );
    let store = interface.store.as_ref().unwrap();
    assert_eq!(store.model.alias.as_str(), "raw-prip");
    assert_eq!(
        store.id,
        IdFields::Digest(vec!["product_id".into(), "interface_name".into()])
    );
    assert!(store.model.fields.contains_key("ingestionTime"));
    assert_eq!(interface.announce.chunk_size, 100);
    assert_eq!(interface.announce.priority, 7);
    assert_eq!(interface.announce.exchange().as_str(), "collect-exchange");
    assert!(pipeline.interfaces[1].store.is_none());
    assert_eq!(
        pipeline.interfaces[1]
            .announce
            .files
            .as_ref()
            .unwrap()
            .as_str(),
        "file.raw"
    );
}

#[test]
fn engines_have_their_defaults_under_their_settings() {
    let pipeline = load(COMPLETE);
    let queue = &pipeline.pools[0].queues[0];
    assert_eq!(queue.kind, QueueKind::Quorum);
    let echo = &queue.engines[0];
    assert_eq!(
        echo.engine.settings,
        json!({"target_model": "Product", "container_rk": "new.container", "container_chunk_size": 128})
    );
    assert_eq!(
        (echo.send_reports, echo.chunk_size, echo.force),
        (true, 64, false)
    );
    assert_eq!(echo.missing, MissingInput::Retry);
    assert_eq!(queue.engines[1].engine.name, "FORGET");
    assert_eq!(queue.engines[1].engine.settings, json!({}));
    assert_eq!(
        (pipeline.pools[0].prefetch, pipeline.pools[1].prefetch),
        (16, 4)
    );
    assert!(!pipeline.pools[1].queues[0].engines[0].send_reports);
}

#[test]
fn the_topology_names_everything_once() {
    let topology = load(COMPLETE).topology();
    let exchanges: Vec<&str> = topology
        .exchanges
        .iter()
        .map(|name| name.as_str())
        .collect();
    assert_eq!(
        exchanges,
        ["collect-exchange", "files-exchange", "etl-exchange"]
    );
    assert_eq!(topology.parking, ["PRIP", "fetched-only"]);
    let queues: Vec<(&str, &str)> = topology
        .queues
        .iter()
        .map(|queue| (queue.name.as_str(), queue.owner.as_str()))
        .collect();
    assert_eq!(
        queues,
        [
            ("collect-new.raw.data.prip", "consolidate"),
            ("files", "consolidate"),
            ("etl-product", "products"),
            ("foreign", "products"),
        ]
    );
}

#[test]
fn no_secret_is_in_what_was_loaded() {
    let pipeline = load(COMPLETE);
    assert!(!format!("{pipeline:?}").contains("hunter2"));
    assert!(
        !pipeline.interfaces[0]
            .collect
            .settings
            .to_string()
            .contains("hunter2")
    );
}

#[test]
fn a_folder_is_merged_in_the_order_of_names() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let (interfaces, rest) = COMPLETE.split_once("models:").unwrap();
    write("b-collect.yaml", interfaces);
    write("c-rest.yaml", &format!("models:{rest}"));
    write(
        "a-first.yaml",
        "interfaces:\n- { name: first, collect: { probe: { paths: [x] } } }\n",
    );
    write("test.yaml", "not: read");
    write(".hidden.yaml", "not: read");
    std::fs::create_dir(folder.path().join("samples")).unwrap();
    write("samples/data.yaml", "not: read");
    let (pipeline, warnings) = Pipeline::load(folder.path(), &env).unwrap();
    assert_eq!(warnings, []);
    let names: Vec<&str> = pipeline
        .interfaces
        .iter()
        .map(|interface| interface.name.as_str())
        .collect();
    assert_eq!(names, ["first", "PRIP", "fetched-only"]);
    assert_eq!(pipeline.interfaces[0].collect.base, folder.path());
    assert_eq!(
        pipeline.name,
        folder.path().file_name().unwrap().to_str().unwrap()
    );
}

#[test]
fn an_empty_file_is_an_empty_pipeline_with_a_warning() {
    let (pipeline, warnings) = Pipeline::from_text("test.yaml", "", &env).unwrap();
    assert!(pipeline.interfaces.is_empty() && pipeline.pools.is_empty());
    let told: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("there is nothing in it"), "{told:?}");
    load("models:\n  Thing: { index: thing, fields: { size: long } }\n");
}

#[test]
fn the_example_of_the_reference_page_is_correct() {
    let page = include_str!("../../../docs/pipeline-file.md");
    let (_, rest) = page.split_once("```yaml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let pipeline = load(example);
    assert_eq!(pipeline.pools[0].queues[0].engines.len(), 2);
}
