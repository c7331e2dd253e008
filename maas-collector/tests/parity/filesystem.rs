//! `collectors`, those of the local file system: folders before, documents, messages and folders after.

use std::path::Path;
use std::sync::Arc;

use chrono::NaiveDateTime;
use maas_collector::extract::legacy::translate;
use maas_collector::flow::{Flow, FlowContext, FlowMode, Force, Room};
use maas_model::clock::Clock;
use maas_model::document::IdFields;
use maas_model::message::{EmbeddedBus, MessageBus, QueueName, RoutingKey};
use maas_model::model::{Model, ModelSpec};
use maas_model::pipeline::{Announce, Interface, PluginUse, StoreSpec};
use maas_model::store::{DocumentStore, EmbeddedStore, Query, Search};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::cases::{self, Score};
use crate::prip_chain::topology;

#[tokio::test]
async fn local_folders_are_collected_as_recorded() {
    let Some(folder) = cases::folder() else {
        return;
    };
    let folder = folder.join("collectors");
    let deviations = cases::deviations("collectors");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".json"))
        .collect();
    names.sort();
    let mut score = Score::default();
    for name in names {
        let case = cases::read(&folder, &name);
        if case["collector"] == "filesystem" {
            let name = case["case"].as_str().unwrap();
            score.add(name, check(&case).await, deviations.get(name));
        }
    }
    score.end();
}

async fn check(case: &Value) -> Result<(), String> {
    let work = tempfile::tempdir().unwrap();
    let remote = work.path().join("remote");
    for (name, text) in case["before"]["server"].as_object().unwrap() {
        let path = remote.join(name);
        if name.ends_with('/') {
            std::fs::create_dir_all(path).unwrap();
        } else {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text.as_str().unwrap()).unwrap();
        }
    }
    let store = Arc::new(EmbeddedStore::open(work.path()).unwrap());
    let bus = Arc::new(EmbeddedBus::open(work.path()).unwrap());
    let queue = QueueName::new("all").unwrap();
    bus.declare(&topology(&queue)).await.unwrap();
    let config = &case["config"]["inline"];
    let model = Arc::new(model(&config["models"][0]));
    store.install(&model).await.unwrap();

    for run in case["runs"].as_array().unwrap() {
        let clock = run["clock"].as_str().unwrap();
        let context = FlowContext {
            store: store.clone(),
            bus: bus.clone(),
            clock: Clock::frozen(clock.parse::<NaiveDateTime>().unwrap().and_utc()),
            force: Force::default(),
            bindings: Vec::new(),
            room: Room::default(),
        };
        let paths = run["args"].as_array().unwrap().iter();
        let paths: Vec<String> = paths
            .map(|path| (path.as_str().unwrap()).replace("{remote}", remote.to_str().unwrap()))
            .collect();
        let interface = interface(&config["collectors"][0], &model, &paths);
        let flow = Flow::build(&interface, context).unwrap();
        flow.run(CancellationToken::new(), FlowMode::Once)
            .await
            .map_err(|error| error.to_string())?;

        let effects = &run["effects"];
        let found = documents(&*store, &model).await;
        equal(
            "documents",
            &found,
            &without_versions(&effects["documents"]),
        )?;
        let found = messages(&*bus, &queue).await;
        equal("messages", &found, &keys_and_bodies(&effects["messages"]))?;
        let found = files(&remote);
        equal("files", &found, &effects["remote_files"])?;
    }
    Ok(())
}

fn equal(what: &str, found: &Value, wanted: &Value) -> Result<(), String> {
    if found == wanted {
        Ok(())
    } else {
        Err(format!("{what}: {found} instead of {wanted}"))
    }
}

async fn documents(store: &dyn DocumentStore, model: &Model) -> Value {
    store.refresh(&model.alias).await.unwrap();
    let search = Search::new(Query::All).limited(1_000);
    let found = store.search(&model.alias, &search).await.unwrap();
    found
        .iter()
        .map(|found| json!([found.index, found.id]))
        .collect()
}

/// Versions are counted otherwise in each store.
fn without_versions(documents: &Value) -> Value {
    let documents = documents.as_array().unwrap().iter();
    documents.map(|one| json!([one[0], one[1]])).collect()
}

/// A queue does not tell the priority of what lies in it.
fn keys_and_bodies(messages: &Value) -> Value {
    let messages = messages.as_array().unwrap().iter();
    messages
        .map(|one| json!([one["routing_key"], one["body"]]))
        .collect()
}

/// What was published since the last time.
async fn messages(bus: &dyn MessageBus, queue: &QueueName) -> Value {
    let found = bus.peek(queue, 1_000).await.unwrap();
    bus.purge(queue).await.unwrap();
    let messages = found.iter().map(|found| {
        let mut body: Value = serde_json::from_slice(&found.body).unwrap();
        body["message_id"] = "<uuid>".into();
        json!([found.routing_key.as_str(), body])
    });
    messages.collect()
}

fn files(remote: &Path) -> Value {
    let mut files = Vec::new();
    let mut folders = vec![remote.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(remote).unwrap();
                files.push(name.display().to_string());
            }
        }
    }
    files.sort();
    json!(files)
}

fn model(old: &Value) -> Model {
    let fields: Map<String, Value> = old["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| {
            let name = field["name"].as_str().unwrap();
            let kind = field["type"].as_str().unwrap().to_lowercase();
            (name.to_owned(), kind.into())
        })
        .collect();
    let spec: ModelSpec = serde_json::from_value(json!({
        "index": old["index"],
        "raw": true,
        "partition": {"field": "ingestionTime", "format": old["partition_format"]},
        "fields": fields,
    }))
    .unwrap();
    spec.build(old["name"].as_str().unwrap()).unwrap()
}

fn interface(old: &Value, model: &Arc<Model>, paths: &[String]) -> Interface {
    let plugin = |name: &str, settings: Value| PluginUse {
        name: name.into(),
        settings,
        place: "test".into(),
        base: Path::new("").to_owned(),
    };
    let extract = translate(&old["extractor"]).unwrap();
    let text = |key: &str| old[key].as_str().unwrap().to_owned();
    Interface {
        name: text("interface_name"),
        collect: plugin(
            "file",
            json!({"paths": paths, "pattern": old["file_pattern"], "settle_seconds": 0}),
        ),
        extract: Some(plugin(extract.plugin, extract.settings)),
        store: Some(StoreSpec {
            model: Arc::clone(model),
            id: IdFields::Field(text("id_field")),
        }),
        announce: Announce {
            documents: Some(RoutingKey::new(text("routing_key")).unwrap()),
            ..Announce::default()
        },
        store_meta: Vec::new(),
        after: Vec::new(),
    }
}
