//! `prip-chain`: ten listings through the whole ingest path, one run per file as recorded.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use maas_collector::collect::GivenFiles;
use maas_collector::extract::legacy::translate;
use maas_collector::flow::{Flow, FlowContext, FlowMode, Force, Room};
use maas_model::clock::Clock;
use maas_model::document::{IdFields, same};
use maas_model::message::{
    Binding, EmbeddedBus, ExchangeName, KeyPattern, MessageBus, QueueKind, QueueName, QueueSpec,
    RoutingKey, Topology,
};
use maas_model::model::{Model, ModelSpec};
use maas_model::pipeline::{Announce, Interface, PluginUse, StoreSpec};
use maas_model::store::{DocumentStore, EmbeddedStore, Query, Search};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::cases::{self, Score};

const KEY: &str = "new.raw.data.prip-product";

#[tokio::test]
async fn ten_listings_become_the_recorded_documents_and_messages() {
    let Some(folder) = cases::folder() else {
        return;
    };
    let folder = folder.join("prip-chain");
    let work = tempfile::tempdir().unwrap();
    let store = Arc::new(EmbeddedStore::open(work.path()).unwrap());
    let bus = Arc::new(EmbeddedBus::open(work.path()).unwrap());
    let queue = QueueName::new("all").unwrap();
    bus.declare(&topology(&queue)).await.unwrap();
    let model = Arc::new(model());
    store.install(&model).await.unwrap();
    let now: DateTime<Utc> = "2026-11-21T10:00:00Z".parse().unwrap();
    let context = FlowContext {
        store: store.clone(),
        bus: bus.clone(),
        clock: Clock::frozen(now),
        force: Force::default(),
        bindings: Vec::new(),
        room: Room::default(),
    };

    let mut files: Vec<_> = std::fs::read_dir(folder.join("input"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in &files {
        let interface = interface(file, &model);
        let given = Box::new(GivenFiles::new([file.clone()]));
        let flow = Flow::with_collector(&interface, given, context.clone()).unwrap();
        flow.run(CancellationToken::new(), FlowMode::Once)
            .await
            .unwrap();
    }

    let mut score = Score::default();
    store.refresh(&model.alias).await.unwrap();
    let search = Search::new(Query::All).limited(1_000);
    let mut found = store.search(&model.alias, &search).await.unwrap();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    let wanted = cases::read(&folder, "expected/raw_documents.json");
    let wanted = wanted.as_array().unwrap();
    score.add(
        "number of documents",
        equal(found.len(), wanted.len()),
        None,
    );
    for (found, wanted) in found.iter().zip(wanted) {
        let mut source = found.source.clone();
        source.insert("ingestionTime".into(), "<ingestionTime>".into());
        source.insert("reportFolder".into(), "<reportFolder>".into());
        let found = json!({
            "id": found.id, "source": source,
            "index": found.index.as_str().replace("2026-11", "<month of ingestion>"),
        });
        let result = if same(&found, wanted) {
            Ok(())
        } else {
            Err(format!("{found} instead of {wanted}"))
        };
        score.add(wanted["id"].as_str().unwrap(), result, None);
    }

    let found = bus.peek(&queue, 100).await.unwrap();
    let wanted = cases::read(&folder, "expected/messages_collect.json");
    let wanted = wanted.as_array().unwrap();
    score.add("number of messages", equal(found.len(), wanted.len()), None);
    for (number, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        let mut body: Value = serde_json::from_slice(&found.body).unwrap();
        body["date"] = "<date>".into();
        body["message_id"] = format!("<message {}>", number + 1).into();
        for index in body["document_indices"].as_array_mut().unwrap() {
            *index = index
                .as_str()
                .unwrap()
                .replace("2026-11", "<month of ingestion>")
                .into();
        }
        let result =
            if body == wanted["body"] && wanted["routing_key"] == found.routing_key.as_str() {
                Ok(())
            } else {
                Err(format!("{body} instead of {}", wanted["body"]))
            };
        score.add(&format!("message {}", number + 1), result, None);
    }
    score.end();
}

fn equal(found: usize, wanted: usize) -> Result<(), String> {
    if found == wanted {
        Ok(())
    } else {
        Err(format!("{found} instead of {wanted}"))
    }
}

/// One queue that takes all that collectors announce.
pub(crate) fn topology(queue: &QueueName) -> Topology {
    let exchange = ExchangeName::new("collect-exchange").unwrap();
    Topology {
        exchanges: vec![exchange.clone()],
        queues: vec![QueueSpec {
            name: queue.clone(),
            owner: "all".into(),
            kind: QueueKind::Quorum,
            bindings: vec![Binding {
                exchange,
                pattern: KeyPattern::new("#").unwrap(),
            }],
        }],
        parking: Vec::new(),
    }
}

fn model() -> Model {
    let spec: ModelSpec = serde_json::from_value(json!({
        "index": "raw-data-prip-product",
        "raw": true,
        "partition": {"field": "ingestionTime", "format": "%Y-%m"},
        "fields": {
            "product_id": "keyword", "product_name": "keyword", "content_length": "long",
            "publication_date": "date", "start_date": "date", "end_date": "date",
            "interface_name": "keyword", "production_service_type": "keyword",
            "production_service_name": "keyword", "eviction_date": "date",
            "origin_date": "date", "footprint": "geo_shape",
        },
    }))
    .unwrap();
    spec.build("PripProduct").unwrap()
}

/// The shipped settings of the interface that a file belongs to.
fn interface(file: &Path, model: &Arc<Model>) -> Interface {
    let name = file.file_name().unwrap().to_str().unwrap();
    let interface_name = name.split("_2024").next().unwrap();
    let service = interface_name
        .strip_prefix("PRIP_")
        .unwrap()
        .replace('_', "-");
    let constant = |text: &str| json!({"python": format!("lambda c: '{text}'")});
    let mut fields = json!({
        "product_id": "`this`.Id",
        "product_name": "`this`.Name",
        "content_length": "`this`.ContentLength",
        "publication_date": "`this`.PublicationDate",
        "start_date": "`this`.ContentDate.Start",
        "end_date": "`this`.ContentDate.End",
        "origin_date": "`this`.OriginDate",
        "modification_date": "`this`.ModificationDate",
        "eviction_date": "`this`.EvictionDate",
        "interface_name": constant(interface_name),
        "production_service_type": constant("PRIP"),
        "production_service_name": constant(&service),
    });
    if interface_name.contains("_S1") {
        let lambda = "lambda c: c['GeoFootprint'] if c['Name'][7:14] == 'RAW__0S' else None";
        fields["footprint"] = json!({"python": lambda});
    }
    if interface_name.contains("_S2") {
        let lambda = "lambda c: c['GeoFootprint'] if c['Name'][9:19] == 'MSI_L1C_DS' else None";
        fields["footprint"] = json!({"python": lambda});
        for (field, attribute) in [
            ("product_group_id", "productGroupId"),
            ("datastrip_id", "datastripId"),
            ("quality_status", "qualityStatus"),
            ("cloud_cover", "cloudCover"),
        ] {
            fields[field] = format!("`this`.Attributes[?Name=='{attribute}'].Value").into();
        }
    }
    let extract = translate(&json!({
        "class": "JSONExtractorExtended",
        "args": {"attr_map": fields, "iterate_nodes": "$.value", "allow_partial": true},
    }))
    .unwrap();
    let plugin = |name: &str, settings: Value| PluginUse {
        name: name.into(),
        settings,
        place: "test".into(),
        base: Path::new("").to_owned(),
    };
    Interface {
        name: interface_name.into(),
        collect: plugin("file", json!({"paths": ["unused"]})),
        extract: Some(plugin(extract.plugin, extract.settings)),
        store: Some(StoreSpec {
            model: Arc::clone(model),
            id: IdFields::Digest(vec!["product_id".into(), "interface_name".into()]),
        }),
        announce: Announce {
            documents: Some(RoutingKey::new(KEY).unwrap()),
            chunk_size: 512,
            priority: 5,
            ..Announce::default()
        },
        store_meta: Vec::new(),
        after: Vec::new(),
    }
}
