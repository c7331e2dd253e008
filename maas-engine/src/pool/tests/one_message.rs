//! What comes of one message.

use std::time::Duration;

use maas_model::document::DocumentId;
use maas_model::message::{DeadLetter, DeadOriginal, Message, Published};
use maas_model::pipeline::MissingInput;
use serde_json::json;

use super::bench::Bench;
use super::engines::{Copy, OUT, Obey, RAW, step};
use super::store::{INTENTS, Mishap};
use crate::pool::Verdict;
use crate::pool::chain::Step;

fn copy() -> Vec<Step> {
    vec![step("COPY", Copy)]
}

fn with_raws(ids: &str) -> Bench {
    let bench = Bench::new(1, &["q"], copy);
    for id in ids.split_whitespace() {
        bench.store.put(RAW, id, json!({"value": id}));
    }
    bench
}

#[tokio::test]
async fn what_is_written_is_announced_and_then_what_the_engine_says() {
    let bench = with_raws("1 2 3");
    bench
        .store
        .put(OUT, "2", json!({"value": "old", "kept": 1}));
    let processed = bench.run("1 2 3", 0).await;
    assert_eq!(processed.verdict, Verdict::Done);
    assert_eq!(bench.store.writes(), ["out/1", "out/2", "out/3"]);
    let expected = [
        "new.out Out: 1 3 [out]",
        "update.out Out: 2 [out]",
        "notice.key Out: 1 2 3 [out]",
    ];
    assert_eq!(bench.published(0), expected);
    let written = bench.store.get(OUT, "2").unwrap();
    let expected = json!({"value": "2", "kept": 1, "updateTime": "1970-01-01T00:00:00.000Z"});
    assert_eq!(serde_json::Value::from(written), expected);
    assert_eq!(bench.store.count(INTENTS), 0);
}

#[tokio::test]
async fn doing_a_message_twice_writes_and_publishes_nothing() {
    let bench = with_raws("1 2");
    bench.run("1 2", 0).await;
    let (writes, published) = (bench.store.writes(), bench.bus.published().len());
    assert_eq!(bench.run("1 2", 0).await.verdict, Verdict::Done);
    assert_eq!(bench.store.writes(), writes);
    assert_eq!(bench.published(published), [""; 0]);
}

#[tokio::test]
async fn a_forced_step_writes_and_announces_what_did_not_change() {
    let force = || {
        vec![Step {
            force: true,
            ..step("COPY", Copy)
        }]
    };
    let bench = Bench::new(1, &["q"], force);
    bench.store.put(RAW, "1", json!({"value": "1"}));
    bench.run("1", 0).await;
    bench.run("1", 0).await;
    assert_eq!(
        bench.published(2),
        ["update.out Out: 1 [out]", "notice.key Out: 1 [out]"]
    );
}

#[tokio::test]
async fn a_silent_step_writes_and_announces_nothing() {
    let silent = || {
        vec![Step {
            send_reports: false,
            ..step("COPY", Copy)
        }]
    };
    let bench = Bench::new(1, &["q"], silent);
    bench.store.put(RAW, "1", json!({"value": "1"}));
    bench.run("1", 0).await;
    assert_eq!(bench.store.writes(), ["out/1"]);
    assert_eq!(bench.published(0), [""; 0]);
}

#[tokio::test]
async fn reports_of_several_engines_are_merged_by_key() {
    let twice = || vec![step("COPY", Copy), step("AGAIN", Copy)];
    let bench = Bench::new(1, &["q"], twice);
    bench.store.put(RAW, "1", json!({"value": "1"}));
    bench.run("1", 0).await;
    assert_eq!(
        bench.published(0),
        ["new.out Out: 1 [out]", "notice.key Out: 1 [out]"]
    );
    let message = Message::parse(&bench.bus.published()[0].body).unwrap();
    assert_eq!(message.pipeline, ["COPY", "AGAIN"]);
    assert_eq!(message.ancestor_ids, ["message about 1"]);
}

