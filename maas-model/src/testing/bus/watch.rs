//! Promises of declaring and looking.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::fixture::{Fixture, eventually, next, take};
use crate::document::zulu;
use crate::message::{BusError, Message, QueueKind};

/// Peeking shows the oldest first and takes nothing.
pub async fn peeking_leaves_the_messages(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..3).await;
    for _ in 0..2 {
        on.ready(&queue, 3).await;
        let peeked = on.bus.peek(&queue, 10).await.unwrap();
        let bodies: Vec<_> = peeked
            .iter()
            .map(|message| message.body.as_slice())
            .collect();
        assert_eq!(bodies, [b"0", b"1", b"2"]);
        assert_eq!(peeked[0].routing_key.as_str(), "new.a");
        assert_eq!(peeked[0].exchange, on.exchange());
    }
    on.ready(&queue, 3).await;
    let mut subscription = on.subscribe(&queue, 3).await;
    for number in 0..3 {
        assert_eq!(take(&mut subscription).await, number.to_string());
    }
}

/// Peeking shows no more than asked for.
pub async fn peeking_respects_its_limit(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..3).await;
    assert_eq!(on.bus.peek(&queue, 2).await.unwrap().len(), 2);
    assert_eq!(on.bus.peek(&queue, 0).await.unwrap(), []);
}

/// What waits for its delay is told with its queue and its time, the next one first; it stays, and comes when its
/// time has come as if nobody had looked.
pub async fn delayed_messages_are_told_by_queue(on: Fixture) {
    let (a, b) = (
        on.declare("a", &["new.a"]).await,
        on.declare("b", &["new.b"]).await,
    );
    let began = Utc::now();
    for (queue, key, seconds) in [(&a, "new.a", 4), (&b, "new.b", 900), (&a, "new.a", 100)] {
        on.publish(vec![on.message(key, seconds.to_string())]).await;
        let mut subscription = on.subscribe(queue, 1).await;
        let delay = Duration::from_secs(seconds);
        let delivery = next(&mut subscription).await;
        delivery.return_after(delay).await.unwrap();
    }
    for _ in 0..2 {
        let mut delayed = on.bus.delayed(100_000).await.unwrap();
        // A server may have others.
        delayed.retain(|delayed| delayed.queue == a || delayed.queue == b);
        let told: Vec<_> = delayed
            .iter()
            .map(|delayed| (&delayed.queue, delayed.message.body.as_slice()))
            .collect();
        let wanted: [(_, &[u8]); 3] = [(&a, b"4"), (&a, b"100"), (&b, b"900")];
        assert_eq!(told, wanted);
        assert_eq!(delayed[0].message.routing_key.as_str(), "new.a");
        assert_eq!(delayed[0].message.exchange, on.exchange());
        assert_eq!(delayed[0].message.headers, BTreeMap::new());
        let due = delayed[0].due.unwrap() - began;
        assert!((4..10).contains(&due.num_seconds()), "{due}");
    }
    let mut subscription = on.subscribe(&a, 1).await;
    let came = next(&mut subscription).await;
    assert_eq!(came.body, b"4");
    assert_eq!((came.tries, came.abandoned), (1, 0));
    came.ack().await.unwrap();
    assert_eq!(on.bus.delayed(0).await.unwrap(), []);
}

/// Purging removes what waits, tells how many, and leaves what is worked on.
pub async fn a_purged_queue_is_empty(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..5).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    let held = next(&mut subscription).await;
    on.ready(&queue, 4).await;
    assert_eq!(on.bus.purge(&queue).await.unwrap(), 4);
    on.ready(&queue, 0).await;
    drop(held);
    assert_eq!(take(&mut subscription).await, "0");
}

/// The depth counts what is ready.
pub async fn the_depth_of_a_queue_is_told(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    assert_eq!(on.info(&queue).await.ready, 0);
    on.publish_numbers("new.a", 0..7).await;
    on.ready(&queue, 7).await;
}

