//! Messages of somebody who means ill, or does not know better, on a real queue.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions};
use lapin::types::{AMQPValue, FieldArray, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use maas_tests::server::RabbitMqOptions;

use super::look::one_each;
use super::world::{QUEUES, World};
use crate::goal::{Goal, Setting};
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "broker-bodies",
    alone: false,
    promise: "hostile messages are dead letters with a reason; the process goes on, and so do their neighbours",
    run: |setting| Box::pin(run(setting)),
};

async fn run(setting: Setting) -> Result<Report> {
    let mut world = World::new(setting, RabbitMqOptions::default(), 6).await?;
    let mut run = world.start(&[])?;
    one_each(&world.server, &QUEUES, Duration::from_secs(60)).await?;
    let connection =
        Connection::connect(&world.server.url(), ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    channel
        .confirm_select(ConfirmSelectOptions::default())
        .await?;
    let bind = channel.queue_bind(
        "copy".into(),
        "etl-exchange".into(),
        STRAY.into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    bind.await?;
    let rounds = setting.pick(1, 20);
    let mut expected = BTreeMap::new();
    for round in 0..rounds {
        for hostile in hostile(setting.pick(2_000_000, 20_000_000)) {
            if round % 2 == 0 {
                world.feed(1)?;
            }
            hostile.publish(&channel).await?;
            *expected.entry(hostile.dead).or_insert(0) += 1;
        }
    }
    let harmless = expected.remove("").unwrap_or_default();
    world.feed(usize::MAX)?;
    ensure!(run.ended()?.is_none(), "it ended:\n{}", run.said());
    run.terminate()?;
    run.finish(Duration::from_secs(30)).await?;
    world.chain.finish().await?;
    let state = world.judge_documents().await?;
    let kinds: std::collections::BTreeSet<&str> = state
        .dead
        .iter()
        .map(|(_, kind, _)| kind.as_str())
        .collect();
    for kind in expected.keys() {
        ensure!(
            kinds.contains(kind),
            "no `{kind}` among the dead letters: {kinds:?}"
        );
    }
    let distinct = hostile(1)
        .iter()
        .filter(|hostile| !hostile.dead.is_empty())
        .count();
    ensure!(
        state.dead.len() == distinct,
        "{} dead letters, not {distinct}",
        state.dead.len()
    );
    let mut report = Report::default();
    report.figure(
        "hostile messages, all dead letters",
        expected.values().sum::<usize>(),
    );
    report.figure("odd messages, taken as they are meant", harmless);
    report.figure("documents, all as without them", state.count());
    Ok(report)
}

/// A message, and the kind of dead letter that must come of it; none for one that is only odd.
struct Hostile {
    exchange: &'static str,
    key: &'static str,
    body: Vec<u8>,
    properties: BasicProperties,
    dead: &'static str,
}

/// Bound by somebody else's hand.
const STRAY: &str = "stray";

const MALFORMED: &str = "malformed message";

impl Hostile {
    fn body(body: impl Into<Vec<u8>>) -> Self {
        Self {
            exchange: "collect-exchange",
            key: "new.raw.data.reading",
            body: body.into(),
            properties: BasicProperties::default(),
            dead: MALFORMED,
        }
    }

    /// A body that is fine and names nothing, so that nothing comes of it.
    fn harmless(properties: BasicProperties) -> Self {
        Self {
            properties,
            dead: "",
            ..Self::body(r#"{"document_ids": [], "document_class": "Reading"}"#)
        }
    }

    async fn publish(&self, channel: &Channel) -> Result<()> {
        let confirm = channel
            .basic_publish(
                self.exchange.into(),
                self.key.into(),
                BasicPublishOptions::default(),
                &self.body,
                self.properties.clone(),
            )
            .await?;
        ensure!(confirm.await?.is_ack(), "the broker did not take it");
        Ok(())
    }
}

/// Each another one. `bytes`: how large the large one is.
fn hostile(bytes: usize) -> Vec<Hostile> {
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    let unfinished = format!(r#"{{"document_ids": ["{}"#, "x".repeat(bytes));
    let mut all = vec![
        Hostile::body(""),
        Hostile::body("null"),
        Hostile::body("no JSON at all"),
        Hostile::body(deep),
        Hostile::body(unfinished),
        Hostile::body(b"\xff\xfe\x00{\"document_ids\": []}".to_vec()),
        Hostile::body(r#"{"document_ids": {"a": 1}}"#),
        Hostile::body(r#"{"document_ids": [1, null]}"#),
        Hostile::body(r#"{"what_is_this": true}"#),
        Hostile::body(vec![0; 1_000]),
        Hostile {
            exchange: "etl-exchange",
            key: STRAY,
            dead: "unknown routing key",
            ..Hostile::body(r#"{"document_ids": []}"#)
        },
        Hostile {
            dead: "engine failed",
            ..Hostile::body(r#"{"document_ids": ["x"], "document_class": "Nobody"}"#)
        },
    ];
    let odd = [
        BasicProperties::default(),
        BasicProperties::default()
            .with_content_type("image/png".into())
            .with_content_encoding("gzip".into())
            .with_priority(255)
            .with_timestamp(u64::MAX)
            .with_message_id("x".repeat(255).into()),
        BasicProperties::default().with_headers(odd_headers()),
    ];
    all.extend(odd.map(Hostile::harmless));
    all
}

/// Our own headers and the broker's, with values that nobody of us writes.
fn odd_headers() -> FieldTable {
    let mut nested = FieldTable::default();
    nested.insert("x-maas-tries".into(), AMQPValue::Void);
    let values = [
        ("x-maas-tries", AMQPValue::LongString("-1".into())),
        ("x-maas-history", AMQPValue::LongString("{[".into())),
        ("x-maas-exchange", AMQPValue::FieldTable(nested.clone())),
        ("x-maas-alone", AMQPValue::Boolean(false)),
        ("x-delivery-count", AMQPValue::Double(-1.5)),
        (
            "x-death",
            AMQPValue::FieldArray(FieldArray::from(vec![AMQPValue::FieldTable(nested)])),
        ),
        ("x-maas-bytes", AMQPValue::ByteArray(vec![0xff; 10].into())),
        (
            "x-maas-text",
            AMQPValue::LongString(vec![0xff_u8; 10].into()),
        ),
    ];
    let mut headers = FieldTable::default();
    for (name, value) in values {
        headers.insert(name.into(), value);
    }
    headers
}
