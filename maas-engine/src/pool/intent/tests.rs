//! Intents of other versions of the program.

use std::time::Duration;

use maas_model::store::EmbeddedStore;

use super::*;

const WHOSE: Whose<'_> = Whose {
    queue: "queue",
    message_id: "m1",
    step: 0,
    engine: "COPY",
};

async fn intents() -> (tempfile::TempDir, Intents) {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(EmbeddedStore::open(folder.path()).unwrap());
    store.install(&intents_model().unwrap()).await.unwrap();
    let intents = Intents::new(store, Clock::system(), "pool").unwrap();
    (folder, intents)
}

async fn put(intents: &Intents, plan: Value) {
    let source = json!({
        "pool": "pool", "message_id": "m1", "engine": "COPY", "plan": plan,
        "date": "2020-01-01T00:00:00.000Z",
    });
    let op = WriteOp::Create(source.as_object().cloned().unwrap());
    let action = intents.action(WHOSE, op);
    intents.send(vec![action]).await.unwrap();
}

#[tokio::test]
async fn what_a_newer_version_wrote_beside_a_plan_does_no_harm() {
    let (_folder, intents) = intents().await;
    put(
        &intents,
        json!({"documents": [], "notices": [], "of_whole": true, "since": 7}),
    )
    .await;
    let left = intents.read(&[WHOSE]).await.unwrap();
    assert!(left[0].debt.of_whole && left[0].version.is_some());
}

#[tokio::test]
async fn a_plan_that_cannot_be_read_is_neither_forgotten_nor_removed() {
    let (_folder, intents) = intents().await;
    put(&intents, json!({"documents": {"by": "class"}})).await;
    let error = intents.read(&[WHOSE]).await.unwrap_err();
    assert!(error.to_string().contains("another version"), "{error}");
    assert!(!error.is_temporary());
    let old = intents.older_than(Duration::from_secs(60)).await.unwrap();
    assert!(old.is_empty(), "{old:?}");
    let id = intents.id(WHOSE).unwrap();
    let found = intents.store.get_many(&intents.index, &[id]).await.unwrap();
    assert!(found[0].is_some());
}
