//! Writes that were done and whose answer was lost: their documents are announced all the same.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_new_document_whose_answer_was_lost_is_announced_and_counted_as_new() {
    let (bench, store, _) = Bench::fake();
    bench.file("a.json", r#"[{"id": "a1"}, {"id": "a2"}]"#);
    store.set(|script| script.lost = [2].into());
    let counts = bench.run().await;
    assert_eq!((counts.new, counts.unchanged, counts.announced), (2, 0, 2));
    assert_eq!(ids(&bench.messages().await), [["a1", "a2"]]);
    // Sent, and once more; what was found done is not written a third time.
    assert_eq!(store.sent(), [2, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_answer_was_lost_is_announced_and_counted_as_updated() {
    let (bench, store, _) = Bench::fake();
    bench.file("a.json", r#"[{"id": "a1", "size": 1}]"#);
    bench.run().await;
    bench.messages().await;
    bench.file("b.json", r#"[{"id": "a1", "size": 2}]"#);
    store.set(|script| script.lost = [1].into());
    let counts = bench.run().await;
    assert_eq!((counts.updated, counts.unchanged), (1, 0));
    assert_eq!(ids(&bench.messages().await), [["a1"]]);
}

#[tokio::test(start_paused = true)]
async fn a_call_of_which_only_some_was_done_announces_every_document_once() {
    let (bench, store, _) = Bench::fake();
    bench.file("a.json", r#"[{"id": "a1"}, {"id": "a2"}, {"id": "a3"}]"#);
    // Lost twice, the second time after somewhat more was done; then no room for most of it.
    store.set(|script| {
        script.lost = [1, 2].into();
        script.busy = 1;
    });
    let counts = bench.run().await;
    assert_eq!((counts.new, counts.announced), (3, 3));
    let messages = bench.messages().await;
    let mut announced = ids(&messages).concat();
    announced.sort_unstable();
    assert_eq!(announced, ["a1", "a2", "a3"]);
}

#[tokio::test(start_paused = true)]
async fn a_document_that_was_unchanged_before_is_not_announced_for_its_neighbour() {
    let (bench, store, _) = Bench::fake();
    bench.file("a.json", r#"[{"id": "a1"}]"#);
    bench.run().await;
    bench.messages().await;
    bench.file("b.json", r#"[{"id": "a1"}, {"id": "b1"}]"#);
    store.set(|script| script.lost = [1].into());
    let counts = bench.run().await;
    assert_eq!((counts.new, counts.unchanged), (1, 1));
    assert_eq!(ids(&bench.messages().await), [["b1"]]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_ends_before_it_knows_leaves_the_announcement_to_the_next() {
    let (bench, store, _) = Bench::fake();
    bench.file("a.json", r#"[{"id": "a1"}]"#);
    store.set(|script| script.lost = [1].into());
    let cancel = CancellationToken::new();
    let flow = bench.flow();
    let stop = async {
        while store.sent().is_empty() {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
    };
    let (counts, ()) = tokio::join!(flow.run(cancel.clone(), FlowMode::Once), stop);
    assert_eq!(counts.unwrap().announced, 0);
    assert!(bench.get("a1").await.is_some());

    let counts = bench.run().await;
    assert_eq!((counts.new, counts.announced), (0, 1));
    assert_eq!(ids(&bench.messages().await), [["a1"]]);
}
