//! Workers that die, answers that are lost: nothing is forgotten, nothing is told twice.

use serde_json::json;

use super::bench::Bench;
use super::engines::{Copy, OUT, Obey, RAW, step};
use super::store::{INTENTS, Mishap};
use crate::pool::Verdict;

fn bench() -> Bench {
    let bench = Bench::new(1, &["q"], || vec![step("COPY", Copy)]);
    for id in ["1", "2", "3"] {
        bench.store.put(RAW, id, json!({"value": id}));
    }
    bench.store.put(OUT, "2", json!({"value": "old"}));
    // Up to date: nobody is to be told of it.
    bench.store.put(OUT, "3", json!({"value": "3"}));
    bench
}

const EXPECTED: [&str; 3] = [
    "new.out Out: 1 [out]",
    "update.out Out: 2 [out]",
    "notice.key Out: 1 2 [out]",
];

#[tokio::test]
async fn a_worker_that_died_after_writing_is_announced_by_the_next_one() {
    let bench = bench();
    bench.bus.crash(true);
    assert_eq!(bench.run("1 2 3", 0).await.verdict, Verdict::HandBack);
    assert_eq!(bench.store.writes(), ["out/1", "out/2"]);
    assert_eq!(bench.store.count(INTENTS), 1);
    bench.bus.crash(false);
    assert_eq!(bench.run("1 2 3", 1).await.verdict, Verdict::Done);
    assert_eq!(
        bench.store.writes(),
        ["out/1", "out/2"],
        "nothing is written again"
    );
    assert_eq!(bench.published(0), EXPECTED);
    assert_eq!(bench.store.count(INTENTS), 0);
}

#[tokio::test]
async fn it_may_die_twice() {
    let bench = bench();
    bench.bus.crash(true);
    bench.run("1 2 3", 0).await;
    bench.run("1 2 3", 1).await;
    bench.bus.crash(false);
    bench.run("1 2 3", 2).await;
    assert_eq!(bench.published(0), EXPECTED);
}

#[tokio::test]
async fn what_others_changed_meanwhile_is_still_new_to_them() {
    let bench = bench();
    bench.bus.crash(true);
    bench.run("1 2 3", 0).await;
    bench.bus.crash(false);
    bench.store.put(OUT, "1", json!({"value": "other"}));
    bench.run("1 2 3", 1).await;
    assert_eq!(bench.published(0), EXPECTED);
}

#[tokio::test]
async fn a_redelivered_message_that_owes_nothing_announces_nothing() {
    let bench = bench();
    bench.run("1 2 3", 0).await;
    let published = bench.bus.published().len();
    assert_eq!(bench.run("1 2 3", 1).await.verdict, Verdict::Done);
    assert_eq!(bench.published(published), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_answer_was_lost_is_found_done_and_announced() {
    let bench = bench();
    bench.store.will(&[Mishap::AnswerLost]);
    assert_eq!(bench.run("1 2 3", 0).await.verdict, Verdict::Done);
    assert_eq!(bench.store.writes(), ["out/1", "out/2"]);
    assert_eq!(bench.published(0), EXPECTED);
    assert_eq!(bench.store.count(INTENTS), 0);
}

#[tokio::test(start_paused = true)]
async fn what_an_engine_did_is_announced_once_although_the_store_goes_away_in_the_next_one() {
    let bench = Bench::new(1, &["q"], || vec![step("COPY", Copy), step("OBEY", Obey)]);
    bench.store.put(RAW, "away", json!({"value": "1"}));
    for tries in [0, 1] {
        let verdict = bench.run("away", tries).await.verdict;
        assert!(matches!(verdict, Verdict::Again(..)), "{verdict:?}");
    }
    let expected = ["new.out Out: away [out]", "notice.key Out: away [out]"];
    assert_eq!(bench.published(0), expected);
    assert_eq!(bench.store.count(INTENTS), 0);
}
