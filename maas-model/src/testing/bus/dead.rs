//! Promises of dead letters.

use std::sync::Arc;
use std::time::Duration;

use super::fixture::{Fixture, next, take};
use crate::message::{
    DeadFilter, DeadLetter, DeadLetters, DeadOriginal, DeadReason, QueueName, Topology,
};

fn reason(kind: &str) -> DeadReason {
    DeadReason {
        kind: kind.into(),
        detail: "its detail".into(),
        component: Some("ENGINE".into()),
        ..DeadReason::default()
    }
}

fn parking(on: &Fixture) -> QueueName {
    Topology::parking_queue(&on.name("pool")).unwrap()
}

fn of_pool(on: &Fixture) -> DeadFilter {
    DeadFilter {
        owner: Some(on.name("pool")),
        ..DeadFilter::default()
    }
}

fn letters(on: &Fixture) -> DeadLetters {
    DeadLetters::new(Arc::clone(&on.bus))
}

/// Publishes one message and gives it up.
async fn bury(on: &Fixture, queue: &QueueName, body: &[u8], kind: &str) {
    on.publish(vec![on.message("new.a", body)]).await;
    let mut subscription = on.subscribe(queue, 1).await;
    next(&mut subscription)
        .await
        .dead_letter(reason(kind))
        .await
        .unwrap();
}

async fn parked(on: &Fixture) -> DeadLetter {
    on.ready(&parking(on), 1).await;
    let peeked = on.bus.peek(&parking(on), 10).await.unwrap();
    assert_eq!(peeked.len(), 1);
    DeadLetter::parse(&peeked[0].body).unwrap()
}

/// A message that is given up lies in `maas.dead.POOL`, whole and with the reason, and not in its queue.
pub async fn a_dead_message_lies_in_the_parking_queue_of_its_pool(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    bury(&on, &queue, b"{}", "engine failed").await;
    let letter = parked(&on).await;
    assert_eq!(
        (&letter.owner, &letter.reason),
        (&on.name("pool"), &reason("engine failed"))
    );
    match letter.original {
        DeadOriginal::Message {
            exchange,
            routing_key,
            queue: from,
            priority,
            body,
            ..
        } => {
            assert_eq!(
                (exchange.as_str(), routing_key.as_str()),
                (on.exchange().as_str(), "new.a")
            );
            assert_eq!(
                (from.as_str(), priority, body.as_deref()),
                (queue.as_str(), 5, Some("{}"))
            );
        }
        other => panic!("not a message: {other:?}"),
    }
    on.ready(&queue, 0).await;
}

/// Bytes that are no text are in the letter, too.
pub async fn a_dead_message_that_is_no_text_is_kept_whole(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    bury(&on, &queue, &[0xff, 0, 1], "malformed message").await;
    match parked(&on).await.original {
        DeadOriginal::Message {
            body, body_base64, ..
        } => {
            assert_eq!((body, body_base64.as_deref()), (None, Some("/wAB")));
        }
        other => panic!("not a message: {other:?}"),
    }
}

/// The letter tells how many times it was tried.
pub async fn the_tries_of_a_dead_message_are_told(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..1).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    next(&mut subscription)
        .await
        .return_after(Duration::ZERO)
        .await
        .unwrap();
    next(&mut subscription)
        .await
        .dead_letter(reason("too many tries"))
        .await
        .unwrap();
    assert_eq!(parked(&on).await.tries, 2);
}

/// An owner without queues has a parking queue, too.
pub async fn a_parking_queue_of_an_interface_takes_letters(on: Fixture) {
    on.declare("queue", &["new.a"]).await;
    let original = DeadOriginal::Record {
        file: "f".into(),
        place: "line 2".into(),
        raw: "x".into(),
        head: None,
    };
    let letter = DeadLetter::new(&on.name("interface"), reason("record refused"), 1, original);
    on.publish(vec![letter.to_outgoing().unwrap()]).await;
    let found = letters(&on).show(&letter.id).await.unwrap();
    assert_eq!(found, Some(letter.clone()));
    let refused = letters(&on)
        .replay(&DeadFilter::ids([letter.id.clone()]), 1)
        .await
        .unwrap();
    assert_eq!(refused.done, Vec::<String>::new());
    assert_eq!(
        refused.kept.len(),
        1,
        "a record cannot be replayed by the bus"
    );
}

