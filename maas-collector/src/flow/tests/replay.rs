//! Records of dead letters, once their interface is mended.

use maas_model::message::{DeadFilter, DeadLetters, ReplayRecord, Replayed, Resolved};

use super::*;

/// A size that is no number, and one that is.
const FILE: &str = r#"[{"id": "a1", "size": "many"}, {"id": "a2", "size": 2}]"#;
const TABLE: &str = "id;size\na2;2\na1;many\n";
const TREE: &str = "<all><thing id='a2' size='2'/><thing id='a1' size='many'/></all>";

fn extract(interface: &mut Interface, name: &str, settings: Value) {
    let extract = interface.extract.as_mut().unwrap();
    (extract.name, extract.settings) = (name.into(), settings);
}

/// The interface as an operator mends it: sizes are not looked at any more.
fn json_mended(bench: &Bench) -> Interface {
    let mut interface = bench.interface();
    let fields = json!({"id": "$.id", "size": {"value": 7}});
    extract(
        &mut interface,
        "json",
        json!({"records": "$", "fields": fields}),
    );
    interface
}

fn csv(bench: &Bench, size: Value) -> Interface {
    let mut interface = bench.interface();
    let fields = json!({"id": "id", "size": size});
    extract(&mut interface, "csv", json!({"fields": fields}));
    interface
}

fn xml(bench: &Bench, size: Value) -> Interface {
    let mut interface = bench.interface();
    let fields = json!({"id": {"attr": "id"}, "size": size});
    extract(
        &mut interface,
        "xml",
        json!({"records": ".//thing", "fields": fields}),
    );
    interface
}

async fn ingest(bench: &Bench, interface: &Interface) -> FlowCounts {
    let flow = Flow::build(interface, bench.context()).unwrap();
    let run = flow.run(CancellationToken::new(), FlowMode::Once);
    let counts = tokio::time::timeout(LONG, run).await.unwrap().unwrap();
    assert_eq!((counts.new, counts.refused), (1, 1), "{counts:?}");
    assert_eq!(ids(&bench.messages().await), [["a2"]]);
    counts
}

async fn replay(bench: &Bench, interface: Interface) -> Resolved {
    let records = RecordReplay::new(vec![interface], bench.context());
    let letters = DeadLetters::new(Arc::clone(&bench.bus)).with_records(Arc::new(records));
    letters.replay(&DeadFilter::default(), 10).await.unwrap()
}

/// The letters, left where they are.
async fn waiting(bench: &Bench) -> Vec<DeadLetter> {
    let letters = DeadLetters::new(Arc::clone(&bench.bus));
    letters.list(&DeadFilter::default(), 10).await.unwrap()
}

/// As if it had been collected: document, index, file and folder, and one announcement.
async fn is_there(bench: &Bench, file: &str) {
    let document = bench.get("a1").await.unwrap();
    assert_eq!(document.index.as_str(), "raw-data-thing-2026-11");
    let folder = bench.folder.path().join("in").display().to_string();
    let source = Value::Object(document.source);
    assert_eq!(
        source,
        json!({
            "id": "a1", "size": 7, "reportName": file, "reportFolder": folder,
            "ingestionTime": "2026-11-01T00:00:00.000Z",
        })
    );
    assert_eq!(ids(&bench.messages().await), [["a1"]]);
}

#[tokio::test]
async fn a_record_of_a_file_that_is_gone_is_made_of_its_own_text() {
    let mut bench = Bench::new().await;
    bench.collect["done"] = json!("delete");
    bench.file("a.json", FILE);
    ingest(&bench, &bench.interface()).await;
    assert!(bench.files("in").is_empty());
    let resolved = replay(&bench, json_mended(&bench)).await;
    assert_eq!((resolved.done.len(), resolved.kept.len()), (1, 0));
    is_there(&bench, "a.json").await;
    assert!(waiting(&bench).await.is_empty());
}