#[tokio::test]
async fn a_document_that_the_store_refuses_costs_its_neighbours_nothing() {
    let ids: Vec<String> = (0..100).map(|id| id.to_string()).collect();
    let bench = with_raws(&ids.join(" "));
    bench
        .store
        .put(RAW, "50", json!({"value": "50", "trouble": "refuse"}));
    let processed = bench.run(&ids.join(" "), 0).await;
    assert_eq!(processed.verdict, Verdict::Done);
    assert_eq!(bench.store.count(OUT), 99);
    let letter: DeadLetter = serde_json::from_slice(&processed.published[0].body).unwrap();
    assert_eq!(
        processed.published[0].routing_key.as_str(),
        "maas.dead.pool"
    );
    assert_eq!(letter.reason.kind, "document refused");
    assert_eq!(letter.reason.component.as_deref(), Some("COPY"));
    let DeadOriginal::Document {
        id,
        source,
        made_by: Some(made_by),
        ..
    } = letter.original
    else {
        panic!("no document: {:?}", letter.original);
    };
    let DeadOriginal::Message {
        body: Some(body), ..
    } = *made_by
    else {
        panic!("no message");
    };
    let again = Message::parse(body.as_bytes()).unwrap();
    assert_eq!(again.document_ids, [DocumentId::new("50").unwrap()]);
    assert_eq!((id.as_str(), &source["value"]), ("50", &json!("50")));
    assert!(!bench.published(1).iter().any(|line| line.contains(" 50 ")));
}

#[tokio::test]
async fn an_input_that_the_engine_cannot_use_is_a_message_of_its_own() {
    let bench = with_raws("1 2 3");
    bench.store.put(RAW, "2", json!({"trouble": "fail"}));
    let processed = bench.run("1 2 3", 0).await;
    assert_eq!(processed.verdict, Verdict::Done);
    assert_eq!(bench.store.writes(), ["out/1", "out/3"]);
    let letter: DeadLetter = serde_json::from_slice(&processed.published[0].body).unwrap();
    let DeadOriginal::Message {
        body: Some(body),
        queue,
        ..
    } = letter.original
    else {
        panic!("no message: {:?}", letter.original);
    };
    assert_eq!(queue, "q");
    let replay = Message::parse(body.as_bytes()).unwrap();
    assert_eq!(replay.document_ids.len(), 1);
    assert_eq!(replay.document_ids[0].as_str(), "2");
}

/// The ids and documents of the messages that the dead letters of a run would be replayed as.
async fn replays(bench: &Bench, ids: &str) -> Vec<(String, String)> {
    let processed = bench.run(ids, 0).await;
    let letters = processed.published.iter().filter_map(|message| {
        let letter: DeadLetter = serde_json::from_slice(&message.body).ok()?;
        let message = match letter.original {
            DeadOriginal::Document { made_by, .. } => *made_by?,
            other => other,
        };
        let DeadOriginal::Message { body, .. } = message else {
            return None;
        };
        let message = Message::parse(body?.as_bytes()).ok()?;
        let ids: Vec<&str> = message
            .document_ids
            .iter()
            .map(DocumentId::as_str)
            .collect();
        Some((message.message_id.clone(), ids.join(" ")))
    });
    letters.collect()
}

#[tokio::test]
async fn parts_of_one_message_are_replayed_under_ids_of_their_own() {
    let bench = with_raws("1 2 3");
    bench.store.put(RAW, "1", json!({"trouble": "fail"}));
    bench.store.put(RAW, "2", json!({"trouble": "refuse"}));
    let parts = replays(&bench, "1 2 3").await;
    let documents: Vec<&str> = parts.iter().map(|(_, ids)| ids.as_str()).collect();
    assert_eq!(documents, ["1", "2"]);
    assert_ne!(parts[0].0, parts[1].0);
    assert!(parts.iter().all(|(id, _)| id != "message about 1 2 3"));
    // Given up once more it is the same part, which finds the intent that it left.
    assert_eq!(replays(&bench, "1 2 3").await, parts);
}

#[tokio::test]
async fn a_message_that_is_replayed_whole_keeps_its_id() {
    let bench = with_raws("1");
    bench.store.put(RAW, "1", json!({"trouble": "fail"}));
    let expected = ("message about 1".to_owned(), "1".to_owned());
    assert_eq!(replays(&bench, "1").await, [expected]);
}

#[tokio::test]
async fn unknown_ids_are_counted_and_the_others_go_on() {
    let bench = with_raws("1");
    assert_eq!(bench.run("nobody 1", 0).await.verdict, Verdict::Done);
    assert_eq!(bench.store.writes(), ["out/1"]);
    assert_eq!(bench.pool.stats().missing.get(), 1);
}

#[tokio::test]
async fn unknown_ids_are_waited_for_or_buried_as_the_step_says() {
    let retry = || {
        vec![Step {
            missing: MissingInput::Retry,
            ..step("COPY", Copy)
        }]
    };
    let bench = Bench::new(1, &["q"], retry);
    assert!(matches!(
        bench.run("nobody", 0).await.verdict,
        Verdict::Again(..)
    ));
    let bury = || {
        vec![Step {
            missing: MissingInput::DeadLetter,
            ..step("COPY", Copy)
        }]
    };
    let bench = Bench::new(1, &["q"], bury);
    let processed = bench.run("nobody", 0).await;
    assert_eq!(processed.verdict, Verdict::Done);
    assert_eq!(
        processed.published[0].routing_key.as_str(),
        "maas.dead.pool"
    );
}

