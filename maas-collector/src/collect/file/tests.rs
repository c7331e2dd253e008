use std::fs;

use maas_model::plugin::Settings;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::collect::NothingTaken;

/// A folder with files, each a second younger than the one before.
fn folder(names: &[&str]) -> TempDir {
    let folder = TempDir::new().unwrap();
    let start = std::time::SystemTime::now() - Duration::from_secs(1_000);
    for (number, name) in names.iter().enumerate() {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = fs::File::create(&path).unwrap();
        file.set_modified(start + Duration::from_secs(number as u64))
            .unwrap();
    }
    folder
}

fn collector(folder: &TempDir, settings: &Value) -> Box<dyn Collector> {
    let cx = CollectorContext {
        interface: "test".into(),
        base: folder.path().to_owned(),
        taken: Arc::new(NothingTaken),
    };
    CollectorPlugin::find("file")
        .unwrap()
        .build(settings, cx)
        .unwrap()
}

async fn names(collector: &mut dyn Collector) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(item) = collector.next().await.unwrap() {
        names.push(item.name);
    }
    names
}

#[tokio::test]
async fn files_come_oldest_first_and_once() {
    let folder = folder(&[
        "z.json",
        "a.json",
        ".hidden.json",
        "b.json.part",
        "c.tmp",
        "d.filepart",
        "e.json.1.err.log",
        "a.json-maas-meta.json",
        "deeper/f.json",
    ]);
    let mut collector = collector(&folder, &json!({"paths": ["."]}));
    assert_eq!(names(&mut *collector).await, ["z.json", "a.json"]);
    assert!(names(&mut *collector).await.is_empty());
    // A file that changed is another item.
    fs::write(folder.path().join("a.json"), "more").unwrap();
    assert_eq!(names(&mut *collector).await, ["a.json"]);
}

#[tokio::test]
async fn patterns_globs_and_folders_select() {
    let folder = folder(&[
        "in/1/a_x.json",
        "in/2/a_y.json",
        "in/2/b_x.json",
        "in/2/deep/a_z.json",
        "in/2/done/a_q.json",
        "in/3{1}/a_b.json",
    ]);
    for (settings, expected) in [
        (
            json!({"paths": ["in/*"], "pattern": "a_*"}),
            vec!["a_x.json", "a_y.json", "a_b.json"],
        ),
        (
            json!({"paths": ["in/2"], "pattern": "a_[!z].json"}),
            vec!["a_y.json"],
        ),
        (
            json!({"paths": ["in/3{1}"], "pattern": "*"}),
            vec!["a_b.json"],
        ),
        (json!({"paths": ["in/*/b_*"]}), vec!["b_x.json"]),
        (
            json!({"paths": ["in/1/a_x.json", "in/1"]}),
            vec!["a_x.json"],
        ),
        (
            json!({"paths": ["in/2"], "recursive": true, "pattern": "a_*", "done": {"move": "done"}}),
            vec!["a_y.json", "a_z.json"],
        ),
    ] {
        let mut collector = collector(&folder, &settings);
        assert_eq!(names(&mut *collector).await, expected, "{settings}");
    }
}

#[tokio::test]
async fn a_moved_file_never_replaces_another() {
    let folder = folder(&["a.json", "done/a.json"]);
    fs::write(folder.path().join("done/a.json"), "first").unwrap();
    let mut collector = collector(&folder, &json!({"paths": ["."], "done": {"move": "done"}}));
    let item = collector.next().await.unwrap().unwrap();
    collector.settle(item, ItemOutcome::Done).await.unwrap();
    assert_eq!(
        fs::read_to_string(folder.path().join("done/a.json")).unwrap(),
        "first"
    );
    assert!(folder.path().join("done/a.json.1").exists());
    assert!(!folder.path().join("a.json").exists());
}

#[tokio::test]
async fn a_file_that_was_deleted_meanwhile_is_settled_all_the_same() {
    let folder = folder(&["a.json"]);
    let mut collector = collector(&folder, &json!({"paths": ["."], "done": "delete"}));
    let item = collector.next().await.unwrap().unwrap();
    fs::remove_file(&item.path).unwrap();
    collector.settle(item, ItemOutcome::Done).await.unwrap();
}

#[test]
fn a_wrong_glob_is_told_with_its_place() {
    let config: FileConfig = serde_json::from_value(json!({"paths": ["in", "[x"]})).unwrap();
    assert_eq!(config.check()[0].path, "paths[1]");
}
