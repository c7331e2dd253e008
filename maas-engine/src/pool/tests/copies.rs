//! A message may be there twice (published again after a lost confirm), and both may be in hand: what one does
//! must not make the other one forget anything, nor undo it.

use async_trait::async_trait;
use serde_json::json;
use tokio::join;

use super::bench::Bench;
use super::engines::{Copy, OUT, RAW, step};
use super::store::{Does, INTENTS};
use crate::engine::{Batch, Engine, EngineContext, EngineError, Output};
use crate::pool::chain::Step;
use crate::pool::{Processed, Verdict};

/// Copies and says nothing of its own, so that a copy of a message plans the same to the letter.
struct Plain;

#[async_trait]
impl Engine for Plain {
    async fn run(&self, batch: &Batch, cx: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        let mut output = Copy.run(batch, cx).await?;
        output.notices.clear();
        Ok(output)
    }
}

fn bench() -> Bench {
    bench_with(|| vec![step("COPY", Copy)])
}

fn bench_with(steps: fn() -> Vec<Step>) -> Bench {
    let bench = Bench::new(1, &["q"], steps);
    for id in ["1", "2"] {
        bench.store.put(RAW, id, json!({"value": id}));
    }
    bench
}

/// A worker with the same message that writes and cannot announce, while the store holds the other one.
async fn dies_meanwhile(bench: &Bench, tries: u32) -> Processed {
    bench.store.until_held().await;
    bench.bus.crash(true);
    let lost = bench.run("1 2", tries).await;
    bench.bus.crash(false);
    bench.store.let_go();
    lost
}

const EXPECTED: [&str; 2] = ["new.out Out: 1 2 [out]", "notice.key Out: 1 2 [out]"];

#[tokio::test]
async fn a_copy_that_is_done_leaves_the_intent_that_the_other_one_relies_on() {
    let bench = bench_with(|| vec![step("COPY", Plain)]);
    bench.store.hold(Does::Write, OUT);
    // The first has left its intent and is about to write.
    let (first, second) = join!(bench.run("1 2", 0), dies_meanwhile(&bench, 1));
    assert_eq!(second.verdict, Verdict::HandBack);
    // It found everything written.
    assert_eq!(first.verdict, Verdict::Done);
    assert_eq!(bench.published(0), [""; 0]);
    assert_eq!(bench.store.count(INTENTS), 1);
    assert_eq!(bench.run("1 2", 2).await.verdict, Verdict::Done);
    assert_eq!(bench.published(0), ["new.out Out: 1 2 [out]"]);
    assert_eq!(bench.store.count(INTENTS), 0);
}

#[tokio::test]
async fn a_copy_that_comes_for_the_first_time_takes_over_what_the_other_one_left() {
    let bench = bench();
    bench.bus.crash(true);
    bench.run("1 2", 0).await;
    bench.bus.crash(false);
    // So that it has something to write, and finds an intent in its place.
    bench.store.put(RAW, "2", json!({"value": "changed"}));
    assert_eq!(bench.run("1 2", 0).await.verdict, Verdict::Done);
    assert_eq!(bench.published(0), EXPECTED);
    assert_eq!(bench.store.count(INTENTS), 0);
}

#[tokio::test]
async fn what_a_lost_worker_wrote_after_its_intent_was_looked_for_is_announced() {
    let bench = bench();
    bench.store.hold(Does::Read, OUT);
    // Whoever has the message now has looked for intents, and not yet at what is written.
    let (second, lost) = join!(bench.run("1 2", 1), dies_meanwhile(&bench, 0));
    assert_eq!(lost.verdict, Verdict::HandBack);
    assert_eq!(second.verdict, Verdict::Done);
    assert_eq!(bench.published(0), EXPECTED);
    assert_eq!(bench.store.count(INTENTS), 0);
}

#[tokio::test]
async fn what_the_store_refuses_is_not_announced_for_a_copy_that_planned_it() {
    let bench = bench();
    bench.store.hold(Does::Write, OUT);
    tokio::select! {
        biased;
        _ = bench.run("1 2", 0) => panic!("it was not held"),
        () = bench.store.until_held() => {}
    }
    bench.store.let_go();
    assert_eq!(bench.store.count(INTENTS), 1, "it died before it wrote");
    let refused = json!({"value": "2", "trouble": "refuse"});
    bench.store.put(RAW, "2", refused);
    assert_eq!(bench.run("1 2", 1).await.verdict, Verdict::Done);
    let published = bench.published(0);
    let new: Vec<_> = published
        .iter()
        .filter(|line| line.starts_with("new."))
        .collect();
    assert_eq!(new, ["new.out Out: 1 [out]"]);
    assert_eq!(bench.store.count(INTENTS), 0);
}

#[tokio::test]
async fn what_was_made_from_newer_inputs_is_not_overwritten() {
    let bench = bench();
    bench.store.put(OUT, "1", json!({"value": "old"}));
    bench.store.hold(Does::Read, OUT);
    let faster = async {
        // The input is read, what it is copied to is not.
        bench.store.until_held().await;
        bench.store.put(RAW, "1", json!({"value": "newer"}));
        bench.store.put(OUT, "1", json!({"value": "newer"}));
        bench.store.let_go();
    };
    let (processed, ()) = join!(bench.run("1", 0), faster);
    assert_eq!(processed.verdict, Verdict::Done);
    assert_eq!(bench.store.get(OUT, "1").unwrap()["value"], "newer");
    assert_eq!(bench.store.writes(), [""; 0]);
    assert_eq!(bench.published(0), [""; 0]);
}

#[tokio::test]
async fn an_input_that_changes_back_just_before_the_write_is_seen() {
    let bench = bench();
    bench.store.put(RAW, "1", json!({"value": "there"}));
    bench.store.put(OUT, "1", json!({"value": "back"}));
    bench.store.hold(Does::Write, OUT);
    let faster = async {
        bench.store.until_held().await;
        // Who is told of this finds nothing to do: no version changes.
        bench.store.put(RAW, "1", json!({"value": "back"}));
        bench.store.let_go();
    };
    let (processed, ()) = join!(bench.run("1", 0), faster);
    assert_eq!(processed.verdict, Verdict::Done);
    assert_eq!(bench.store.get(OUT, "1").unwrap()["value"], "back");
    let announced = ["update.out Out: 1 [out]", "notice.key Out: 1 [out]"];
    assert_eq!(bench.published(0), announced);
}

#[tokio::test]
async fn a_round_that_is_repeated_leaves_an_intent_of_its_own() {
    // Without notices, which would make another plan of the second round.
    let bench = bench_with(|| vec![step("COPY", Plain)]);
    bench.store.put(OUT, "1", json!({"value": "old"}));
    bench.store.hold(Does::Write, OUT);
    let others = async {
        bench.store.until_held().await;
        // Another copy does the message, and removes what both rely on.
        assert_eq!(bench.run("1", 1).await.verdict, Verdict::Done);
        assert_eq!(bench.store.count(INTENTS), 0);
        bench.store.put(RAW, "1", json!({"value": "newer"}));
        bench.store.hold(Does::Write, OUT);
        bench.store.let_go();
        bench.store.until_held().await;
        assert_eq!(bench.store.count(INTENTS), 1, "before it writes again");
        bench.store.let_go();
    };
    let (processed, ()) = join!(bench.run("1", 0), others);
    assert_eq!(processed.verdict, Verdict::Done);
    assert_eq!(bench.store.get(OUT, "1").unwrap()["value"], "newer");
    assert_eq!(bench.store.count(INTENTS), 0);
}
