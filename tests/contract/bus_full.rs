//! What a broker does not take: messages for a full queue, and letters larger than it allows.

use std::sync::Arc;

use lapin::options::{QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Connection, ConnectionProperties};
use maas_model::message::{
    DeadFilter, DeadLetters, DeadOriginal, DeadReason, Published, QueueName,
};
use maas_model::testing::bus::{Fixture, eventually, next};
use maas_tests::server::{RabbitMqOptions, shared_rabbitmq};

use super::bus::{alone, connect, take_all};

/// A queue with room for five messages, whose publishers are told when it is full.
async fn short_queue(on: &Fixture, key: &str) -> QueueName {
    let url = shared_rabbitmq().await.url();
    let connection = Connection::connect(&url, ConnectionProperties::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    let queue = on.queue("short");
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(5));
    let overflow = AMQPValue::LongString("reject-publish".into());
    arguments.insert("x-overflow".into(), overflow);
    channel
        .queue_declare(
            queue.as_str().into(),
            QueueDeclareOptions::durable(),
            arguments,
        )
        .await
        .unwrap();
    channel
        .queue_bind(
            queue.as_str().into(),
            on.exchange().as_str().into(),
            key.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
        .unwrap();
    queue
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_full_queue_refuses_is_published_when_it_has_room_and_others_do_not_wait() {
    let on = Fixture::new(connect(&shared_rabbitmq().await.url()), ());
    let queue = on.declare("queue", &["new.a"]).await;
    let short = short_queue(&on, "new.b").await;
    let messages = (0..20).map(|number| on.message("new.b", number.to_string()));
    let messages: Vec<_> = messages.collect();
    let bus = Arc::clone(&on.bus);
    let refused = tokio::spawn(async move { bus.publish(messages).await });
    eventually("it is full", async || on.info(&short).await.ready >= 5).await;
    on.publish_numbers("new.a", 0..200).await;
    on.ready(&queue, 200).await;
    assert!(!refused.is_finished());
    let mut subscription = on.subscribe(&short, 1).await;
    take_all(&mut subscription, 20).await;
    let outcomes = refused.await.unwrap().unwrap();
    assert_eq!(outcomes, vec![Published::Routed; 20]);
    on.ready(&short, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_too_large_for_a_letter_is_a_dead_letter_all_the_same() {
    let options = RabbitMqOptions::default().setting("max_message_size", "1000000");
    let (_server, on) = alone(options).await;
    let queue = on.declare("queue", &["new.a"]).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    // Each of its bytes would be six in a letter.
    let body = vec![1; 900_000];
    on.publish(vec![on.message("new.a", body.clone())]).await;
    let reason = DeadReason {
        kind: "malformed message".into(),
        detail: "control characters".into(),
        ..DeadReason::default()
    };
    let delivery = next(&mut subscription).await;
    delivery.dead_letter(reason.clone()).await.unwrap();
    let dead = DeadLetters::new(Arc::clone(&on.bus));
    let filter = DeadFilter {
        owner: Some(on.name("pool")),
        ..DeadFilter::default()
    };
    let letter = dead.list(&filter, 2).await.unwrap().remove(0);
    assert_eq!(letter.reason, reason);
    let DeadOriginal::Message {
        queue: from,
        routing_key,
        body: kept,
        ..
    } = &letter.original
    else {
        panic!("{letter:?}");
    };
    assert_eq!(
        (from.as_str(), routing_key.as_str()),
        (queue.as_str(), "new.a")
    );
    assert!(kept.as_ref().is_some_and(|text| text.as_bytes() == body));
    on.ready(&queue, 0).await;
    dead.replay(&filter, 1).await.unwrap();
    let again = next(&mut subscription).await;
    assert!(again.body == body);
    assert!(!again.headers.keys().any(|name| name.contains("death")));
}
