//! What becomes of files when nothing is away.

use std::path::Path;

use maas_model::message::DeadOriginal;

use super::*;

#[tokio::test]
async fn records_become_documents_and_messages() {
    let bench = Bench::new().await;
    bench.file(
        "a.json",
        r#"[{"id": "a1", "size": "12", "when": "2026-10-01T01:02:03Z"}, {"id": "a2"}]"#,
    );
    bench.file("b.json", r#"[{"id": "b1"}, {"id": "b2"}]"#);
    let counts = bench.run().await;
    assert_eq!((counts.files, counts.records, counts.new), (2, 4, 4));
    assert_eq!(
        (counts.announced, counts.messages, counts.refused),
        (4, 2, 0)
    );

    let messages = bench.messages().await;
    assert_eq!(ids(&messages), [vec!["a1", "a2", "b1"], vec!["b2"]]);
    assert_eq!(messages[0].document_class, "Thing");
    assert_eq!(messages[0].document_indices, ["raw-data-thing-2026-11"]);
    assert_eq!(messages[0].pipeline, ["FileCollector"]);
    assert_eq!(messages[0].date, "2026-11-01T00:00:00.000Z");

    let document = bench.get("a1").await.unwrap();
    assert_eq!(document.index.as_str(), "raw-data-thing-2026-11");
    let folder = bench.folder.path().join("in").display().to_string();
    assert_eq!(
        Value::Object(document.source),
        json!({
            "reportName": "a.json", "reportFolder": folder, "id": "a1", "size": 12,
            "when": "2026-10-01T01:02:03.000Z", "ingestionTime": "2026-11-01T00:00:00.000Z",
        })
    );
}

#[tokio::test]
async fn a_second_run_takes_nothing_writes_nothing_and_says_nothing() {
    let bench = Bench::new().await;
    bench.file("a.json", r#"[{"id": "a1"}]"#);
    bench.run().await;
    bench.messages().await;
    let before = bench.get("a1").await;
    assert_eq!(bench.run().await, FlowCounts::default());

    // The same records in another file: another `reportName` alone is no change.
    bench.file("b.json", r#"[{"id": "a1"}]"#);
    let counts = bench.run().await;
    assert_eq!((counts.unchanged, counts.new, counts.updated), (1, 0, 0));
    assert_eq!(bench.get("a1").await, before);
    assert!(bench.messages().await.is_empty());
}

#[tokio::test]
async fn a_change_is_merged_where_the_document_stands() {
    let mut bench = Bench::new().await;
    bench.file("a.json", r#"[{"id": "a1", "size": 1, "note": "n"}]"#);
    bench.run().await;
    bench.messages().await;
    bench.now = "2026-12-01T00:00:00Z";
    bench.file("b.json", r#"[{"id": "a1", "size": 2, "note": null}]"#);
    let counts = bench.run().await;
    assert_eq!((counts.updated, counts.announced), (1, 1));
    let document = bench.get("a1").await.unwrap();
    assert_eq!(document.index.as_str(), "raw-data-thing-2026-11");
    assert_eq!(document.source["size"], 2);
    assert_eq!(document.source["ingestionTime"], "2026-12-01T00:00:00.000Z");
    assert_eq!(document.source["reportName"], "b.json");
    assert!(!document.source.contains_key("note"));
    assert_eq!(
        bench.messages().await[0].document_indices,
        ["raw-data-thing-2026-11"]
    );
}

#[tokio::test]
async fn two_records_of_one_document_are_both_applied() {
    let bench = Bench::new().await;
    bench.file(
        "a.json",
        r#"[{"id": "a1", "size": 1, "note": "n"}, {"id": "a1", "size": 2}]"#,
    );
    bench.run().await;
    let document = bench.get("a1").await.unwrap();
    assert_eq!(document.source["size"], 2);
    assert_eq!(ids(&bench.messages().await), [["a1"]]);
}

#[tokio::test]
async fn a_broken_record_is_a_dead_letter_and_its_neighbours_go_on() {
    let bench = Bench::new().await;
    bench.file(
        "a.json",
        r#"[{"id": "a1"}, {"id": "a2", "size": "many"}, {"nothing": 1}, {"id": "a4"}]"#,
    );
    let counts = bench.run().await;
    assert_eq!((counts.new, counts.refused, counts.broken), (2, 2, 0));
    assert_eq!(ids(&bench.messages().await), [["a1", "a4"]]);
    let dead = bench.dead().await;
    let DeadOriginal::Record {
        file, place, raw, ..
    } = &dead[0].original
    else {
        panic!("{dead:?}");
    };
    assert!(file.ends_with("in/a.json"), "{file}");
    assert_eq!(
        (place.as_str(), raw.as_str()),
        ("record 2, line 1", r#"{"id": "a2", "size": "many"}"#)
    );
    assert!(
        dead[0].reason.detail.contains("size"),
        "{}",
        dead[0].reason.detail
    );
    assert_eq!(dead.len(), 2);
}

#[tokio::test]
async fn a_broken_file_is_set_aside_with_a_report_after_what_came_before_the_damage() {
    let mut bench = Bench::new().await;
    bench.collect = json!({
        "paths": ["in"], "settle_seconds": 0, "done": {"move": "done"}, "broken": {"move": "broken"},
    });
    bench.file("a.json", r#"[{"id": "a1"}, {"id": "#);
    bench.file("b.json", r#"[{"id": "b1"}]"#);
    let counts = bench.run().await;
    assert_eq!((counts.files, counts.broken, counts.new), (2, 1, 2));
    assert_eq!(bench.files("in"), [""; 0]);
    assert_eq!(bench.files("in/done"), ["b.json"]);
    let broken = bench.files("in/broken");
    assert_eq!(broken.len(), 2);
    assert_eq!(broken[0], "a.json");
    assert!(broken[1].starts_with("a.json.") && broken[1].ends_with(".err.log"));
    let report = bench.folder.path().join("in/broken").join(&broken[1]);
    let report = std::fs::read_to_string(report).unwrap();
    assert!(report.contains("line 1, column"), "{report}");
}

#[tokio::test]
async fn force_announces_and_rewrites_what_did_not_change() {
    let mut bench = Bench::new().await;
    bench.file("a.json", r#"[{"id": "a1"}]"#);
    bench.run().await;
    bench.messages().await;
    let before = bench.get("a1").await.unwrap();
    bench.force.announce = true;
    bench.file("b.json", r#"[{"id": "a1"}]"#);
    bench.run().await;
    assert_eq!(ids(&bench.messages().await), [["a1"]]);
    assert_eq!(bench.get("a1").await.unwrap().version, before.version);

    bench.force.write = true;
    bench.file("c.json", r#"[{"id": "a1"}]"#);
    bench.run().await;
    let after = bench.get("a1").await.unwrap();
    assert_ne!(after.version, before.version);
    assert_eq!(
        after.source["ingestionTime"],
        before.source["ingestionTime"]
    );
}

#[tokio::test]
async fn a_side_file_has_the_last_word() {
    let bench = Bench::new().await;
    bench.file("a.json", r#"[{"id": "a1", "note": "n"}]"#);
    bench.file(
        "a.json-maas-meta.json",
        r#"{"reportFolder": "/far", "note": "m"}"#,
    );
    let counts = bench.run().await;
    assert_eq!(counts.files, 1);
    let document = bench.get("a1").await.unwrap();
    assert_eq!(document.source["reportFolder"], "/far");
    assert_eq!(document.source["note"], "m");
}

#[tokio::test]
async fn what_was_stored_by_a_run_that_died_is_announced_by_the_next() {
    let mut bench = Bench::new().await;
    bench.file("a.json", r#"[{"id": "a1"}, {"id": "a2"}]"#);
    let bus = Arc::clone(&bench.bus);
    let deaf = Arc::<FakeBus>::default();
    deaf.set(|script| script.deaf = true);
    bench.bus = deaf;
    let flow = bench.flow();
    let run = flow.run(CancellationToken::new(), FlowMode::Once);
    tokio::select! {
        _ = run => panic!("nothing is confirmed, so it cannot end"),
        () = stored(&bench, "a2") => {}
    }
    bench.bus = bus;
    assert!(bench.messages().await.is_empty());

    let counts = bench.run().await;
    assert_eq!((counts.new, counts.unchanged, counts.announced), (0, 2, 2));
    assert_eq!(ids(&bench.messages().await), [["a1", "a2"]]);
    assert_eq!(bench.run().await, FlowCounts::default());
}

async fn stored(bench: &Bench, id: &str) {
    let look = async {
        while bench.get(id).await.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, look).await.unwrap();
}

#[tokio::test]
async fn a_cancelled_run_finishes_what_it_has_and_leaves_the_rest() {
    let bench = Bench::new().await;
    for number in 0..40 {
        bench.file(
            &format!("{number:02}.json"),
            format!(r#"[{{"id": "i{number}"}}]"#),
        );
    }
    let flow = bench.flow();
    let cancel = CancellationToken::new();
    let stats = flow.stats();
    let stop = async {
        while stats.counts().records < 5 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (counts, ()) = tokio::join!(flow.run(cancel.clone(), FlowMode::Forever), stop);
    let counts = counts.unwrap();
    assert!(counts.files < 40, "{counts:?}");
    assert_eq!(counts.announced, counts.new);
    let rest = bench.run().await;
    let mut announced = ids(&bench.messages().await).concat().len() as u64;
    announced -= rest.unchanged;
    assert_eq!((counts.new + rest.new, announced), (40, 40));
}

#[tokio::test]
async fn a_watching_flow_takes_what_comes_later_and_is_idle_between() {
    let mut bench = Bench::new().await;
    bench.collect = json!({"paths": ["in"], "settle_seconds": 0, "poll_seconds": 1});
    let flow = bench.flow();
    let cancel = CancellationToken::new();
    let stats = flow.stats();
    let watch = async {
        while !stats.is_idle() {
            tokio::task::yield_now().await;
        }
        bench.file("a.json", r#"[{"id": "a1"}]"#);
        while stats.counts().files == 0 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let watched = async { tokio::join!(flow.run(cancel.clone(), FlowMode::Forever), watch) };
    let (counts, ()) = tokio::time::timeout(LONG, watched).await.unwrap();
    assert_eq!(counts.unwrap().announced, 1);
}

#[tokio::test]
async fn given_files_are_taken_again_and_left_in_place() {
    let mut bench = Bench::new().await;
    bench.file("a.json", r#"[{"id": "a1"}]"#);
    bench.force.announce = true;
    let path = bench.folder.path().join("in/a.json");
    for _ in 0..2 {
        let given = Box::new(crate::collect::GivenFiles::new([path.clone()]));
        let flow = Flow::with_collector(&bench.interface(), given, bench.context()).unwrap();
        let counts = flow
            .run(CancellationToken::new(), FlowMode::Once)
            .await
            .unwrap();
        assert_eq!(counts.announced, 1);
    }
    assert!(Path::new(&path).exists());
}

#[test]
fn a_replay_knows_the_folder_that_the_file_came_from_at_first() {
    let raw = RawItem {
        key: "k".into(),
        name: "a_DSIB.xml".into(),
        folder: Some("/replay".into()),
        path: "/replay/a_DSIB.xml".into(),
    };
    let meta = json!({"reportFolder": "/NOMINAL/S1A"});
    let mut item = Item {
        raw,
        recovered: false,
        meta: meta.as_object().cloned(),
    };
    assert_eq!(item.folder(), Some("/NOMINAL/S1A"));
    item.meta = None;
    assert_eq!(item.folder(), Some("/replay"));
}
