//! Messages that do harm, and their neighbours.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use maas_model::document::DocumentId;
use maas_model::ledger::{Outcome, Outcomes};
use maas_model::message::{DeadLetter, DeadReason, Message};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::bench::{Bench, body, queue};
use super::bus::{Settled, Waiting};
use super::engines::{Copy, OUT, RAW, step};
use crate::engine::{Batch, Engine, EngineContext, EngineError, Output};
use crate::pool::chain::Step;
use crate::pool::contain::{Answer, Counted, Death, Isolation, Share, Tally, Trouble};
use crate::pool::{PoolRunner, Verdict, Work};

/// Copies, but fails when a document with this name is among them.
struct Touchy;

#[async_trait]
impl Engine for Touchy {
    async fn run(&self, batch: &Batch, cx: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        for id in &batch.ids {
            match id.as_str() {
                "panic" => panic!("as told"),
                "refuse" => return Err(EngineError::Refused("as told".to_owned())),
                "not-yet" => return Err(EngineError::NotYet("as told".to_owned())),
                "hang" => std::future::pending().await,
                _ => {}
            }
        }
        Copy.run(batch, cx).await
    }
}

fn touchy() -> Vec<Step> {
    vec![step("TOUCHY", Touchy), step("THEN", Copy)]
}

fn hundred_with(guilty: &str) -> (Bench, String) {
    let bench = Bench::new(1, &["q"], touchy);
    let mut ids: Vec<String> = (0..99).map(|id| id.to_string()).collect();
    ids.insert(42, guilty.to_owned());
    for id in &ids {
        bench.store.put(RAW, id, json!({"value": id}));
    }
    (bench, ids.join(" "))
}

fn ids(names: &[&str]) -> Vec<DocumentId> {
    let id = |name: &&str| DocumentId::new(*name).unwrap();
    names.iter().map(id).collect()
}

#[tokio::test]
async fn a_document_that_panics_is_tried_again_alone_and_the_others_are_done() {
    let (bench, all) = hundred_with("panic");
    let processed = bench.run(&all, 0).await;
    let Verdict::Parts(shares, reason) = processed.verdict else {
        panic!("{:?}", processed.verdict)
    };
    let expected = Share {
        ids: ids(&["panic"]),
        delay: Duration::from_secs(1),
        tries: 1,
        alone: true,
    };
    assert_eq!(shares, [expected]);
    assert!(
        reason.contains("as told at ") && reason.contains("contained.rs"),
        "{reason}"
    );
    assert_eq!(bench.store.count(OUT), 99);
}

#[tokio::test]
async fn a_refused_document_is_a_dead_letter_at_once_and_the_others_are_done() {
    let (bench, all) = hundred_with("refuse");
    let processed = bench.run(&all, 0).await;
    assert_eq!(processed.verdict, Verdict::Done);
    assert_eq!(bench.store.count(OUT), 99);
    let letter = DeadLetter::parse(&processed.published[0].body).unwrap();
    assert_eq!(letter.reason.detail, "document `refuse`: as told");
    assert_eq!(letter.reason.component.as_deref(), Some("TOUCHY"));
    assert_eq!(letter.reason.version.as_deref(), Some("tests 1.2.3"));
}

#[tokio::test]
async fn a_document_that_panics_to_the_last_try_is_a_dead_letter_with_its_stack() {
    let (bench, all) = hundred_with("panic");
    let processed = bench.run(&all, 2).await;
    assert_eq!(processed.verdict, Verdict::Done);
    let letter = DeadLetter::parse(&processed.published[0].body).unwrap();
    assert_eq!(
        (letter.reason.kind.as_str(), letter.tries),
        ("too many tries", 3)
    );
    let stack = letter.reason.stack.unwrap();
    assert!(stack.contains("contained.rs:"), "{stack}");
    assert!(!stack.contains("AssertUnwindSafe"), "{stack}");
    assert_eq!(bench.store.count(OUT), 99);
}

