//! Messages that the broker does not take as they are.

use maas_model::message::{DeadFilter, DeadLetters, DeadOriginal};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_large_is_cut_until_it_fits() {
    let (mut bench, _, bus) = Bench::fake();
    bench.chunk_size = 8;
    bench.file("a.json", records(8));
    // Room for two ids of a hundred characters, not for four.
    bus.set(|script| script.largest = Some(600));
    let counts = bench.run().await;
    assert_eq!(
        (counts.announced, counts.messages, counts.refused),
        (8, 4, 0)
    );
    let messages = bench.messages().await;
    let found: Vec<String> = ids(&messages)
        .concat()
        .iter()
        .map(ToString::to_string)
        .collect();
    let wanted: Vec<String> = (0..8).map(long_id).collect();
    assert_eq!(found, wanted);
    let mut numbers: Vec<&str> = messages.iter().map(|m| m.message_id.as_str()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_cut_is_a_dead_letter_and_not_announced() {
    let (mut bench, _, bus) = Bench::fake();
    bench.collect["done"] = json!({"move": "done"});
    bench.file(
        "a.json",
        format!(r#"[{{"id": "{}"}}, {{"id": "a2"}}]"#, long_id(1)),
    );
    // One long id is too much; letters are larger and go through all the same.
    bus.set(|script| {
        script.largest = Some(280);
        script.spares_letters = true;
    });
    let counts = bench.run().await;
    assert_eq!(
        (counts.announced, counts.messages, counts.refused),
        (1, 1, 1)
    );
    assert_eq!(ids(&bench.messages().await), [["a2"]]);
    assert_eq!(bench.files("in/done"), ["a.json"]);
    let dead = bench.dead().await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].reason.detail, "too large");
    let DeadOriginal::Message {
        routing_key, body, ..
    } = &dead[0].original
    else {
        panic!("{dead:?}");
    };
    assert_eq!(routing_key, KEY);
    let message = Message::parse(body.as_deref().unwrap().as_bytes()).unwrap();
    assert_eq!(ids(&[message]), [[long_id(1)]]);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_this_pipeline_is_published_until_its_queue_is_there() {
    let (bench, _, bus) = Bench::fake();
    bench.file("a.json", r#"[{"id": "a1"}]"#);
    bus.set(|script| script.gone = Some("new."));
    let flow = bench.flow();
    let run = flow.run(CancellationToken::new(), FlowMode::Once);
    let mend = async {
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert_eq!(flow.stats().counts().announced, 0);
        bus.set(|script| script.gone = None);
    };
    let (counts, ()) = tokio::join!(run, mend);
    assert_eq!(counts.unwrap().announced, 1);
    assert_eq!(ids(&bench.messages().await), [["a1"]]);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_nobody_consumes_is_the_end_of_a_chain() {
    let (mut bench, _, bus) = Bench::fake();
    bench.bindings = Vec::new();
    bench.file("a.json", r#"[{"id": "a1"}]"#);
    bus.set(|script| script.gone = Some("new."));
    assert_eq!(bench.run().await.announced, 1);
    assert!(bench.messages().await.is_empty());
}

fn long_id(number: usize) -> String {
    format!("{number:0>100}")
}

fn records(count: usize) -> String {
    let records: Vec<Value> = (0..count).map(|n| json!({"id": long_id(n)})).collect();
    Value::Array(records).to_string()
}

#[tokio::test]
async fn a_refused_message_goes_where_it_should_have_gone_when_it_is_replayed() {
    let bench = Bench::new().await;
    let flow = bench.flow();
    let key = RoutingKey::new(KEY).unwrap();
    let message = flow.shared.recipe.outgoing(&key, flow.shared.recipe.body());
    let body = message.body.clone();
    let letter = dead::message("things", message, "too large");
    let letter = letter.to_outgoing().unwrap();
    bench.bus.publish(vec![letter]).await.unwrap();

    let letters = DeadLetters::new(Arc::clone(&bench.bus));
    let replayed = letters.replay(&DeadFilter::default(), 10).await.unwrap();
    assert_eq!(replayed.done.len(), 1, "{replayed:?}");
    assert_eq!(bench.taken(QUEUE).await, [body]);
    assert!(bench.dead().await.is_empty());
}
