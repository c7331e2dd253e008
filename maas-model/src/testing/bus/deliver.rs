//! Promises of subscribing and settling.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::fixture::{Fixture, eventually, has_one, next, take};
use crate::message::Part;

/// A message that nobody had is not marked as redelivered.
pub async fn a_new_delivery_is_not_redelivered(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..1).await;
    let delivery = next(&mut on.subscribe(&queue, 1).await).await;
    assert_eq!((delivery.redelivered, delivery.tries), (false, 0));
}

/// An acknowledged message never comes again.
pub async fn an_acked_message_is_gone(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..1).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    take(&mut subscription).await;
    drop(subscription);
    on.publish_numbers("new.a", 1..2).await;
    assert_eq!(take(&mut on.subscribe(&queue, 1).await).await, "1");
}

/// A delivery that is dropped goes back at once.
pub async fn a_dropped_delivery_comes_again(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..1).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    drop(next(&mut subscription).await);
    let again = next(&mut subscription).await;
    assert_eq!(
        (again.body.as_slice(), again.redelivered),
        (b"0".as_slice(), true)
    );
    again.ack().await.unwrap();
}

/// What a subscription held and never handed out goes to others when it is dropped.
pub async fn a_dropped_subscription_gives_back_what_it_held(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..10).await;
    let mut first = on.subscribe(&queue, 10).await;
    take(&mut first).await;
    drop(first);
    let mut second = on.subscribe(&queue, 10).await;
    let mut came = Vec::new();
    for _ in 0..9 {
        came.push(take(&mut second).await);
    }
    came.sort_unstable();
    assert_eq!(came, ["1", "2", "3", "4", "5", "6", "7", "8", "9"]);
}

/// No more than `prefetch` deliveries are unsettled.
pub async fn prefetch_is_a_bound(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..10).await;
    let mut subscription = on.subscribe(&queue, 3).await;
    let held = [
        next(&mut subscription).await,
        next(&mut subscription).await,
        next(&mut subscription).await,
    ];
    on.ready(&queue, 7).await;
    assert!(!has_one(&mut subscription).await);
    drop(held);
}

/// Settling any delivery makes room for another, also when it is not the oldest.
pub async fn room_is_made_by_settling(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..3).await;
    let mut subscription = on.subscribe(&queue, 2).await;
    let first = next(&mut subscription).await;
    next(&mut subscription).await.ack().await.unwrap();
    assert_eq!(take(&mut subscription).await, "2");
    first.ack().await.unwrap();
}

/// Two subscriptions with room both get some, and no message comes to both.
pub async fn two_subscriptions_share_a_queue(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    let mut first = on.subscribe(&queue, 5).await;
    let mut second = on.subscribe(&queue, 5).await;
    on.publish_numbers("new.a", 0..10).await;
    let mut held = Vec::new();
    for _ in 0..5 {
        held.push(next(&mut first).await);
        held.push(next(&mut second).await);
    }
    let mut came: Vec<_> = held.iter().map(|delivery| delivery.body[0]).collect();
    came.sort_unstable();
    assert_eq!(came, b"0123456789");
}

/// A subscription that waits gets a message published later.
pub async fn a_waiting_subscription_is_woken(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    let publish = async {
        tokio::task::yield_now().await;
        on.publish_numbers("new.a", 0..1).await;
    };
    let (text, ()) = tokio::join!(take(&mut subscription), publish);
    assert_eq!(text, "0");
}

/// A call of `next` that is dropped loses nothing.
pub async fn waiting_for_a_message_can_be_given_up(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    let mut subscription = on.subscribe(&queue, 2).await;
    let publish = on.publish_numbers("new.a", 0..100);
    let give_up = async {
        let mut came = 0;
        while came < 100 {
            tokio::select! {
                biased;
                () = tokio::task::yield_now() => {}
                delivery = subscription.next() => {
                    let delivery = delivery.unwrap();
                    assert!(!delivery.redelivered, "given back by a call that was given up");
                    delivery.ack().await.unwrap();
                    came += 1;
                }
            }
            tokio::select! {
                biased;
                delivery = subscription.next() => {
                    delivery.unwrap().ack().await.unwrap();
                    came += 1;
                }
                () = tokio::time::sleep(Duration::from_millis(1)) => {}
            }
        }
        came
    };
    let (came, ()) = tokio::join!(
        tokio::time::timeout(Duration::from_secs(30), give_up),
        publish
    );
    assert_eq!(came.expect("a message was lost"), 100);
}

