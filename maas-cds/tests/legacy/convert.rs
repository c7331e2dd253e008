//! What is converted is what was loaded.

use std::path::Path;

use maas_model::pipeline::{Converted, Interface, Pipeline, Pool, Severity};
use serde_json::{Value, json};

use super::{original, small, support};

/// Everything that a pipeline says, without places and in no order that the old files do not have.
fn values(pipeline: &Pipeline) -> Value {
    let interfaces = pipeline.interfaces.iter();
    let pools = pipeline.pools.iter();
    let interfaces: serde_json::Map<_, _> = interfaces
        .map(|interface| (interface.name.clone(), of_interface(interface)))
        .collect();
    let pools: serde_json::Map<_, _> = pools
        .map(|pool| (pool.name.clone(), of_pool(pool)))
        .collect();
    let models = pipeline.models.iter();
    let models: serde_json::Map<_, _> = models
        .map(|(name, model)| (name.clone(), format!("{model:?}").into()))
        .collect();
    let outside = format!("{:?}", pipeline.outside);
    json!({ "interfaces": interfaces, "pools": pools, "models": models, "outside": outside })
}

fn of_interface(interface: &Interface) -> Value {
    let extract = interface.extract.as_ref();
    let store = interface.store.as_ref();
    json!({
        "collect": [interface.collect.name, interface.collect.settings],
        "extract": extract.map(|extract| (&extract.name, &extract.settings)),
        "store": store.map(|store| format!("{} {:?}", store.model.name, store.id)),
        "announce": format!("{:?}", interface.announce),
        "meta": interface.store_meta,
        "after": interface.after,
    })
}

fn of_pool(pool: &Pool) -> Value {
    let queues = pool.queues.iter().map(|queue| {
        let steps = queue.engines.iter().map(|step| {
            json!([
                step.engine.name,
                step.engine.settings,
                step.send_reports,
                step.chunk_size,
                step.force,
                step.missing,
            ])
        });
        json!([
            queue.name,
            format!("{:?} {:?}", queue.kind, queue.bindings),
            steps.collect::<Vec<_>>()
        ])
    });
    json!([
        queues.collect::<Vec<_>>(),
        pool.concurrency,
        pool.prefetch,
        pool.report_exchange,
        pool.max_tries,
        pool.engine_timeout_seconds,
    ])
}

fn written(converted: &Converted, folder: &Path) {
    for (name, text) in &converted.files {
        std::fs::write(folder.join(name), text).unwrap();
    }
}

#[test]
fn everything_converts_into_what_was_loaded() {
    let Some(original) = original::folder() else {
        return;
    };
    let paths = [original];
    let converted = Pipeline::convert_legacy(&paths, &|_| None);
    let errors = converted
        .problems
        .iter()
        .filter(|one| one.severity == Severity::Error);
    assert_eq!(errors.count(), 0);
    let folder = tempfile::tempdir().unwrap();
    written(&converted, folder.path());
    let lines: usize = converted
        .files
        .values()
        .map(|text| text.lines().count())
        .sum();
    println!("{} files with {lines} lines", converted.files.len());

    let loaded = Pipeline::load(folder.path(), &|_| None);
    let (native, warnings) = loaded.unwrap_or_else(|error| panic!("{error}"));
    let (legacy, _) = Pipeline::load_legacy(&paths, &|_| None).unwrap();
    let (native, legacy) = (values(&native), values(&legacy));
    for part in ["interfaces", "models", "pools"] {
        for (name, value) in legacy[part].as_object().unwrap() {
            assert_eq!(&native[part][name], value, "{name}");
        }
    }
    assert_eq!(native, legacy);
    for warning in warnings {
        assert!(
            warning.message.contains("does not declare")
                || warning.message.contains("nobody publishes"),
            "{warning}"
        );
    }
}

#[test]
fn a_person_can_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut old = small::readings();
    old["collectors"][0]["class"] = "ODataCollectorConfiguration".into();
    old["collectors"][0]["description"] = "Readings of all stations.".into();
    let credentials =
        json!({ "interfaces": [{ "name": "Readings", "client_password": "hunter2" }] });
    small::write(
        folder.path(),
        &[
            ("collector/odata/readings.json", old),
            ("credentials.json", credentials),
        ],
    );
    let converted = Pipeline::convert_legacy(&[folder.path().to_owned()], &|_| None);
    let names: Vec<&str> = converted.files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["collect-odata.yaml", "model-collected.yaml", "outside.yaml"]
    );
    let expected = r##"
interfaces:
  # Readings of all stations.
  - name: Readings
    collect:
      odata: { file_pattern: '*.json', client_password: { env: READINGS_CLIENT_PASSWORD } }
    extract:
      json:
        records: $.value
        fields:
          station: $.Station
          date: $.Date
          value: { expr: "record['Value'] if record['Station'][0] == 'S' else None" }
          kind: { value: AUX }
    store: { model: Reading, id: [station, date] }
    announce: { documents: new.raw.data.reading, chunk_size: 1, collector_name: ODataCollector }
"##;
    let text = &converted.files["collect-odata.yaml"];
    let (head, rest) = text.split_once('\n').unwrap();
    assert_eq!(head, "# Converted from collector/odata/readings.json");
    assert_eq!(rest, expected);
    let secrets: Vec<&String> = converted.secrets.iter().collect();
    assert_eq!(secrets, ["READINGS_CLIENT_PASSWORD"]);
}

#[test]
fn the_rest_is_converted_and_what_is_not_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut old = small::readings();
    let mut second = old["collectors"][0].clone();
    second["interface_name"] = "Second".into();
    second["extractor"]["args"]["attr_map"]["kind"]["python"] = "lambda c: open(c)".into();
    old["collectors"].as_array_mut().unwrap().push(second);
    small::write(folder.path(), &[("old/readings.json", old)]);
    let (from, out) = (folder.path().join("old"), folder.path().join("new"));
    let convert = |code: i32| {
        let mut convert = support::maas(folder.path());
        let convert = convert
            .arg("convert")
            .arg("--out")
            .arg(&out)
            .arg("--legacy")
            .arg(&from);
        let output = convert.output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let told = convert(3);
    assert!(
        told.contains("readings.json:") && told.contains("attr_map.kind"),
        "{told}"
    );
    let text = std::fs::read_to_string(out.join("collect-readings.yaml")).unwrap();
    assert!(
        text.contains("name: Readings") && !text.contains("Second"),
        "{text}"
    );
    // What is there is not overwritten.
    convert(1);
    support::maas(folder.path())
        .arg("check")
        .arg(&out)
        .assert()
        .code(0);
}
