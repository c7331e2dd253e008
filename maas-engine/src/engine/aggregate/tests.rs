//! Summaries on the embedded store.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use maas_model::clock::Clock;
use maas_model::document::IndexName;
use maas_model::message::{Message, RoutingKey};
use maas_model::model::{Field, FieldType, Models};
use maas_model::pipeline::{MissingInput, PluginUse};
use maas_model::store::{DocumentStore, EmbeddedStore, WriteAction, WriteOp};
use tokio::time::Instant;

use super::*;
use crate::engine::{ChangeKind, Reads, Session, registry};

fn model(name: &str, alias: &str, fields: &[(&str, FieldType)]) -> Model {
    let field = |(name, kind): &(&str, FieldType)| ((*name).to_owned(), Field::new(*kind));
    Model {
        name: name.to_owned(),
        alias: IndexName::new(alias).unwrap(),
        fields: fields.iter().map(field).collect::<IndexMap<_, _>>(),
        partition: None,
        settings: BTreeMap::new(),
    }
}

fn models() -> Models {
    use FieldType::{Date, Keyword, Long};
    let product = [("start", Date), ("mission", Keyword), ("bytes", Long)];
    let summary = [
        ("day", Date),
        ("mission", Keyword),
        ("products", Long),
        ("volume", Long),
    ];
    let models = [
        model("Product", "product", &product),
        model("Summary", "summary", &summary),
    ];
    models
        .into_iter()
        .map(|model| (model.name.clone(), Arc::new(model)))
        .collect()
}

async fn put(store: &EmbeddedStore, index: &str, id: &str, source: Value) {
    let action = WriteAction {
        index: IndexName::new(index).unwrap(),
        id: DocumentId::new(id).unwrap(),
        op: WriteOp::Index(source.as_object().unwrap().clone(), None),
    };
    assert!(store.write(vec![action]).await.unwrap()[0].is_done());
}

fn product(day: u32, mission: &str, bytes: u64) -> Value {
    json!({"start": format!("2024-03-{day:02}T10:00:00.000Z"), "mission": mission, "bytes": bytes})
}

#[tokio::test]
async fn only_touched_groups_are_computed_and_each_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(EmbeddedStore::open(folder.path()).unwrap());
    let models = models();
    for model in models.values() {
        store.install(model).await.unwrap();
    }
    for (id, source) in [
        ("a", product(1, "S1", 10)),
        ("b", product(1, "S1", 5)),
        ("c", product(1, "S2", 7)),
        ("d", product(2, "S1", 1)),
    ] {
        put(&store, "product", id, source).await;
    }
    put(
        &store,
        "summary",
        "2024-03-02T00:00:00.000Z#S1",
        json!({"products": 9}),
    )
    .await;
    let plugin = PluginUse {
        name: "AGGREGATE".to_owned(),
        settings: json!({
            "source_model": "Product", "target_model": "Summary", "count": "products",
            "groups": [
                {"name": "day", "by": {"date_histogram": {"field": "start", "interval": "day"}}},
                {"name": "mission", "by": {"terms": {"field": "mission"}}},
            ],
            "measures": [{"name": "volume", "kind": "sum", "field": "bytes"}],
        }),
        place: "test".to_owned(),
        base: Default::default(),
    };
    let engine = registry::build(&plugin, &BuildContext { models: &models }).unwrap();
    let reads = Reads::new(store.clone(), Arc::new(models), Clock::system());
    let batch = Batch {
        message: Arc::new(Message::default()),
        routing_key: RoutingKey::new("new.product").unwrap(),
        ids: ["a", "d"].map(|id| DocumentId::new(id).unwrap()).into(),
        repetition: 0,
    };
    let mut session = Session::default();
    let mut cx = EngineContext::new(&reads, &mut session, MissingInput::Skip, Instant::now());
    let output = engine.run(&batch, &mut cx).await.unwrap();
    let changes: Vec<_> = output
        .changes
        .iter()
        .map(|change| {
            assert_eq!(change.kind, ChangeKind::Write);
            let document = &change.document;
            (
                document.id.as_str(),
                document.is_stored(),
                Value::from(document.source.clone()),
            )
        })
        .collect();
    let summary = |day: &str, products: u64, volume: u64| json!({"day": day, "mission": "S1", "products": products, "volume": volume});
    let (first, second) = ("2024-03-01T00:00:00.000Z", "2024-03-02T00:00:00.000Z");
    let expected = [
        ("2024-03-01T00:00:00.000Z#S1", false, summary(first, 2, 15)),
        ("2024-03-02T00:00:00.000Z#S1", true, summary(second, 1, 1)),
    ];
    assert_eq!(changes, expected);
    assert_eq!(output.changes[0].inputs[0].as_str(), "a");
}