/// Looking at queues takes nothing, not even to give it back: no order, no count of deliveries is touched. A bus that can look
/// so tells when the first message was made, also while that is worked on.
pub async fn looking_at_a_queue_tells_its_oldest_message_and_disturbs_none(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    assert_eq!(on.info(&queue).await.oldest, None);
    let dates = ["2026-11-20T14:00:00.000Z", "2026-11-20T15:00:00.000Z"];
    let message = |date: &&str| {
        let message = Message {
            date: (*date).to_owned(),
            ..Message::default()
        };
        on.message("new.a", message.to_body())
    };
    on.publish(dates.iter().map(message).collect()).await;
    on.ready(&queue, 2).await;
    let is = |told: Option<DateTime<Utc>>, date: &str| told.is_none_or(|told| zulu(told) == date);
    for _ in 0..20 {
        assert!(is(on.info(&queue).await.oldest, dates[0]));
    }
    let mut subscription = on.subscribe(&queue, 1).await;
    for date in dates {
        let delivery = next(&mut subscription).await;
        assert!(is(on.info(&queue).await.oldest, date));
        assert_eq!(Message::parse(&delivery.body).unwrap().date, date);
        assert_eq!((delivery.redelivered, delivery.abandoned), (false, 0));
        delivery.ack().await.unwrap();
    }
    eventually("the queue is empty", async || {
        on.info(&queue).await.oldest.is_none()
    })
    .await;
}

/// Subscriptions are counted, and no longer when they are gone.
pub async fn the_consumers_of_a_queue_are_told(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    let subscriptions = [on.subscribe(&queue, 1).await, on.subscribe(&queue, 1).await];
    eventually("two consumers", async || {
        on.info(&queue).await.consumers == 2
    })
    .await;
    drop(subscriptions);
    eventually("no consumer", async || on.info(&queue).await.consumers == 0).await;
}

/// A pattern finds queues by name, in order of their names, parking queues too.
pub async fn queues_are_found_by_pattern(on: Fixture) {
    let (b, a) = (
        on.declare("b", &["new.a"]).await,
        on.declare("a", &["new.a"]).await,
    );
    let names = async |pattern: &str| -> Vec<String> {
        let found = on.bus.queues(pattern).await.unwrap();
        found
            .into_iter()
            .map(|queue| queue.name.to_string())
            .collect()
    };
    assert_eq!(names(&on.name("*")).await, [a.as_str(), b.as_str()]);
    assert_eq!(names(&on.name("b")).await, [b.as_str()]);
    let dead = names(&format!("maas.dead.{}", on.name("*"))).await;
    assert_eq!(dead.len(), 2, "{dead:?}");
}

/// Declaring what exists keeps the messages.
pub async fn declaring_twice_changes_nothing(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..1).await;
    on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 1..2).await;
    on.ready(&queue, 2).await;
}

/// A later declaration of a queue may bind it to more keys.
pub async fn a_later_declaration_adds_a_binding(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.declare("queue", &["new.b"]).await;
    on.publish(vec![on.message("new.a", "1"), on.message("new.b", "2")])
        .await;
    on.ready(&queue, 2).await;
}

/// A queue that exists as another kind is not replaced; the error names it.
pub async fn another_kind_is_a_mismatch(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..1).await;
    let topology = on.topology("queue", &["new.a"], QueueKind::Classic);
    match on.bus.declare(&topology).await {
        Err(BusError::Mismatch { name, .. }) => assert_eq!(name, queue.as_str()),
        other => panic!("expected a mismatch, got {other:?}"),
    }
    on.ready(&queue, 1).await;
}

/// A queue that was never declared cannot be subscribed to.
pub async fn subscribing_to_no_queue_is_refused(on: Fixture) {
    match on.bus.subscribe(&on.queue("nobody"), 1).await {
        Err(BusError::Refused { reason, .. }) => assert!(reason.contains("nobody"), "{reason}"),
        Err(other) => panic!("expected a refusal, got {other:?}"),
        Ok(_) => panic!("expected a refusal, got a subscription"),
    }
}

/// The status names the product and tells that all is well.
pub async fn a_bus_tells_its_status(on: Fixture) {
    let status = on.bus.status().await.unwrap();
    assert!(status.healthy, "{status:?}");
    assert!(!status.name.is_empty() && !status.version.is_empty());
}
