//! Store and bus that are away for a while: the flow waits, says so once, and loses nothing.

use std::io::Write;
use std::sync::Mutex;

use tracing::subscriber::DefaultGuard;

use super::*;

const A_WHILE: Duration = Duration::from_secs(600);

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_at_the_start_is_waited_for() {
    let (log, _guard) = Log::begin();
    let (bench, store, _) = Bench::fake();
    bench.file("a.json", r#"[{"id": "a1"}, {"id": "a2"}]"#);
    store.set(|script| script.away = true);
    let back = async {
        tokio::time::sleep(A_WHILE).await;
        store.set(|script| script.away = false);
    };
    let (counts, ()) = tokio::join!(bench.run(), back);
    assert_eq!((counts.new, counts.announced), (2, 2));
    assert_eq!(log.count("waiting for the store"), 1, "{}", log.text());
    assert_eq!(log.count("the store is back"), 1, "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_goes_away_later_costs_nothing() {
    let (log, _guard) = Log::begin();
    let (bench, store, _) = Bench::fake();
    for number in 0..50 {
        let records: Vec<Value> = (0..100)
            .map(|n| json!({"id": format!("i{number}-{n}")}))
            .collect();
        bench.file(
            &format!("{number:02}.json"),
            Value::Array(records).to_string(),
        );
    }
    let flow = bench.flow();
    let stats = flow.stats();
    let outage = async {
        while stats.counts().announced == 0 {
            tokio::task::yield_now().await;
        }
        store.set(|script| script.away = true);
        pass(A_WHILE).await;
        let before = stats.counts();
        assert!(before.files < 50, "{before:?}");
        pass(A_WHILE).await;
        assert_eq!(stats.counts().new, before.new);
        store.set(|script| script.away = false);
        while stats.counts().announced < 5_000 {
            pass(Duration::from_secs(1)).await;
        }
    };
    let run = flow.run(CancellationToken::new(), FlowMode::Once);
    let (counts, ()) = tokio::join!(run, outage);
    let counts = counts.unwrap();
    assert_eq!(
        (counts.files, counts.new, counts.announced),
        (50, 5_000, 5_000)
    );
    assert_eq!(ids(&bench.messages().await).concat().len(), 5_000);
    assert_eq!(log.count("waiting for the store"), 1, "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_is_away_is_waited_for_before_a_file_is_done() {
    let (log, _guard) = Log::begin();
    let (mut bench, _, bus) = Bench::fake();
    bench.collect["done"] = json!({"move": "done"});
    bench.file("a.json", r#"[{"id": "a1"}, {"id": "a2"}]"#);
    bus.set(|script| script.away = true);
    let back = async {
        tokio::time::sleep(A_WHILE).await;
        assert!(bench.get("a2").await.is_some());
        assert_eq!(bench.files("in"), ["a.json"]);
        bus.set(|script| script.away = false);
    };
    let (counts, ()) = tokio::join!(bench.run(), back);
    assert_eq!(counts.announced, 2);
    assert_eq!(ids(&bench.messages().await), [["a1", "a2"]]);
    assert_eq!(bench.files("in/done"), ["a.json"]);
    assert_eq!(log.count("waiting for the bus"), 1, "{}", log.text());
    assert_eq!(log.count("the bus is back"), 1, "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn dead_letters_wait_for_their_queue_and_come_to_it() {
    let (log, _guard) = Log::begin();
    let (mut bench, _, bus) = Bench::fake();
    bench.collect["done"] = json!({"move": "done"});
    bench.file(
        "a.json",
        r#"[{"id": "a1"}, {"size": 1}, {"id": "a3", "size": "many"}]"#,
    );
    bus.set(|script| script.gone = Some("maas.dead."));
    let mend = async {
        tokio::time::sleep(A_WHILE).await;
        bus.set(|script| {
            script.gone = None;
            script.away = true;
        });
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(bench.files("in"), ["a.json"]);
        bus.set(|script| script.away = false);
    };
    let (counts, ()) = tokio::join!(bench.run(), mend);
    assert_eq!((counts.new, counts.announced, counts.refused), (1, 1, 2));
    assert_eq!(bench.dead().await.len(), 2);
    assert_eq!(bench.files("in/done"), ["a.json"]);
    assert_eq!(log.count("waiting for a queue"), 1, "{}", log.text());
    assert_eq!(log.count("waiting for the bus"), 1, "{}", log.text());
}

/// Lets time pass although a thread waits to hand over its records: paused time stands still meanwhile.
async fn pass(time: Duration) {
    for _ in 0..time.as_secs() {
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::task::yield_now().await;
    }
}

/// What this thread logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn begin() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    fn count(&self, text: &str) -> usize {
        self.text().matches(text).count()
    }
}

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
