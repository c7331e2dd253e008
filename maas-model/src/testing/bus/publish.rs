//! Promises of publishing and routing.

use std::collections::{BTreeMap, BTreeSet};

use super::fixture::{Fixture, next, take};
use crate::message::{ExchangeName, Published, RoutingKey};

/// A message comes to the queue bound to its key, and to no other.
pub async fn a_message_comes_to_the_queue_bound_to_its_key(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    let other = on.declare("other", &["new.b"]).await;
    on.publish(vec![on.message("new.a", "1")]).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    let delivery = next(&mut subscription).await;
    assert_eq!(
        (delivery.body.as_slice(), delivery.priority),
        (b"1".as_slice(), 5)
    );
    assert_eq!(
        (&delivery.queue, &delivery.exchange),
        (&queue, &on.exchange())
    );
    assert_eq!(delivery.routing_key.as_str(), "new.a");
    assert_eq!(on.info(&other).await.ready, 0);
    delivery.ack().await.unwrap();
}

/// Two bindings of one queue that match do not make two messages.
pub async fn a_message_comes_once_to_a_queue_with_two_matching_bindings(on: Fixture) {
    let queue = on.declare("queue", &["new.*", "new.a"]).await;
    on.publish(vec![on.message("new.a", "1")]).await;
    on.ready(&queue, 1).await;
}

/// Every queue bound to a key gets its own copy.
pub async fn a_message_comes_to_every_bound_queue(on: Fixture) {
    let (first, second) = (
        on.declare("1", &["new.a"]).await,
        on.declare("2", &["new.a"]).await,
    );
    on.publish(vec![on.message("new.a", "1")]).await;
    for queue in [first, second] {
        assert_eq!(take(&mut on.subscribe(&queue, 1).await).await, "1");
    }
}

/// `*` is one word, `#` any number of words.
pub async fn wildcards_bind_by_words(on: Fixture) {
    let one = on.declare("one", &["new.*"]).await;
    let any = on.declare("any", &["new.#"]).await;
    let middle = on.declare("middle", &["#.raw.*"]).await;
    for key in ["new.a", "new.a.b", "new", "x.new.raw.a"] {
        on.publish(vec![on.message(key, key)]).await;
    }
    on.ready(&one, 1).await;
    on.ready(&any, 3).await;
    on.ready(&middle, 1).await;
}

/// A key without queue is an answer, not an error.
pub async fn a_key_without_queue_is_unroutable(on: Fixture) {
    on.declare("queue", &["new.a"]).await;
    let outcomes = on
        .bus
        .publish(vec![on.message("new.b", "1")])
        .await
        .unwrap();
    assert_eq!(outcomes, [Published::Unroutable]);
}

/// A message to an exchange that does not exist is refused; the others of the call are not touched.
pub async fn an_unknown_exchange_is_refused_and_its_neighbours_are_not(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    let mut lost = on.message("new.a", "lost");
    lost.exchange = ExchangeName::new(on.name("nowhere")).unwrap();
    let messages = vec![on.message("new.a", "1"), lost, on.message("new.a", "2")];
    let outcomes = on.bus.publish(messages).await.unwrap();
    assert_eq!(
        (&outcomes[0], &outcomes[2]),
        (&Published::Routed, &Published::Routed)
    );
    assert!(matches!(&outcomes[1], Published::Refused(reason) if reason.contains("exchange")));
    let mut subscription = on.subscribe(&queue, 10).await;
    let mut came = BTreeSet::new();
    // Sent again when the broker closed the channel: at least once.
    while came.len() < 2 {
        came.insert(take(&mut subscription).await);
    }
    assert_eq!(came, BTreeSet::from(["1".to_owned(), "2".to_owned()]));
}

/// The default exchange reaches a queue by its name.
pub async fn the_default_exchange_routes_by_queue_name(on: Fixture) {
    let queue = on.declare("queue", &[]).await;
    let mut message = on.message("x", "1");
    message.exchange = ExchangeName::default_exchange();
    message.routing_key = RoutingKey::new(queue.as_str()).unwrap();
    let mut nobody = message.clone();
    nobody.routing_key = RoutingKey::new(on.name("nobody")).unwrap();
    let outcomes = on.bus.publish(vec![message, nobody]).await.unwrap();
    assert_eq!(outcomes, [Published::Routed, Published::Unroutable]);
    assert_eq!(take(&mut on.subscribe(&queue, 1).await).await, "1");
}

/// Messages of one call to one queue keep their order.
pub async fn messages_of_one_publish_keep_their_order(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..200).await;
    let mut subscription = on.subscribe(&queue, 50).await;
    for number in 0..200 {
        assert_eq!(take(&mut subscription).await, number.to_string());
    }
}

/// A call may carry more than the window of the adapter.
pub async fn two_thousand_messages_at_once_all_arrive(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..2_000).await;
    let mut subscription = on.subscribe(&queue, 200).await;
    let mut came = BTreeSet::new();
    for _ in 0..2_000 {
        came.insert(take(&mut subscription).await);
    }
    assert_eq!(came.len(), 2_000);
}

/// Of thousands in flight every tenth is unroutable: exactly those are named.
pub async fn each_unroutable_message_among_thousands_is_named(on: Fixture) {
    on.declare("queue", &["new.a"]).await;
    let key = |number: usize| {
        if number.is_multiple_of(10) {
            "new.nobody"
        } else {
            "new.a"
        }
    };
    let messages = (0..5_000)
        .map(|number| on.message(key(number), "x"))
        .collect();
    let outcomes = on.bus.publish(messages).await.unwrap();
    assert_eq!(outcomes.len(), 5_000);
    for (number, outcome) in outcomes.iter().enumerate() {
        let unroutable = *outcome == Published::Unroutable;
        assert_eq!(
            unroutable,
            number.is_multiple_of(10),
            "message {number}: {outcome:?}"
        );
    }
}

/// An empty call has no outcomes.
pub async fn nothing_published_is_nothing_to_tell(on: Fixture) {
    assert_eq!(on.bus.publish(Vec::new()).await.unwrap(), []);
}

/// A body larger than a frame arrives whole.
pub async fn a_big_body_arrives_whole(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    let body: Vec<u8> = (0..3_000_000u32).map(|at| (at % 251) as u8).collect();
    on.publish(vec![on.message("new.a", body.clone())]).await;
    let delivery = next(&mut on.subscribe(&queue, 1).await).await;
    assert!(delivery.body == body, "{} bytes came", delivery.body.len());
}

/// Bytes that are no text, headers and priority arrive as published.
pub async fn bytes_and_headers_arrive_as_published(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    let mut message = on.message("new.a", vec![0, 0xff, 0x80, b'a']);
    message.headers = BTreeMap::from([("x-maas-trace".into(), "é\u{1f6f0}".into())]);
    message.priority = 9;
    on.publish(vec![message.clone()]).await;
    let delivery = next(&mut on.subscribe(&queue, 1).await).await;
    assert_eq!(delivery.body, message.body);
    assert_eq!(delivery.headers, message.headers);
    assert_eq!(delivery.priority, 9);
}

/// Calls at the same time do not hurt each other.
pub async fn publishers_at_the_same_time_lose_nothing(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    let calls = (0..50).map(|call| on.publish_numbers("new.a", call * 10..call * 10 + 10));
    futures_util::future::join_all(calls).await;
    on.ready(&queue, 500).await;
}