/// A filter chooses by owner and reason; the limit holds.
pub async fn dead_letters_are_listed_and_chosen(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    for kind in ["one", "two", "two"] {
        bury(&on, &queue, b"{}", kind).await;
    }
    on.ready(&parking(&on), 3).await;
    let all = letters(&on).list(&of_pool(&on), 10).await.unwrap();
    assert_eq!(all.len(), 3);
    let two = DeadFilter {
        kind: Some("two".into()),
        ..of_pool(&on)
    };
    assert_eq!(letters(&on).list(&two, 10).await.unwrap().len(), 2);
    assert_eq!(letters(&on).list(&two, 1).await.unwrap().len(), 1);
    assert_eq!(
        letters(&on).show(&all[1].id).await.unwrap().as_ref(),
        Some(&all[1])
    );
}

/// A replayed message comes to its queue as if it came by its first exchange and key.
pub async fn a_replayed_letter_comes_as_it_was_first(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    bury(&on, &queue, &[0xff, 7], "engine failed").await;
    on.ready(&parking(&on), 1).await;
    let replayed = letters(&on).replay(&of_pool(&on), 10).await.unwrap();
    assert_eq!((replayed.done.len(), replayed.kept.len()), (1, 0));
    let again = next(&mut on.subscribe(&queue, 1).await).await;
    assert_eq!(
        (again.body.as_slice(), again.tries),
        ([0xff, 7].as_slice(), 0)
    );
    assert_eq!(
        (&again.exchange, again.routing_key.as_str()),
        (&on.exchange(), "new.a")
    );
    assert_eq!(again.priority, 5);
    on.ready(&parking(&on), 0).await;
}

/// A replayed message that dies again remembers why it died before.
pub async fn a_letter_that_dies_again_keeps_its_history(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    bury(&on, &queue, b"{}", "first").await;
    for kind in ["second", "third"] {
        on.ready(&parking(&on), 1).await;
        letters(&on).replay(&of_pool(&on), 1).await.unwrap();
        let mut subscription = on.subscribe(&queue, 1).await;
        next(&mut subscription)
            .await
            .dead_letter(reason(kind))
            .await
            .unwrap();
    }
    let letter = parked(&on).await;
    let kinds: Vec<_> = letter
        .history
        .iter()
        .map(|end| end.reason.kind.as_str())
        .collect();
    assert_eq!(
        (kinds.as_slice(), letter.reason.kind.as_str()),
        (["first", "second"].as_slice(), "third")
    );
}

/// Discarding removes the chosen letters only.
pub async fn a_discarded_letter_is_gone_and_the_others_stay(on: Fixture) {
    let queue = on.declare("queue", &["new.a"]).await;
    for kind in ["one", "two", "three"] {
        bury(&on, &queue, b"{}", kind).await;
    }
    on.ready(&parking(&on), 3).await;
    let two = DeadFilter {
        kind: Some("two".into()),
        ..of_pool(&on)
    };
    assert_eq!(letters(&on).discard(&two, 10).await.unwrap().done.len(), 1);
    on.ready(&parking(&on), 2).await;
    let left = letters(&on).list(&of_pool(&on), 10).await.unwrap();
    let kinds: Vec<_> = left
        .iter()
        .map(|letter| letter.reason.kind.as_str())
        .collect();
    assert_eq!(kinds, ["one", "three"]);
    on.publish(vec![on.message("new.a", "after")]).await;
    assert_eq!(take(&mut on.subscribe(&queue, 1).await).await, "after");
}
