//! Messages that come again while they are in hand, as only a broker sends them.

use std::time::Duration;

use maas_model::message::{QueueName, Subscription};
use maas_model::testing::bus::{Fixture, eventually, next};
use maas_tests::server::{RabbitMq, RabbitMqOptions};

use super::bus::alone;

/// Long enough to be sure that nothing comes.
const SILENCE: Duration = Duration::from_secs(1);

async fn comes_nothing(subscription: &mut Box<dyn Subscription>) {
    let came = tokio::time::timeout(SILENCE, subscription.next()).await;
    assert!(came.is_err(), "{came:?}");
}

/// All messages, those in hand too.
async fn there_are(server: &RabbitMq, queue: &QueueName, count: usize) {
    let line = format!("{queue}\t{count}");
    eventually("all is settled", async || {
        let listed = server.control(&["list_queues", "name", "messages"]).await;
        listed.unwrap().lines().any(|listed| listed == line)
    })
    .await;
}

async fn connected_again(on: &Fixture, queue: &QueueName) {
    eventually("consuming again", async || {
        let infos = on.bus.queues(queue.as_str()).await;
        infos.is_ok_and(|infos| infos.first().is_some_and(|info| info.consumers == 1))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_outlives_its_connection_is_done_once() {
    let (server, on) = alone(RabbitMqOptions::default()).await;
    let queue = on.declare("queue", &["new.a"]).await;
    let mut subscription = on.subscribe(&queue, 3).await;
    on.publish_numbers("new.a", 0..3).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(next(&mut subscription).await);
    }
    server
        .control(&["close_all_connections", "test"])
        .await
        .unwrap();
    connected_again(&on, &queue).await;
    comes_nothing(&mut subscription).await;
    held.pop().unwrap().ack().await.unwrap();
    there_are(&server, &queue, 2).await;
    held.pop()
        .unwrap()
        .return_after(Duration::ZERO)
        .await
        .unwrap();
    let returned = next(&mut subscription).await;
    assert_eq!((returned.tries, returned.body.as_slice()), (1, &b"1"[..]));
    // What is dropped was not done, and comes again.
    drop(held);
    let dropped = next(&mut subscription).await;
    assert_eq!(dropped.body, b"0");
    dropped.ack().await.unwrap();
    returned.ack().await.unwrap();
    there_are(&server, &queue, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_ended_while_the_broker_was_away_is_not_done_again() {
    let (mut server, on) = alone(RabbitMqOptions::default()).await;
    let queue = on.declare("queue", &["new.a"]).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    on.publish_numbers("new.a", 0..2).await;
    let first = next(&mut subscription).await;
    server.kill().unwrap();
    eventually("the bus is away", async || on.bus.status().await.is_err()).await;
    first.ack().await.unwrap();
    server.restart().await.unwrap();
    let second = next(&mut subscription).await;
    assert_eq!(second.body, b"1");
    second.ack().await.unwrap();
    there_are(&server, &queue, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_longer_than_the_consumer_timeout_is_done_once() {
    let options = RabbitMqOptions::default().setting("consumer_timeout", "1000");
    let server = RabbitMq::start_with(options).await.unwrap();
    // By default the broker looks once a minute.
    let look_often = "application:set_env(rabbit, channel_tick_interval, 500).";
    server.control(&["eval", look_often]).await.unwrap();
    let on = Fixture::new(super::bus::connect(&server.url()), ());
    let queue = on.declare("queue", &["new.a"]).await;
    let mut subscription = on.subscribe(&queue, 2).await;
    on.publish_numbers("new.a", 0..1).await;
    let long = next(&mut subscription).await;
    eventually("the broker took it back three times", async || {
        timeouts(&server).await >= 3
    })
    .await;
    // Its neighbours are worked on meanwhile.
    on.publish_numbers("new.a", 1..2).await;
    let neighbour = next(&mut subscription).await;
    assert_eq!(neighbour.body, b"1");
    neighbour.ack().await.unwrap();
    connected_again(&on, &queue).await;
    long.ack().await.unwrap();
    there_are(&server, &queue, 0).await;
    comes_nothing(&mut subscription).await;
}

async fn timeouts(server: &RabbitMq) -> usize {
    let log = server.log();
    log.matches("delivery acknowledgement on channel").count() / 2
}
