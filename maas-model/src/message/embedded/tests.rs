//! The contract, and what only a file can promise.

use std::sync::Arc;
use std::time::Duration;

use super::EmbeddedBus;
use crate::document::zulu;
use crate::message::{BusError, MessageBus};
use crate::testing::bus::{Fixture, eventually, next};

fn fixture_in(folder: &std::path::Path) -> Fixture {
    Fixture::new(Arc::new(EmbeddedBus::open(folder).unwrap()), ())
}

crate::bus_contract!(async {
    let folder = tempfile::tempdir().unwrap();
    Fixture::new(Arc::new(EmbeddedBus::open(folder.path()).unwrap()), folder)
});

/// A folder with a bus that was opened and closed.
async fn used_once() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let bus = EmbeddedBus::open(folder.path()).unwrap();
    bus.close().await.unwrap();
    folder
}

#[tokio::test]
async fn messages_and_delays_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let on = fixture_in(folder.path());
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..2).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    next(&mut subscription)
        .await
        .return_after(Duration::from_millis(300))
        .await
        .unwrap();
    drop(subscription);
    on.bus.close().await.unwrap();

    let bus = EmbeddedBus::open(folder.path()).unwrap();
    let info = bus.queues(queue.as_str()).await.unwrap().remove(0);
    assert_eq!(info.ready + info.delayed, 2);
    let mut subscription = bus.subscribe(&queue, 2).await.unwrap();
    let came = [next(&mut subscription).await, next(&mut subscription).await];
    assert_eq!(
        (came[0].body.as_slice(), came[0].tries),
        (b"1".as_slice(), 0)
    );
    assert_eq!(
        (came[1].body.as_slice(), came[1].tries),
        (b"0".as_slice(), 1)
    );
}

#[tokio::test]
async fn the_age_of_a_queue_is_that_of_its_first_message_also_in_hand_or_delayed() {
    let folder = tempfile::tempdir().unwrap();
    let on = fixture_in(folder.path());
    let queue = on.declare("queue", &["new.a"]).await;
    let dates = [14, 15].map(|hour| format!("2026-11-20T{hour}:00:00.000Z"));
    let body = |date: &String| format!(r#"{{"document_ids": [], "date": "{date}"}}"#);
    let messages = dates.iter().map(|date| on.message("new.a", body(date)));
    on.publish(messages.collect()).await;
    let oldest = async || on.info(&queue).await.oldest.map(zulu);
    assert_eq!(oldest().await.as_ref(), Some(&dates[0]));
    let mut subscription = on.subscribe(&queue, 1).await;
    let delivery = next(&mut subscription).await;
    assert_eq!(oldest().await.as_ref(), Some(&dates[0]));
    let hour = Duration::from_secs(3_600);
    delivery.return_after(hour).await.unwrap();
    let delivery = next(&mut subscription).await;
    assert_eq!(oldest().await.as_ref(), Some(&dates[0]));
    delivery.ack().await.unwrap();
}

/// A newer version may keep what this one would not find, or would do wrong.
#[tokio::test]
async fn a_file_of_another_format_is_refused_and_left_as_it_is() {
    let folder = used_once().await;
    let file = rusqlite::Connection::open(folder.path().join("bus.sqlite")).unwrap();
    file.execute_batch("UPDATE meta SET value = 2 WHERE name = 'format'; DROP TABLE binding;")
        .unwrap();
    let Err(BusError::Damaged { place, reason }) = EmbeddedBus::open(folder.path()) else {
        panic!("it was opened");
    };
    assert!(place.ends_with("bus.sqlite"), "{place}");
    assert!(
        reason.contains("format 2") && reason.contains("knows 1"),
        "{reason}"
    );
    assert!(!file.table_exists(None, "binding").unwrap());
}

/// A message that was delayed before the clock was set back an hour: its delay would end in an hour.
#[tokio::test]
async fn a_clock_that_is_set_back_holds_no_message() {
    let folder = tempfile::tempdir().unwrap();
    let on = fixture_in(folder.path());
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..1).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    let delivery = next(&mut subscription).await;
    delivery
        .return_after(Duration::from_secs(600))
        .await
        .unwrap();
    let file = rusqlite::Connection::open(folder.path().join("bus.sqlite")).unwrap();
    let back = "UPDATE message SET since = since + 3600000, due = due + 3600000 WHERE state = 2";
    assert_eq!(file.execute(back, []).unwrap(), 1);
    // Without a word of another process, too, which the writer would hear.
    let left = super::message::next_delay(&file).unwrap();
    assert_eq!(left, Some(Duration::ZERO));
    assert_eq!(next(&mut subscription).await.body, b"0");
}