#[tokio::test]
async fn a_row_is_made_of_its_text_and_its_header() {
    let mut bench = Bench::new().await;
    bench.collect["done"] = json!("delete");
    bench.file("a.csv", TABLE);
    ingest(&bench, &csv(&bench, json!("size"))).await;
    let resolved = replay(&bench, csv(&bench, json!({"value": 7}))).await;
    assert_eq!(resolved.done.len(), 1, "{resolved:?}");
    is_there(&bench, "a.csv").await;
}

#[tokio::test]
async fn a_record_that_means_nothing_alone_is_found_in_its_file_where_that_was_moved() {
    let mut bench = Bench::new().await;
    bench.collect["done"] = json!({"move": "done"});
    std::fs::create_dir(bench.folder.path().join("in/done")).unwrap();
    // Another file of that name, put aside before.
    std::fs::write(bench.folder.path().join("in/done/a.xml"), "<all/>").unwrap();
    bench.file("a.xml", TREE);
    ingest(&bench, &xml(&bench, json!({"attr": "size"}))).await;
    let resolved = replay(&bench, xml(&bench, json!({"value": 7}))).await;
    assert_eq!(resolved.done.len(), 1, "{resolved:?}");
    is_there(&bench, "a.xml").await;
}

#[tokio::test]
async fn a_record_that_means_nothing_alone_stays_when_its_file_is_gone() {
    let mut bench = Bench::new().await;
    bench.collect["done"] = json!("delete");
    bench.file("a.xml", TREE);
    ingest(&bench, &xml(&bench, json!({"attr": "size"}))).await;
    let resolved = replay(&bench, xml(&bench, json!({"value": 7}))).await;
    assert!(resolved.done.is_empty());
    assert!(
        resolved.kept[0].1.contains("bring the file back"),
        "{resolved:?}"
    );
    let letters = waiting(&bench).await;
    assert_eq!((letters.len(), letters[0].replays), (1, 0));
    assert!(bench.get("a1").await.is_none());
}

#[tokio::test]
async fn a_record_that_fails_again_keeps_its_history() {
    let bench = Bench::new().await;
    bench.file("a.json", FILE);
    ingest(&bench, &bench.interface()).await;
    for replays in 1..3 {
        let resolved = replay(&bench, bench.interface()).await;
        assert!(resolved.kept[0].1.contains("size"), "{resolved:?}");
        let letters = waiting(&bench).await;
        assert_eq!(letters.len(), 1);
        let found = (letters[0].replays, letters[0].history.len());
        assert_eq!(found, (replays, replays as usize));
    }
    assert!(bench.messages().await.is_empty());
    let resolved = replay(&bench, json_mended(&bench)).await;
    assert_eq!(resolved.done.len(), 1, "{resolved:?}");
    is_there(&bench, "a.json").await;
}

#[tokio::test]
async fn a_replay_that_died_before_it_announced_is_made_up_for_and_one_that_was_done_is_not_done_again()
 {
    let bench = Bench::new().await;
    bench.file("a.json", FILE);
    ingest(&bench, &bench.interface()).await;
    let letter = waiting(&bench).await.remove(0);
    let deaf = Arc::<FakeBus>::default();
    deaf.set(|script| script.deaf = true);
    let context = FlowContext {
        bus: deaf,
        ..bench.context()
    };
    let dies = RecordReplay::new(vec![json_mended(&bench)], context);
    let stored = async {
        while bench.get("a1").await.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        came = dies.replay(&letter) => panic!("nothing is confirmed: {came:?}"),
        () = stored => {}
    }
    let records = RecordReplay::new(vec![json_mended(&bench)], bench.context());
    assert_eq!(records.replay(&letter).await, Replayed::Done);
    is_there(&bench, "a.json").await;
    // The letter was not acknowledged: it comes again.
    assert_eq!(records.replay(&letter).await, Replayed::Done);
    assert!(bench.messages().await.is_empty());
}

#[tokio::test]
async fn without_its_interface_a_record_stays() {
    let bench = Bench::new().await;
    bench.file("a.json", FILE);
    ingest(&bench, &bench.interface()).await;
    let mut other = json_mended(&bench);
    other.name = "other".into();
    let resolved = replay(&bench, other).await;
    assert!(resolved.kept[0].1.contains("`things`"), "{resolved:?}");
}