#[tokio::test]
async fn what_is_not_there_yet_holds_up_the_others_only_until_the_last_try() {
    let (bench, all) = hundred_with("not-yet");
    assert!(matches!(
        bench.run(&all, 0).await.verdict,
        Verdict::Again(..)
    ));
    assert_eq!(bench.store.count(OUT), 0);
    assert_eq!(bench.run(&all, 2).await.verdict, Verdict::Done);
    assert_eq!(bench.store.count(OUT), 99);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_takes_too_long_is_tried_in_halves() {
    let (bench, all) = hundred_with("hang");
    assert!(matches!(
        bench.run(&all, 0).await.verdict,
        Verdict::Again(..)
    ));
    let Verdict::Parts(shares, _) = bench.run(&all, 1).await.verdict else {
        panic!("not cut")
    };
    let counts: Vec<usize> = shares.iter().map(|share| share.ids.len()).collect();
    assert_eq!(counts, [50, 50]);
}

#[tokio::test]
async fn an_engine_that_fails_of_everything_makes_one_dead_letter() {
    let bench = Bench::new(1, &["q"], || vec![step("TOUCHY", Stubborn)]);
    let processed = bench.run("1 2 3 4", 0).await;
    assert!(matches!(processed.verdict, Verdict::Dead(_)));
    assert!(processed.published.is_empty());
}

struct Stubborn;

#[async_trait]
impl Engine for Stubborn {
    async fn run(&self, _: &Batch, _: &mut EngineContext<'_>) -> Result<Output, EngineError> {
        Err(EngineError::Refused("never".to_owned()))
    }
}

/// A process that dies of documents named `crash`, and does the others.
#[derive(Debug, Default)]
struct Fragile {
    worked: Mutex<Vec<usize>>,
}

#[async_trait]
impl Isolation for Fragile {
    async fn work(&self, _: &str, work: Work<'_>) -> Result<Answer, Trouble> {
        let message = Message::parse(work.body).unwrap();
        self.worked.lock().unwrap().push(message.document_ids.len());
        if message.document_ids.iter().any(|id| id.as_str() == "crash") {
            return Err(Trouble::Died(Death {
                how: "signal 6 (SIGABRT)".to_owned(),
                engine: Some("TOUCHY".to_owned()),
                last_words: "stack overflow".to_owned(),
            }));
        }
        Ok(Answer {
            verdict: Verdict::Done,
            tally: Tally::default(),
            counted: Counted::new(),
            outcomes: Outcomes::all(Outcome::Written, message.document_ids.len() as u64),
        })
    }
}

fn came_back(ids: &str) -> Waiting {
    Waiting {
        body: body(ids),
        abandoned: 1,
        ..Waiting::default()
    }
}

async fn until(
    bench: Bench,
    isolation: &Arc<Fragile>,
    done: impl Fn(&[(String, Settled)]) -> bool,
) -> Bench {
    let Bench { store, bus, pool } = bench;
    let pool: PoolRunner = Arc::try_unwrap(pool).ok().unwrap();
    let pool = Arc::new(pool.isolated(isolation.clone()));
    let (stop, running) = (CancellationToken::new(), Arc::clone(&pool));
    let token = stop.clone();
    let running = tokio::spawn(async move { running.run(token).await });
    let mut settled = 0;
    while !done(&bus.settled()) {
        settled += 1;
        bus.until_settled(settled).await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
    Bench { store, bus, pool }
}

fn dead(settled: &[(String, Settled)]) -> Vec<Message> {
    let dead = settled
        .iter()
        .filter(|(_, how)| matches!(how, Settled::Dead(_)));
    dead.map(|(body, _)| Message::parse(body.as_bytes()).unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_message_that_ends_its_process_is_cut_down_to_the_guilty_document() {
    let (bench, all) = hundred_with("crash");
    bench.bus.put(&queue("q"), came_back(&all));
    // A neighbour of its prefetch window, and one that came after.
    bench.bus.put(&queue("q"), came_back("1 2"));
    bench.bus.send(&queue("q"), body("3"));
    let isolation = Arc::new(Fragile::default());
    let bench = until(bench, &isolation, |settled| !dead(settled).is_empty()).await;
    let settled = bench.bus.settled();
    let dead = dead(&settled);
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].document_ids, ids(&["crash"]));
    let kind = format!("{}: TOUCHY", DeadReason::CRASHED);
    assert!(
        settled
            .iter()
            .any(|(_, how)| *how == Settled::Dead(kind.clone()))
    );
    let returned = settled
        .iter()
        .filter(|(_, how)| matches!(how, Settled::Replaced(_)));
    let of_neighbours = returned.filter(|(body, _)| !body.contains("crash")).count();
    assert_eq!(of_neighbours, 0, "no healthy message is tried again");
    let worked = isolation.worked.lock().unwrap();
    let healthy: usize = settled
        .iter()
        .filter(|(_, how)| *how == Settled::Acked)
        .map(|(body, _)| Message::parse(body.as_bytes()).unwrap().document_ids.len())
        .sum();
    assert_eq!(healthy, 99 + 2 + 1, "{worked:?}");
    assert!(worked.len() < 30, "{worked:?}");
}

#[tokio::test(start_paused = true)]
async fn what_died_with_the_worker_of_the_whole_is_announced_by_the_worker_of_a_part() {
    let (bench, all) = hundred_with("crash");
    // Its worker died between writing and announcing.
    bench.bus.crash(true);
    bench.run(&all, 0).await;
    bench.bus.crash(false);
    let work = Waiting {
        tries: 1,
        alone: true,
        ..came_back(&all)
    };
    bench.bus.put(&queue("q"), work);
    let isolation = Arc::new(Fragile::default());
    let cut = |settled: &[(String, Settled)]| !settled.is_empty();
    let bench = until(bench, &isolation, cut).await;
    let Settled::Replaced(parts) = &bench.bus.settled()[0].1 else {
        panic!("not cut")
    };
    let since = bench.bus.published().len();
    bench.run_body(&parts[0].body, 2).await;
    let told = bench.published(since);
    let half = Message::parse(&parts[0].body).unwrap().document_ids;
    let named: Vec<&str> = half.iter().map(DocumentId::as_str).collect();
    assert_eq!(told[0], format!("new.out Out: {} [out]", named.join(" ")));
}

#[tokio::test(start_paused = true)]
async fn a_message_with_which_worker_after_worker_ends_is_given_up() {
    let bench = Bench::new(1, &["q"], touchy);
    let waiting = |tries| Waiting {
        abandoned: 20,
        tries,
        ..came_back("1")
    };
    for tries in [0, 2] {
        bench.bus.put(&queue("q"), waiting(tries));
    }
    let isolation = Arc::new(Fragile::default());
    let bench = until(bench, &isolation, |settled| settled.len() >= 3).await;
    let settled = bench.bus.settled();
    let how: Vec<_> = settled.iter().map(|(_, how)| how).collect();
    assert!(
        how.iter().any(|how| matches!(how, Settled::Dead(_))),
        "{how:?}"
    );
    assert!(
        how.iter()
            .any(|how| matches!(how, Settled::Replaced(parts) if parts[0].tries == 1)),
        "{how:?}"
    );
}
