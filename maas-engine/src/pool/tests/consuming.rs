//! Many messages: turns, workers, conflicts, the end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use maas_model::ledger::{Book, Outcome};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::bench::{Bench, body, queue};
use super::bus::Settled;
use super::engines::{Copy, Count, OUT, Obey, RAW, step};
use super::store::Mishap;

/// Runs the pool until `settled` messages are settled, then stops it.
async fn work(bench: &Bench, settled: usize) {
    let stop = CancellationToken::new();
    let (pool, token) = (Arc::clone(&bench.pool), stop.clone());
    let running = tokio::spawn(async move { pool.run(token).await });
    bench.bus.until_settled(settled).await;
    stop.cancel();
    running.await.unwrap().unwrap();
    let stats = bench.pool.stats();
    assert!(stats.is_idle());
    for book in [stats.message_book(), stats.document_book()] {
        assert_eq!(
            (book.received, book.in_flight),
            (book.settled.total(), 0),
            "{book:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_came_of_each_message_and_document_is_counted_once() {
    let bench = Bench::new(2, &["q"], || vec![step("COPY", Copy)]);
    for id in ["new", "same", "failing", "refused"] {
        let trouble = match id {
            "failing" => "fail",
            "refused" => "refuse",
            _ => "",
        };
        let source = json!({"value": id, "trouble": trouble});
        bench.store.put(RAW, id, source);
    }
    bench.store.put(OUT, "same", json!({"value": "same"}));
    for ids in ["new same missing failing refused", "same", "missing"] {
        bench.bus.send(&queue("q"), body(ids));
    }
    bench.bus.send(&queue("q"), b"nonsense".to_vec());
    work(&bench, 4).await;
    let of = |book: Book| Outcome::ALL.map(|outcome| book.settled.get(outcome));
    let stats = bench.pool.stats();
    // Filtered, unchanged, written, dead, returned.
    assert_eq!(of(stats.document_book()), [2, 2, 1, 2, 0]);
    assert_eq!(of(stats.message_book()), [1, 1, 1, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn what_is_tried_again_is_received_again() {
    let bench = Bench::new(1, &["q"], || vec![step("OBEY", Obey)]);
    bench.bus.send(&queue("q"), body("not-yet b"));
    work(&bench, 3).await;
    let of = |book: Book| Outcome::ALL.map(|outcome| book.settled.get(outcome));
    let stats = bench.pool.stats();
    // The last try is halved: only the guilty document is dead.
    assert_eq!(of(stats.document_book()), [1, 0, 0, 1, 4]);
    assert_eq!(of(stats.message_book()), [1, 0, 0, 0, 2]);
}

#[tokio::test(start_paused = true)]
async fn workers_on_the_same_documents_end_as_if_one_had_done_it_all() {
    static REPEATED: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    let bench = Bench::new(8, &["q"], || vec![step("COUNT", Count(&REPEATED))]);
    let ids: Vec<String> = (0..10).map(|id| id.to_string()).collect();
    for message in 0..200 {
        // Every message shares some documents with others.
        let first = message % 6;
        bench
            .bus
            .send(&queue("q"), body(&ids[first..first + 5].join(" ")));
    }
    work(&bench, 200).await;
    let expected = |id: usize| {
        (0..200)
            .filter(|m| (m % 6..m % 6 + 5).contains(&id))
            .count()
    };
    for (place, id) in ids.iter().enumerate() {
        let counter = bench.store.get(OUT, id).unwrap();
        assert_eq!(counter["count"], json!(expected(place)), "counter {id}");
    }
    let repeated = REPEATED.lock().unwrap();
    assert!(!repeated.is_empty(), "there was no conflict");
    assert!(
        repeated.iter().any(|&ids| ids < 5),
        "only what was overtaken is run again"
    );
    let conflicts = usize::try_from(bench.pool.stats().conflicts.get()).unwrap();
    assert_eq!(repeated.iter().sum::<usize>(), conflicts);
    assert!(
        bench
            .bus
            .settled()
            .iter()
            .all(|(_, how)| *how == Settled::Acked)
    );
}

#[tokio::test(start_paused = true)]
async fn queues_have_fair_turns() {
    let bench = Bench::new(1, &["full", "small", "empty"], || vec![step("OBEY", Obey)]);
    for _ in 0..6 {
        bench.bus.send(&queue("full"), body("a"));
    }
    for _ in 0..2 {
        bench.bus.send(&queue("small"), body("a"));
    }
    work(&bench, 8).await;
    let taken = bench.bus.taken();
    assert_eq!(taken[..4], ["full", "small", "full", "small"]);
    assert_eq!(taken[4..], ["full"; 4]);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_panics_is_isolated_and_its_neighbours_are_done() {
    let bench = Bench::new(2, &["q"], || vec![step("OBEY", Obey)]);
    for ids in ["a", "panic", "b"] {
        bench.bus.send(&queue("q"), body(ids));
    }
    bench.bus.send(&queue("q"), b"nonsense".to_vec());
    work(&bench, 6).await;
    let of = |part: &str| -> Vec<Settled> {
        let settled = bench.bus.settled().into_iter();
        settled
            .filter(|(body, _)| body.contains(part))
            .map(|(_, how)| how)
            .collect()
    };
    let seconds = |n| Settled::Returned(Duration::from_secs(n));
    let dead = Settled::Dead("too many tries: OBEY".to_owned());
    assert_eq!(of("panic"), [seconds(1), seconds(2), dead]);
    assert_eq!(of("\"a\""), [Settled::Acked]);
    assert_eq!(of("\"b\""), [Settled::Acked]);
    assert_eq!(
        of("nonsense"),
        [Settled::Dead("malformed message: ".to_owned())]
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_work_in_hand_finish_and_takes_nothing_new() {
    let bench = Bench::new(1, &["q"], || vec![step("COPY", Copy)]);
    bench.store.put(RAW, "1", json!({"value": "1"}));
    for _ in 0..50 {
        bench.bus.send(&queue("q"), body("1"));
    }
    work(&bench, 3).await;
    let settled = bench.bus.settled().len();
    assert!((3..50).contains(&settled), "{settled} settled");
    assert_eq!(
        bench.bus.taken().len(),
        settled,
        "what was taken was finished"
    );
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_the_store_at_a_stop_is_handed_back_unsettled() {
    let bench = Bench::new(1, &["q"], || vec![step("COPY", Copy)]);
    bench.store.put(RAW, "1", json!({"value": "1"}));
    bench.store.will(&[Mishap::Away; 100]);
    bench.bus.send(&queue("q"), body("1"));
    let stop = CancellationToken::new();
    let (pool, token) = (Arc::clone(&bench.pool), stop.clone());
    let running = tokio::spawn(async move { pool.run(token).await });
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(bench.pool.stats().in_flight(), 1);
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(bench.bus.settled(), [], "it comes again only unsettled");
    let book = bench.pool.stats().document_book();
    assert_eq!((book.received, book.settled.get(Outcome::Returned)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn work_that_does_not_finish_in_time_is_handed_back() {
    let bench = Bench::new(1, &["q"], || vec![step("OBEY", Obey)]);
    bench.bus.send(&queue("q"), body("a"));
    bench.bus.send(&queue("q"), body("hang"));
    work(&bench, 1).await;
    assert_eq!(
        bench.bus.settled().len(),
        1,
        "the other was dropped unsettled"
    );
}