/// A returned message comes after its delay, as it was published, and counts a try.
pub async fn a_returned_message_comes_after_its_delay(on: Fixture) {
    let queue = on.declare("queue", &["new.*"]).await;
    let mut message = on.message("new.a", vec![1, 0xff]);
    message.headers = BTreeMap::from([("x-maas-trace".into(), "7".into())]);
    message.priority = 3;
    on.publish(vec![message.clone()]).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    let began = Instant::now();
    let delay = Duration::from_millis(700);
    next(&mut subscription)
        .await
        .return_after(delay)
        .await
        .unwrap();
    let again = next(&mut subscription).await;
    assert!(
        began.elapsed() >= delay,
        "it came after {:?}",
        began.elapsed()
    );
    assert_eq!((again.tries, again.redelivered), (1, true));
    assert_eq!((&again.queue, &again.exchange), (&queue, &message.exchange));
    assert_eq!(again.routing_key, message.routing_key);
    assert_eq!((&again.body, again.priority), (&message.body, 3));
    assert_eq!(again.headers, message.headers);
    again.ack().await.unwrap();
}

/// No delay means at once.
pub async fn a_message_returned_without_delay_comes_again(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..1).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    next(&mut subscription)
        .await
        .return_after(Duration::ZERO)
        .await
        .unwrap();
    let again = next(&mut subscription).await;
    assert_eq!((again.tries, again.redelivered), (1, true));
    again.ack().await.unwrap();
}

/// Each return counts; a drop between them is none, and is told as what it is until the next return.
pub async fn tries_are_counted_and_drops_beside_them(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..1).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    let mut seen = Vec::new();
    for drops in [false, true, true, false, false] {
        let delivery = next(&mut subscription).await;
        seen.push((delivery.tries, delivery.abandoned));
        if drops {
            drop(delivery);
        } else {
            delivery.return_after(Duration::ZERO).await.unwrap();
        }
    }
    assert_eq!(seen, [(0, 0), (1, 0), (1, 1), (1, 2), (2, 0)]);
    take(&mut subscription).await;
}

/// What was fetched and never handed out is not abandoned work.
pub async fn a_message_that_nobody_had_is_not_abandoned(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..1).await;
    let delivery = next(&mut on.subscribe(&queue, 1).await).await;
    assert_eq!((delivery.abandoned, delivery.alone), (0, false));
}

/// Parts come in the place of a message, each with its tries and its mark, and it is gone.
pub async fn a_message_is_replaced_by_its_parts(on: Fixture) {
    let queue = on.declare("queue", &["new.*"]).await;
    let mut message = on.message("new.a", "whole");
    message.headers = BTreeMap::from([("x-maas-trace".into(), "7".into())]);
    message.priority = 3;
    on.publish(vec![message.clone()]).await;
    let mut subscription = on.subscribe(&queue, 4).await;
    let part = |body: &str, tries, alone| Part {
        body: body.into(),
        message_id: format!("part {body}"),
        delay: Duration::ZERO,
        tries,
        alone,
    };
    let parts = vec![part("first", 3, true), part("second", 0, false)];
    next(&mut subscription).await.replace(parts).await.unwrap();
    for (body, tries, alone) in [("first", 3, true), ("second", 0, false)] {
        let came = next(&mut subscription).await;
        assert_eq!(came.body, body.as_bytes());
        assert_eq!(
            (came.tries, came.abandoned, came.alone),
            (tries, 0, alone),
            "{body}"
        );
        assert_eq!(
            (&came.exchange, &came.routing_key),
            (&message.exchange, &message.routing_key)
        );
        assert_eq!((came.priority, &came.headers), (3, &message.headers));
        came.ack().await.unwrap();
    }
    on.ready(&queue, 0).await;
}

/// A part waits for its delay like a returned message, and keeps its mark when it is returned.
pub async fn a_part_waits_for_its_delay(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..1).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    let (began, delay) = (Instant::now(), Duration::from_millis(700));
    let part = Part {
        body: b"part".into(),
        message_id: "part".to_owned(),
        delay,
        tries: 1,
        alone: true,
    };
    next(&mut subscription)
        .await
        .replace(vec![part])
        .await
        .unwrap();
    let came = next(&mut subscription).await;
    assert!(began.elapsed() >= delay, "after {:?}", began.elapsed());
    came.return_after(Duration::ZERO).await.unwrap();
    let again = next(&mut subscription).await;
    assert_eq!((again.tries, again.alone), (2, true));
    again.ack().await.unwrap();
}

/// Messages behind one that waits for its delay come meanwhile.
pub async fn a_delayed_message_does_not_hold_up_others(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..3).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    next(&mut subscription)
        .await
        .return_after(Duration::from_secs(3_000))
        .await
        .unwrap();
    assert_eq!(take(&mut subscription).await, "1");
    assert_eq!(take(&mut subscription).await, "2");
}

/// After `close` subscriptions end, and what was in hand is ready for others.
pub async fn a_closed_bus_ends_its_subscriptions(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..3).await;
    let mut subscription = on.subscribe(&queue, 3).await;
    let held = next(&mut subscription).await;
    on.bus.close().await.unwrap();
    assert!(subscription.next().await.is_none());
    drop(held);
    eventually("the bus is closed for good", async || {
        on.bus
            .publish(vec![on.message("new.a", "1")])
            .await
            .is_err()
    })
    .await;
}
