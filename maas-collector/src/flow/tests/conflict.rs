//! A second writer of the same documents.

use maas_model::message::DeadOriginal;

use super::round::MOST_ROUNDS;
use super::*;

#[tokio::test(start_paused = true)]
async fn what_both_writers_say_ends_in_the_document() {
    let (bench, store, _) = Bench::fake();
    bench.file("a.json", r#"[{"id": "a1", "size": 1}]"#);
    store.set(|script| script.others = MOST_ROUNDS - 1);
    let counts = bench.run().await;
    let document = bench.get("a1").await.unwrap();
    assert_eq!(document.source["size"], 1);
    assert!(document.source.contains_key("other"));
    assert_eq!(
        (counts.updated, counts.announced, counts.refused),
        (1, 1, 0)
    );
    assert_eq!(store.sent(), [1; MOST_ROUNDS]);
}

#[tokio::test(start_paused = true)]
async fn a_document_that_never_stands_still_is_a_dead_letter_and_its_neighbours_go_on() {
    let (bench, store, _) = Bench::fake();
    bench.file("a.json", r#"[{"id": "a1", "size": 1}]"#);
    store.set(|script| script.others = MOST_ROUNDS);
    bench.file("b.json", r#"[{"id": "b1"}, {"id": "b2"}]"#);
    let counts = bench.run().await;
    let dead = bench.dead().await;
    let left = dead.len() as u64;
    assert_eq!(counts.refused, left);
    assert_eq!(counts.announced + left, 3);
    assert_eq!(counts.files, 2);
    for letter in &dead {
        let DeadOriginal::Document { id, .. } = &letter.original else {
            panic!("{letter:?}");
        };
        assert!(!ids(&bench.messages().await).concat().contains(&id.as_str()));
    }
    assert!(left > 0);
}
