//! The bus contract on a real RabbitMQ, and what only a broker can do to a bus.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use maas_model::message::{
    BusError, BusOptions, DeadFilter, DeadLetters, MessageBus, Published, QueueKind, Subscription,
    Topology, open,
};
use maas_model::testing::bus::{Fixture, eventually, next};
use maas_tests::server::{RabbitMq, RabbitMqOptions, shared_rabbitmq};

pub(super) fn connect(url: &str) -> Arc<dyn MessageBus> {
    open(
        &url.parse().unwrap(),
        Path::new("unused"),
        &BusOptions::default(),
    )
    .unwrap()
}

maas_model::bus_contract!(async { Fixture::new(connect(&shared_rabbitmq().await.url()), ()) });

/// A fixture on a node of its own, to be hurt.
pub(super) async fn alone(options: RabbitMqOptions) -> (RabbitMq, Fixture) {
    let server = RabbitMq::start_with(options).await.unwrap();
    let fixture = Fixture::new(connect(&server.url()), ());
    (server, fixture)
}

/// Takes until all numbers below `count` came, each at least once.
pub(super) async fn take_all(subscription: &mut Box<dyn Subscription>, count: usize) {
    let mut open: BTreeSet<String> = (0..count).map(|number| number.to_string()).collect();
    while !open.is_empty() {
        let delivery = next(subscription).await;
        open.remove(std::str::from_utf8(&delivery.body).unwrap());
        delivery.ack().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_the_broker_is_killed_while_publishing_and_consuming() {
    let (mut server, on) = alone(RabbitMqOptions::default()).await;
    let queue = on.declare("queue", &["new.a"]).await;
    let mut subscription = on.subscribe(&queue, 100).await;
    let publish = async {
        for start in (0..2_000).step_by(100) {
            on.publish_numbers("new.a", start..start + 100).await;
        }
    };
    let restart = async {
        eventually("half of it is through", async || {
            on.bus.queues(queue.as_str()).await.is_ok()
        })
        .await;
        server.restart().await.unwrap();
    };
    tokio::join!(publish, restart, take_all(&mut subscription, 2_000));
    on.ready(&queue, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_go_on_after_all_connections_were_closed() {
    let (server, on) = alone(RabbitMqOptions::default()).await;
    let queue = on.declare("queue", &["new.a"]).await;
    let mut subscription = on.subscribe(&queue, 10).await;
    on.publish_numbers("new.a", 0..5).await;
    let held = next(&mut subscription).await;
    server
        .control(&["close_all_connections", "test"])
        .await
        .unwrap();
    // Settling what the lost connection delivered is no error. It comes again, unless it came already and was
    // settled with that.
    eventually("connected again", async || {
        on.bus.status().await.is_ok_and(|status| status.healthy)
    })
    .await;
    held.dead_letter(maas_model::message::DeadReason {
        kind: "engine failed".into(),
        detail: String::new(),
        component: None,
        ..maas_model::message::DeadReason::default()
    })
    .await
    .unwrap();
    let parking = Topology::parking_queue(&on.name("pool")).unwrap();
    let dead = on.bus.peek(&parking, 10).await.unwrap().len();
    on.publish_numbers("new.a", 0..dead).await;
    on.publish_numbers("new.a", 5..10).await;
    take_all(&mut subscription, 10).await;
    eventually("one consumer", async || {
        on.info(&queue).await.consumers == 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_deleted_under_its_consumer_is_made_again() {
    let (server, on) = alone(RabbitMqOptions::default()).await;
    let queue = on.declare("queue", &["new.a"]).await;
    let mut subscription = on.subscribe(&queue, 10).await;
    server
        .control(&["delete_queue", queue.as_str()])
        .await
        .unwrap();
    eventually("the queue is back", async || {
        let outcome = on
            .bus
            .publish(vec![on.message("new.a", "0")])
            .await
            .unwrap();
        outcome == [Published::Routed]
    })
    .await;
    take_all(&mut subscription, 1).await;
}

/// As after a node was killed just when it had made the queue: each attempt to receive ends the connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_the_broker_cannot_start_leaves_the_others_in_peace() {
    let (server, on) = alone(RabbitMqOptions::default()).await;
    let (well, broken) = (
        on.declare("well", &["new.a"]).await,
        on.declare("broken", &["new.b"]).await,
    );
    let mut subscriptions = (
        on.subscribe(&well, 10).await,
        on.subscribe(&broken, 10).await,
    );
    let gone = format!("ra:force_delete_server(quorum_queues, {{'%2F_{broken}', node()}}).");
    server.control(&["eval", &gone]).await.unwrap();
    let close = server.control(&["close_all_connections", "test"]).await;
    close.unwrap();
    // Longer than the shortest pause between two attempts, several times over.
    let peace = Duration::from_secs(4);
    let mut since = tokio::time::Instant::now();
    eventually(
        "its neighbour is received from without a break",
        async || {
            let infos = on.bus.queues(well.as_str()).await;
            if infos.map_or(0, |infos| infos[0].consumers) != 1 {
                since = tokio::time::Instant::now();
            }
            since.elapsed() > peace && server.log().matches("Non-AMQP exit reason").count() > 2
        },
    )
    .await;
    on.publish_numbers("new.a", 0..5).await;
    take_all(&mut subscriptions.0, 5).await;
    // What the operator does about it.
    let delete = server.control(&["delete_queue", broken.as_str()]).await;
    delete.unwrap();
    eventually("the queue is made again", async || {
        let message = on.message("new.b", "0");
        on.bus.publish(vec![message]).await.unwrap() == [Published::Routed]
    })
    .await;
    take_all(&mut subscriptions.1, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_comes_late_is_waited_for() {
    let (mut server, on) = alone(RabbitMqOptions::default()).await;
    server.kill().unwrap();
    let (queue, ()) = tokio::join!(on.declare("queue", &["new.a"]), async {
        server.restart().await.unwrap();
    });
    on.publish_numbers("new.a", 0..1).await;
    take_all(&mut on.subscribe(&queue, 1).await, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn classic_queues_heed_priorities() {
    let on = Fixture::new(connect(&shared_rabbitmq().await.url()), ());
    on.bus
        .declare(&on.topology("queue", &["new.a"], QueueKind::Classic))
        .await
        .unwrap();
    let queue = on.queue("queue");
    for (priority, body) in [(1, "low"), (9, "high"), (5, "middle")] {
        let mut message = on.message("new.a", body);
        message.priority = priority;
        on.publish(vec![message]).await;
    }
    on.ready(&queue, 3).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    for expected in ["high", "middle", "low"] {
        let delivery = next(&mut subscription).await;
        assert_eq!(delivery.body, expected.as_bytes());
        delivery.ack().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_larger_than_the_broker_takes_is_refused_and_its_neighbours_are_not() {
    let options = RabbitMqOptions::default().setting("max_message_size", "1000000");
    let (_server, on) = alone(options).await;
    let queue = on.declare("queue", &["new.a"]).await;
    let mut messages: Vec<_> = (0..20)
        .map(|number| on.message("new.a", number.to_string()))
        .collect();
    messages.insert(10, on.message("new.a", vec![b'x'; 1_500_000]));
    let outcomes = on.bus.publish(messages).await.unwrap();
    for (number, outcome) in outcomes.iter().enumerate() {
        let refused = matches!(outcome, Published::Refused(reason) if reason.contains("1000000"));
        assert_eq!(refused, number == 10, "message {number}: {outcome:?}");
    }
    take_all(&mut on.subscribe(&queue, 10).await, 20).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn consuming_goes_on_while_the_broker_blocks_publishing() {
    let (server, on) = alone(RabbitMqOptions::default()).await;
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..20).await;
    server
        .control(&["set_vm_memory_high_watermark", "0"])
        .await
        .unwrap();
    let publish = on.publish_numbers("new.a", 20..21);
    let consume = async {
        let mut subscription = on.subscribe(&queue, 5).await;
        take_all(&mut subscription, 20).await;
        eventually("blocked is told", async || {
            let status = on.bus.status().await.unwrap();
            !status.healthy && status.detail.contains("blocked")
        })
        .await;
        server
            .control(&["set_vm_memory_high_watermark", "0.4"])
            .await
            .unwrap();
        subscription
    };
    let ((), mut subscription) = tokio::join!(publish, consume);
    assert_eq!(next(&mut subscription).await.body, b"20");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_gives_up_by_itself_is_a_dead_letter() {
    let on = Fixture::new(connect(&shared_rabbitmq().await.url()), ());
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish(vec![on.message("new.a", "again")]).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    let parking = maas_model::message::Topology::parking_queue(&on.name("pool")).unwrap();
    while on.info(&parking).await.ready == 0 {
        let next = tokio::time::timeout(Duration::from_millis(500), subscription.next());
        drop(next.await);
    }
    let filter = DeadFilter {
        owner: Some(on.name("pool")),
        ..DeadFilter::default()
    };
    let dead = DeadLetters::new(Arc::clone(&on.bus));
    let letter = dead.list(&filter, 1).await.unwrap().remove(0);
    assert_eq!(letter.reason.kind, "too many tries");
    assert!(
        letter.reason.detail.contains("delivery_limit"),
        "{}",
        letter.reason.detail
    );
    dead.replay(&filter, 1).await.unwrap();
    let again = next(&mut subscription).await;
    assert_eq!(
        (again.body.as_slice(), again.tries),
        (b"again".as_slice(), 0)
    );
    assert_eq!(
        (again.exchange, again.routing_key.as_str()),
        (on.exchange(), "new.a")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_credentials_are_told_without_repeating_them() {
    let url = shared_rabbitmq()
        .await
        .url()
        .replace("guest:guest", "guest:s3cret");
    let bus = connect(&url);
    let error = bus.status().await.unwrap_err();
    assert!(matches!(error, BusError::Denied { .. }), "{error:?}");
    assert!(!format!("{error:?} {error} {bus:?}").contains("s3cret"));
}

/// Another process sees what waits for its delay, and learns names without making anything.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_delayed_is_seen_by_who_knows_the_names() {
    let (server, on) = alone(RabbitMqOptions::default()).await;
    let looking = connect(&server.url());
    looking.know(&on.topology("queue", &["new.a"], QueueKind::Quorum));
    assert_eq!(looking.queues("*").await.unwrap(), []);

    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..1).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    let delivery = next(&mut subscription).await;
    delivery
        .return_after(Duration::from_secs(3_600))
        .await
        .unwrap();
    eventually("the delayed message is seen", async || {
        let delays = looking.queues("maas.delay.*").await.unwrap();
        let ready: Vec<u64> = delays.iter().map(|queue| queue.ready).collect();
        delays.len() == 6 && ready.iter().sum::<u64>() == 1
    })
    .await;
    let found = looking.queues(queue.as_str()).await.unwrap();
    assert_eq!((found[0].ready, found[0].delayed), (0, 0));
    let letters = DeadLetters::new(looking);
    assert_eq!(letters.list(&DeadFilter::default(), 1).await.unwrap(), []);
}
