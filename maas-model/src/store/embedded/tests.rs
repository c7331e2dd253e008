//! What only the embedded store promises: several openings of one folder, and what outlives a crash.

mod property;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::layer::{MeteredStore, RetryPolicy, RetryStore};
use crate::store::{WriteOp, WriteOutcome};

/// A store whose folder goes with it.
#[derive(Debug)]
struct Temporary<S> {
    store: S,
    _folder: tempfile::TempDir,
}

impl<S> std::ops::Deref for Temporary<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.store
    }
}

fn temporary() -> Temporary<EmbeddedStore> {
    let folder = tempfile::tempdir().unwrap();
    Temporary {
        store: EmbeddedStore::open(folder.path()).unwrap(),
        _folder: folder,
    }
}

/// The layers as a program stacks them.
fn layered() -> Temporary<RetryStore> {
    let Temporary { store, _folder } = temporary();
    let metered = MeteredStore::new(Arc::new(store));
    Temporary {
        store: RetryStore::new(Arc::new(metered), RetryPolicy::default()),
        _folder,
    }
}

crate::store_contract!(async { temporary() });
crate::store_contract!(layered_contract, async { layered() });

/// A newer version may keep what this one would not find, or would do wrong.
#[test]
fn a_file_of_another_layout_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(EmbeddedStore::open(folder.path()).unwrap());
    let file = rusqlite::Connection::open(folder.path().join("store.sqlite")).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    let error = EmbeddedStore::open(folder.path()).unwrap_err();
    let told = error.to_string();
    assert!(matches!(error, StoreError::Damaged { .. }), "{told}");
    assert!(
        told.contains("layout 99") && told.contains("use the program"),
        "{told}"
    );
}

fn put(id: &str, value: Value) -> WriteAction {
    let Value::Object(source) = value else {
        panic!("no object: {value}");
    };
    WriteAction {
        index: index(),
        id: DocumentId::new(id).unwrap(),
        op: WriteOp::Index(source, None),
    }
}

fn index() -> IndexName {
    IndexName::new("some-index").unwrap()
}

async fn value_of(store: &EmbeddedStore, id: &str) -> Option<Value> {
    let ids = [DocumentId::new(id).unwrap()];
    let found = store.get_many(&index(), &ids).await.unwrap().remove(0);
    found.map(|found| Value::Object(found.source))
}

fn copy_files(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[tokio::test]
async fn a_closed_store_opens_again_with_everything() {
    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    store.write(vec![put("a", json!({"n": 1}))]).await.unwrap();
    store.close().await.unwrap();
    assert!(
        store.count(&index(), &Query::All).await.is_err(),
        "closed is closed"
    );

    let store = EmbeddedStore::open(folder.path()).unwrap();
    assert_eq!(value_of(&store, "a").await, Some(json!({"n": 1})));
    let outcome = store
        .write(vec![put("a", json!({"n": 2}))])
        .await
        .unwrap()
        .remove(0);
    let WriteOutcome::Updated(version) = outcome else {
        panic!("not updated: {outcome:?}");
    };
    assert_eq!(version.seq_no, 2);
}

/// What a SIGKILL leaves is what the files hold at that instant.
#[tokio::test]
async fn what_was_reported_is_in_the_files() {
    let (living, dead) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = EmbeddedStore::open(living.path()).unwrap();
    for n in 0..50 {
        store
            .write(vec![put(&format!("id-{n}"), json!({"n": n}))])
            .await
            .unwrap();
    }
    copy_files(living.path(), dead.path());
    let revived = EmbeddedStore::open(dead.path()).unwrap();
    for n in 0..50 {
        assert_eq!(
            value_of(&revived, &format!("id-{n}")).await,
            Some(json!({"n": n}))
        );
    }
}

#[tokio::test]
async fn two_openings_of_one_folder_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let first = EmbeddedStore::open(&folder.path().join("made")).unwrap();
    let second = EmbeddedStore::open(&folder.path().join("made")).unwrap();
    for (writer, reader, n) in [
        (&first, &second, 1),
        (&second, &first, 2),
        (&first, &second, 3),
    ] {
        writer.write(vec![put("a", json!({"n": n}))]).await.unwrap();
        assert_eq!(value_of(reader, "a").await, Some(json!({"n": n})));
    }
    first.drop_index(&index()).await.unwrap();
    assert_eq!(value_of(&second, "a").await, None);
    second.write(vec![put("b", json!({}))]).await.unwrap();
    assert_eq!(first.count(&index(), &Query::All).await.unwrap(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    store.write(vec![put("a", json!({}))]).await.unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join(FILE),
        "not a database, but long enough to look at".repeat(9),
    )
    .unwrap();
    let error = EmbeddedStore::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

#[test]
fn patterns() {
    for (name, pattern, expected) in [
        ("abc", "abc", true),
        ("abc", "ab", false),
        ("abc", "*", true),
        ("abc", "a*", true),
        ("abc", "*c", true),
        ("abc", "a*c", true),
        ("abc", "a*b", false),
        ("a-b-c", "a*b*c", true),
        ("ab", "ab*b", false),
        ("abc", "", false),
    ] {
        assert_eq!(fits(name, pattern), expected, "{name} {pattern}");
    }
}