#[tokio::test(start_paused = true)]
async fn faults_of_an_engine_are_tried_again_and_end_as_dead_letters() {
    let bench = Bench::new(1, &["q"], || vec![step("OBEY", Obey)]);
    for fault in ["panic", "hang", "not-yet"] {
        for (tries, seconds) in [(0, 1), (1, 2)] {
            let Verdict::Again(delay, _) = bench.run(fault, tries).await.verdict else {
                panic!("`{fault}` was not tried again");
            };
            assert_eq!(delay, Duration::from_secs(seconds));
        }
        let Verdict::Dead(reason) = bench.run(fault, 2).await.verdict else {
            panic!("`{fault}` is no dead letter");
        };
        assert_eq!(reason.kind, "too many tries");
        assert_eq!(reason.component.as_deref(), Some("OBEY"));
    }
    let Verdict::Dead(reason) = bench.run("refuse", 0).await.verdict else {
        panic!("a refused message is no dead letter");
    };
    assert_eq!(
        (reason.kind.as_str(), reason.detail.as_str()),
        ("engine failed", "document `refuse`: as told")
    );
}

#[tokio::test]
async fn what_earlier_engines_did_is_announced_although_a_later_one_refuses() {
    let bench = Bench::new(1, &["q"], || vec![step("COPY", Copy), step("OBEY", Obey)]);
    bench.store.put(RAW, "refuse", json!({"value": "1"}));
    assert!(matches!(
        bench.run("refuse", 0).await.verdict,
        Verdict::Dead(_)
    ));
    assert_eq!(
        bench.published(0),
        ["new.out Out: refuse [out]", "notice.key Out: refuse [out]"]
    );
    assert_eq!(bench.store.count(INTENTS), 0);
}

#[tokio::test]
async fn bodies_that_are_no_messages_are_dead_letters() {
    let bench = with_raws("");
    for (body, kind) in [
        (&b"["[..], "malformed message"),
        (b"[\"x\"]", "malformed message"),
        (b"{\"no_such_key\": 1}", "malformed message"),
        (b"{}", "engine failed"),
    ] {
        let Verdict::Dead(reason) = bench.run_body(body, 0).await.verdict else {
            panic!("{} was taken", String::from_utf8_lossy(body));
        };
        assert_eq!(reason.kind, kind);
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_waited_for() {
    let bench = with_raws("1 2");
    bench
        .store
        .will(&[Mishap::Away, Mishap::Busy, Mishap::Away]);
    assert_eq!(bench.run("1 2", 0).await.verdict, Verdict::Done);
    assert_eq!(bench.store.writes(), ["out/1", "out/2"]);
    assert_eq!(bench.published(0)[0], "new.out Out: 1 2 [out]");
}

#[tokio::test(start_paused = true)]
async fn after_a_minute_without_store_the_message_is_handed_back() {
    let bench = with_raws("1");
    bench.store.will(&[Mishap::Away; 100]);
    for tries in [0, 40] {
        let verdict = bench.run("1", tries).await.verdict;
        assert!(
            matches!(verdict, Verdict::Again(..)),
            "tried {tries} times before: {verdict:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_is_away_is_waited_for() {
    let bench = with_raws("1");
    bench.bus.will_fail(5);
    assert_eq!(bench.run("1", 0).await.verdict, Verdict::Done);
    assert_eq!(bench.published(0).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_this_pipeline_that_finds_no_queue_is_published_again() {
    let bench = with_raws("1");
    // The notice's key is nobody's business: it may vanish.
    bench.bus.will_answer(&[
        Published::Unroutable,
        Published::Unroutable,
        Published::Unroutable,
    ]);
    assert_eq!(bench.run("1", 0).await.verdict, Verdict::Done);
    assert_eq!(bench.published(0), ["new.out Out: 1 [out]"]);
}

#[tokio::test]
async fn a_message_that_is_too_large_is_cut_in_two() {
    let bench = with_raws("1 2 3");
    bench
        .bus
        .will_answer(&[Published::Refused("too large".to_owned())]);
    assert_eq!(bench.run("1 2 3", 0).await.verdict, Verdict::Done);
    let mut published = bench.published(0);
    published.sort();
    assert_eq!(
        published,
        [
            "new.out Out: 1 [out]",
            "new.out Out: 2 3 [out]",
            "notice.key Out: 1 2 3 [out]"
        ]
    );
}
