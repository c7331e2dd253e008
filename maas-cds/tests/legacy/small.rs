//! Small configurations of the Python system, and what becomes of them.

use std::path::{Path, PathBuf};

use maas_model::pipeline::{LoadError, Pipeline, Problem};
use serde_json::{Value, json};

pub(crate) fn write(folder: &Path, files: &[(&str, Value)]) {
    for (name, content) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, serde_json::to_string_pretty(content).unwrap()).unwrap();
    }
}

fn load(files: &[(&str, Value)]) -> Result<(Pipeline, Vec<Problem>), LoadError> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    Pipeline::load_legacy(&[folder.path().to_owned()], &|_| None)
}

pub(crate) fn readings() -> Value {
    json!({
        "collectors": [{
            "class": "FileCollectorConfiguration",
            "interface_name": "Readings",
            "id_field": ["station", "date"],
            "routing_key": "new.raw.data.reading",
            "file_pattern": "*.json",
            "model": "Reading",
            "extractor": {
                "class": "JSONExtractor",
                "args": {
                    "iterate_nodes": "$.value",
                    "attr_map": {
                        "station": "`this`.Station",
                        "date": "`this`.Date",
                        "value": { "python": "lambda c: c['Value'] if c['Station'][0] == 'S' else None" },
                        "kind": { "python": "lambda c: 'AUX'" },
                    },
                },
            },
        }],
        "models": [{
            "index": "raw-data-reading",
            "name": "Reading",
            "partition_field": "date",
            "partition_format": "%Y-%m",
            "fields": [
                { "name": "station", "type": "Keyword" },
                { "name": "date", "type": "Date" },
                { "name": "value", "type": "HalfFloat" },
                { "name": "kind", "type": "Keyword" },
            ],
        }],
    })
}

#[test]
fn an_interface_becomes_native() {
    let amqp = json!({ "amqp": { "new.raw.data.reading": { "chunk_size": 64 } } });
    let (pipeline, _) = load(&[("a/readings.json", readings()), ("b/amqp.json", amqp)]).unwrap();
    let interface = &pipeline.interfaces[0];
    assert_eq!(interface.name, "Readings");
    assert_eq!(
        (interface.collect.name.as_str(), &interface.collect.settings),
        ("file", &json!({ "paths": ["inbox"], "pattern": "*.json" }))
    );
    let extract = interface.extract.as_ref().unwrap();
    assert_eq!(
        extract.settings,
        json!({
            "records": "$.value",
            "fields": {
                "station": "$.Station",
                "date": "$.Date",
                "value": { "expr": "record['Value'] if record['Station'][0] == 'S' else None" },
                "kind": { "value": "AUX" },
            },
        })
    );
    assert_eq!(interface.announce.chunk_size, 64);
    let model = &pipeline.models["Reading"];
    assert_eq!(model.alias.as_str(), "raw-data-reading");
    assert!(model.declares("reportName") && model.declares("ingestionTime"));
    assert_eq!(
        pipeline.outside.consumed[0].as_str(),
        "new.raw.data.reading"
    );
}

#[test]
fn a_lambda_beyond_the_language_is_refused_with_its_place() {
    let mut old = readings();
    let python = "lambda c: __import__('os').system('true')";
    old["collectors"][0]["extractor"]["args"]["attr_map"]["kind"]["python"] = python.into();
    let error = load(&[("readings.json", old)]).unwrap_err();
    let problem = &error.problems[0];
    assert_eq!(
        problem.path,
        "collectors[0].extractor.args.attr_map.kind.python"
    );
    assert!(problem.line > 0 && problem.excerpt.as_ref().unwrap().contains("__import__"));
}

#[test]
fn secrets_stay_in_their_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut old = readings();
    old["collectors"][0]["class"] = "ODataCollectorConfiguration".into();
    old["collectors"][0]["client_secret"] = "hunter1".into();
    let credentials = json!({
        "interfaces": [
            { "name": "Other", "client_username": "nobody" },
            {
                "name": "Readings",
                "client_username": "maas",
                "client_password": "hunter2",
                "odata_product_url": "https://example.org",
                "credentials": { "pwd": "hunter3" },
            },
        ],
    });
    write(
        folder.path(),
        &[
            ("readings.json", old),
            ("secret/credentials.json", credentials),
        ],
    );
    let paths: Vec<PathBuf> = vec![folder.path().to_owned()];
    let (pipeline, warnings) = Pipeline::load_legacy(&paths, &|_| None).unwrap();
    let collect = &pipeline.interfaces[0].collect;
    let file = folder.path().join("secret/credentials.json");
    assert_eq!(collect.name, "odata");
    assert_eq!(collect.settings["client_username"], "maas");
    let reference = json!({ "file": file, "pointer": "/interfaces/1/client_password" });
    assert_eq!(collect.settings["client_password"], reference);
    assert!(!collect.settings.to_string().contains("hunter"));
    assert_eq!(
        collect.settings["client_secret"]["pointer"],
        "/collectors/0/client_secret"
    );
    let unused = "no interface uses the credentials of `Other`";
    assert!(warnings.iter().any(|warning| warning.message == unused));
}

