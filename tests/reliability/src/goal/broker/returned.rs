//! Messages that no queue takes: told exactly, kept, delivered when the binding is back.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use lapin::options::QueueBindOptions;
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties};
use maas_model::message::{
    Binding, BusOptions, ExchangeName, KeyPattern, Outgoing, Published, QueueKind, QueueName,
    QueueSpec, RoutingKey, Topology,
};
use maas_tests::random::Random;
use maas_tests::server::RabbitMqOptions;
use tokio::time::sleep;

use super::look::one_each;
use super::world::{QUEUES, World};
use crate::goal::{Goal, Setting};
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "broker-returned",
    alone: false,
    promise: "unroutable messages are told exactly, kept, and delivered when the binding is back; one that is too \
              large is refused with the broker's reason, its neighbours are not",
    run: |setting| Box::pin(run(setting)),
};

/// Messages in flight at once.
const MESSAGES: usize = 5_000;
const MOST_BYTES: usize = 100_000;
const EXCHANGE: &str = "returned-exchange";

/// Bindings that are taken away together, and what they carry. Those of one publisher after those of the other: a
/// pool has nothing to publish while nothing reaches it.
const OUTAGES: [&[(&str, &str, &str)]; 2] = [
    &[
        ("derive", "etl-exchange", "new.copy"),
        ("derive", "etl-exchange", "update.copy"),
    ],
    &[("copy", "collect-exchange", "new.raw.data.reading")],
];

async fn run(setting: Setting) -> Result<Report> {
    let most = MOST_BYTES.to_string();
    let options = RabbitMqOptions::default().setting("max_message_size", &most);
    let mut world = World::new(setting, options, 12).await?;
    let rounds = setting.pick(2, 50);
    let refused = outcomes(&world.server.url(), setting, rounds).await?;
    // With an ear nothing would be unroutable.
    let deaf = "outside: { consumed: [new.site, update.site, delete.site] }";
    std::fs::write(world.chain.pipeline.join("audit.yaml"), deaf)?;
    let mut run = world.start(&[])?;
    one_each(&world.server, &QUEUES, Duration::from_secs(60)).await?;
    let connection =
        Connection::connect(&world.server.url(), ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    world.feed(3)?;
    for (bindings, told) in OUTAGES.into_iter().zip(["no queue took", "that is gone"]) {
        for (queue, exchange, key) in bindings {
            unbind(&channel, queue, exchange, key).await?;
        }
        world.feed(3)?;
        sleep(Duration::from_secs(setting.pick(4, 30))).await;
        let said = run.said();
        ensure!(said.contains(told), "nobody says what is missing:\n{said}");
        for (queue, exchange, key) in bindings {
            bind(&channel, queue, exchange, key).await?;
        }
    }
    world.feed(3)?;
    run.terminate()?;
    run.finish(Duration::from_secs(30)).await?;
    world.chain.finish().await?;
    let state = world.judge_documents().await?;
    ensure!(state.dead.is_empty(), "dead letters: {:?}", state.dead);
    let mut report = Report::default();
    report.figure(
        "messages in flight, each tenth unroutable",
        MESSAGES * rounds,
    );
    report.figure("misattributed", 0);
    report.figure("too large and refused", refused);
    report.figure("documents, all as without faults", state.count());
    Ok(report)
}

async fn bind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<()> {
    let options = QueueBindOptions::default();
    let (queue, exchange, key) = (queue.into(), exchange.into(), key.into());
    Ok(channel
        .queue_bind(queue, exchange, key, options, FieldTable::default())
        .await?)
}

async fn unbind(channel: &Channel, queue: &str, exchange: &str, key: &str) -> Result<()> {
    let (queue, exchange, key) = (queue.into(), exchange.into(), key.into());
    Ok(channel
        .queue_unbind(queue, exchange, key, FieldTable::default())
        .await?)
}

/// Publishes many at once, every tenth with a key that nobody takes and one that is too large at a place of
/// the seed; each must be told its own outcome. Tells how many were refused.
async fn outcomes(url: &str, setting: Setting, rounds: usize) -> Result<usize> {
    let bus =
        maas_model::message::open(&url.parse()?, Path::new("unused"), &BusOptions::default())?;
    bus.declare(&topology()?).await?;
    let mut random = Random::new(setting.seed);
    for round in 0..rounds {
        let large = random.next() as usize % MESSAGES;
        let messages = (0..MESSAGES).map(|number| message(number, number == large));
        let outcomes = bus.publish(messages.collect::<Result<_>>()?).await?;
        ensure!(outcomes.len() == MESSAGES, "{} outcomes", outcomes.len());
        for (number, outcome) in outcomes.iter().enumerate() {
            let is_right = match outcome {
                Published::Refused(reason) => {
                    number == large && reason.contains(&MOST_BYTES.to_string())
                }
                Published::Unroutable => number != large && number.is_multiple_of(10),
                Published::Routed => number != large && !number.is_multiple_of(10),
            };
            ensure!(is_right, "message {number} of round {round}: {outcome:?}");
        }
        bus.purge(&QueueName::new("returned")?).await?;
    }
    bus.close().await?;
    Ok(rounds)
}

fn message(number: usize, is_large: bool) -> Result<Outgoing> {
    let key = if number.is_multiple_of(10) {
        "nobody"
    } else {
        "somebody"
    };
    let bytes = if is_large { MOST_BYTES + 1 } else { 100 };
    Ok(Outgoing {
        exchange: ExchangeName::new(EXCHANGE)?,
        routing_key: RoutingKey::new(key)?,
        body: vec![b' '; bytes],
        message_id: uuid::Uuid::new_v4().to_string(),
        priority: 5,
        headers: BTreeMap::new(),
    })
}

fn topology() -> Result<Topology> {
    let exchange = ExchangeName::new(EXCHANGE)?;
    Ok(Topology {
        exchanges: vec![exchange.clone()],
        queues: vec![QueueSpec {
            name: QueueName::new("returned")?,
            owner: "returned".to_owned(),
            kind: QueueKind::Quorum,
            bindings: vec![Binding {
                exchange,
                pattern: KeyPattern::new("somebody")?,
            }],
        }],
        parking: Vec::new(),
    })
}