#[tokio::test]
async fn a_second_process_sees_and_publishes() {
    let folder = tempfile::tempdir().unwrap();
    let (on, beside) = (
        fixture_in(folder.path()),
        EmbeddedBus::open(folder.path()).unwrap(),
    );
    let queue = on.declare("queue", &["new.a"]).await;
    let mut subscription = on.subscribe(&queue, 2).await;

    beside
        .publish(vec![on.message("new.a", "1")])
        .await
        .unwrap();
    let held = next(&mut subscription).await;
    let info = beside.queues(queue.as_str()).await.unwrap().remove(0);
    assert_eq!(
        (info.ready, info.unsettled, info.consumers),
        (0, Some(1), 1)
    );
    held.ack().await.unwrap();
    // An acknowledgement does not wait for the disk, so the other sees it a moment later.
    eventually("the other sees it settled", async || {
        let info = beside.queues(queue.as_str()).await.unwrap().remove(0);
        (info.ready, info.unsettled) == (0, Some(0))
    })
    .await;
}

#[tokio::test]
async fn closing_writes_the_acknowledgements() {
    let folder = tempfile::tempdir().unwrap();
    let on = fixture_in(folder.path());
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..100).await;
    let mut subscription = on.subscribe(&queue, 16).await;
    for _ in 0..99 {
        next(&mut subscription).await.ack().await.unwrap();
    }
    on.bus.close().await.unwrap();

    let bus = EmbeddedBus::open(folder.path()).unwrap();
    let info = bus.queues(queue.as_str()).await.unwrap().remove(0);
    assert_eq!((info.ready, info.unsettled), (1, Some(0)));
    let left = bus.peek(&queue, 2).await.unwrap();
    assert_eq!(left[0].body, b"99");
}

/// The end of a process is the end of its lock file's lock; dropping a copy of the folder's state is how
/// one process can play it: the second bus opens a copy of the files while the first still holds a lease.
#[tokio::test]
async fn what_a_dead_process_held_is_delivered_again() {
    let folder = tempfile::tempdir().unwrap();
    let on = fixture_in(folder.path());
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..1).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    let held = next(&mut subscription).await;

    let after = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), after.path().join(entry.file_name())).unwrap();
    }
    let bus = EmbeddedBus::open(after.path()).unwrap();
    let mut subscription_after = bus.subscribe(&queue, 1).await.unwrap();
    let again = next(&mut subscription_after).await;
    assert_eq!((again.redelivered, again.tries), (true, 0));
    assert_eq!(again.abandoned, 1);
    assert_eq!(bus.queues(queue.as_str()).await.unwrap()[0].consumers, 1);
    held.ack().await.unwrap();
}

#[tokio::test]
async fn a_living_process_keeps_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let on = fixture_in(folder.path());
    let queue = on.declare("queue", &["new.a"]).await;
    on.publish_numbers("new.a", 0..1).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    let held = next(&mut subscription).await;
    let beside = EmbeddedBus::open(folder.path()).unwrap();
    assert_eq!(
        beside.queues(queue.as_str()).await.unwrap()[0].unsettled,
        Some(1)
    );
    held.ack().await.unwrap();
}

#[tokio::test]
async fn a_message_with_high_priority_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let on = fixture_in(folder.path());
    let queue = on.declare("queue", &["new.a"]).await;
    let mut urgent = on.message("new.a", "urgent");
    urgent.priority = 9;
    on.publish(vec![on.message("new.a", "1"), urgent]).await;
    let mut subscription = on.subscribe(&queue, 1).await;
    assert_eq!(next(&mut subscription).await.body, b"urgent");
}

#[tokio::test]
async fn a_file_that_is_no_bus_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bus.sqlite"), [b'x'; 4_096]).unwrap();
    assert!(matches!(
        EmbeddedBus::open(folder.path()),
        Err(BusError::Damaged { .. })
    ));
}

#[tokio::test]
async fn an_ended_bus_leaves_no_lock_file() {
    let folder = used_once().await;
    eventually("no lock file", async || {
        let names = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        !names
            .into_iter()
            .any(|name| name.to_string_lossy().ends_with(".lock"))
    })
    .await;
}