#[test]
fn a_warning_beside_a_secret_does_not_show_it() {
    let folder = tempfile::tempdir().unwrap();
    let line =
        r#"{"interfaces":[{"name":"Nobody","token":"hunter2","credentials":{"pwd":"hunter3"}}]}"#;
    std::fs::write(folder.path().join("credentials.json"), line).unwrap();
    let (_, warnings) = Pipeline::load_legacy(&[folder.path().to_owned()], &|_| None).unwrap();
    let [warning] = warnings.as_slice() else {
        panic!("{warnings:?}");
    };
    let shown = warning.to_string();
    assert!(
        shown.contains("Nobody") && !shown.contains("hunter"),
        "{shown}"
    );
}

#[test]
fn queues_of_several_files_become_one_pool_each() {
    let queue = |name: &str, key: &str, events: Value| json!({ "name": name, "routing_key": key, "events": events });
    let exchange = |name: &str, queues: Vec<Value>| json!({ "name": name, "queues": queues });
    let first = json!({ "amqp": [exchange("collect-exchange", vec![
        queue("collect-new.raw.data.reading", "new.raw.data.reading", json!(["SINK"])),
    ])] });
    let second = json!({
        "defaults": [{ "id": ["SINK", "CONSOLIDATE_DELETION"], "send_reports": false }],
        "amqp": [exchange("collect-exchange", vec![
            queue("collect-new.raw.data.reading", "new.raw.data.reading", json!([
                { "id": "CONSOLIDATE_DELETION", "interface_dict": {}, "chunk_size": 8 }, "SINK",
            ])),
        ])],
    });
    let files = [
        ("readings.json", readings()),
        ("x/first.json", first),
        ("x/second.json", second),
    ];
    let (pipeline, warnings) = load(&files).unwrap();
    assert_eq!(pipeline.pools.len(), 1);
    assert_eq!(pipeline.pools[0].name, "second");
    let queue = &pipeline.pools[0].queues[0];
    assert_eq!(queue.engines[0].engine.name, "CONSOLIDATE_DELETION");
    assert_eq!(
        queue.engines[0].engine.settings,
        json!({ "interface_dict": {} })
    );
    assert!(!queue.engines[0].send_reports && !queue.engines[1].send_reports);
    assert_eq!(queue.engines[0].chunk_size, 8);
    assert!(
        warnings
            .iter()
            .any(|one| one.message.contains("runs other engines"))
    );
    let missing = pipeline.missing();
    assert_eq!(missing.len(), 1);
    assert_eq!((missing[0].kind, missing[0].owner), ("engine", "second"));
    assert!(pipeline.without_missing().pools.is_empty());
}

#[test]
fn what_nobody_could_run_is_refused() {
    let event = json!({ "amqp": [{ "name": "etl-exchange", "queues": [
        { "name": "etl-a", "routing_key": "a", "events": ["CONSOLIDATE_PRODUKT"] },
    ] }] });
    let mut class = readings();
    class["collectors"][0]["class"] = "FileColectorConfiguration".into();
    let mut model = readings();
    model["collectors"][0]["model"] = "Readin".into();
    let mut kind = readings();
    kind["models"][0]["fields"][0]["type"] = "Keywrd".into();
    for (files, path, message, hint) in [
        (
            event,
            "amqp[0].queues[0].events[0]",
            "unknown engine",
            "CONSOLIDATE_PRODUCT",
        ),
        (
            class,
            "collectors[0].class",
            "unknown collector class",
            "FileCollector",
        ),
        (model, "collectors[0].model", "unknown model", "`Reading`"),
        (kind, "models[0].fields[0].type", "`keywrd`", "keyword"),
    ] {
        let error = load(&[("file.json", files)]).unwrap_err();
        let problem = error
            .problems
            .iter()
            .find(|one| one.message.contains(message));
        let problem = problem.unwrap_or_else(|| panic!("{error}"));
        assert_eq!(problem.path, path, "{error}");
        assert!(problem.hint.as_ref().unwrap().contains(hint), "{error}");
    }
}
