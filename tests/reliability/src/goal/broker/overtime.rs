//! Work that takes longer than the broker lets a consumer hold a message.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use maas_model::document::DocumentId;
use maas_model::message::{BusOptions, ExchangeName, Message, Outgoing, Published, RoutingKey};
use maas_tests::program::Pair;
use maas_tests::server::{RabbitMq, RabbitMqOptions};
use tokio::time::sleep;

use super::look::{empty, one_each};
use crate::goal::{Goal, Setting};
use crate::program::{Running, command};
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "broker-overtime",
    alone: false,
    promise: "work longer than the broker's consumer timeout is finished once, does not go round, and costs its \
              neighbours nothing",
    run: |setting| Box::pin(run(setting)),
};

const LONG: Duration = Duration::from_secs(120);
const QUEUE: &str = "toil";

const PIPELINE: &str = "
pools:
  - name: toil
    concurrency: 3
    prefetch: 6
    queues:
      - name: toil
        from: { toil-exchange: [toil] }
        engines:
          - TOIL: { log: '${MAAS_TOIL_LOG}' }
outside: { fed: [toil] }
";

async fn run(setting: Setting) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let (pipeline, log) = (folder.path().join("toil.yaml"), folder.path().join("log"));
    std::fs::write(&pipeline, PIPELINE)?;
    let limit = Duration::from_millis(setting.pick(1_500, 60_000));
    let server = broker(limit, setting).await?;
    let pair = Pair {
        bus: server.url(),
        ..Pair::embedded(&folder.path().join("data"))
    };
    let mut command = command(&pair, &["run", &pipeline.to_string_lossy()])?;
    let mut run = Running::start(command.env("MAAS_TOIL_LOG", &log))?;
    one_each(&server, &[QUEUE], LONG).await?;
    let long = limit * 5;
    let names: Vec<String> = (0..12)
        .map(|number| {
            let millis = if number < 2 { long.as_millis() } else { 100 };
            format!("{millis}-{number}")
        })
        .collect();
    put(&server, &names).await?;
    let read = || std::fs::read_to_string(&log).unwrap_or_default();
    maas_tests::server::wait_until("all to be done", long + LONG, || async {
        read().lines().count() >= names.len()
    })
    .await?;
    empty(&server, &[QUEUE], LONG).await?;
    // What goes round would come again.
    sleep(limit.min(Duration::from_secs(5))).await;
    empty(&server, &[QUEUE], LONG).await?;
    ensure!(run.ended()?.is_none(), "it ended:\n{}", run.said());
    let done = read();
    let done: Vec<&str> = done.lines().collect();
    let expected: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let once =
        done.len() == names.len() && done.iter().copied().collect::<BTreeSet<_>>() == expected;
    ensure!(once, "done were {done:?} instead of {names:?}");
    let taken_back = server.log().matches("has timed out waiting").count();
    ensure!(
        taken_back >= 2,
        "the broker took {taken_back} messages back"
    );
    let mut report = Report::default();
    report.figure("the broker's limit, ms", limit.as_millis());
    report.figure("the longest work, ms", long.as_millis());
    report.figure("messages, each done once", names.len());
    report.figure("times that the broker took one back", taken_back);
    Ok(report)
}

async fn broker(limit: Duration, setting: Setting) -> Result<RabbitMq> {
    let millis = limit.as_millis().to_string();
    let options = RabbitMqOptions::default().setting("consumer_timeout", &millis);
    let server = RabbitMq::start_with(options).await?;
    if setting.pick(true, false) {
        // By default the broker looks once a minute, and so takes a message back after twice that.
        let often = "application:set_env(rabbit, channel_tick_interval, 500).";
        server.control(&["eval", often]).await?;
    }
    Ok(server)
}

async fn put(server: &RabbitMq, names: &[String]) -> Result<()> {
    let url = server.url().parse()?;
    let bus = maas_model::message::open(&url, Path::new("unused"), &BusOptions::default())?;
    let mut messages = Vec::new();
    for name in names {
        let message = Message {
            message_id: uuid::Uuid::new_v4().to_string(),
            document_ids: vec![DocumentId::new(name.as_str())?],
            document_class: "Toil".to_owned(),
            ..Message::default()
        };
        messages.push(Outgoing {
            exchange: ExchangeName::new("toil-exchange")?,
            routing_key: RoutingKey::new("toil")?,
            body: message.to_body(),
            message_id: message.message_id,
            priority: 5,
            headers: BTreeMap::new(),
        });
    }
    let outcomes = bus.publish(messages).await?;
    let all = outcomes.iter().all(|told| *told == Published::Routed);
    ensure!(all, "they do not reach the queue: {outcomes:?}");
    Ok(bus.close().await?)
}
