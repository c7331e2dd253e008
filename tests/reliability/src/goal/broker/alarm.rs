//! The broker's memory alarm: it takes no message, and we go on with those that it has.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use maas_model::message::{BusOptions, ExchangeName, Outgoing, Published, QueueName, RoutingKey};
use maas_tests::audit::EAR;
use maas_tests::server::{RabbitMqOptions, free_port, wait_until};
use tokio::time::{Instant, sleep_until};

use super::look::{empty, one_each};
use super::world::{QUEUES, World};
use crate::goal::{Goal, Setting};
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "broker-alarm",
    alone: false,
    promise: "while the broker's memory alarm blocks publishing, consuming and acknowledging go on, readiness says \
              why, and nothing is lost",
    run: |setting| Box::pin(run(setting)),
};

const LONG: Duration = Duration::from_secs(60);
/// Messages that wait when the alarm is raised.
const WAITING: usize = 200;

async fn run(setting: Setting) -> Result<Report> {
    let mut world = World::new(setting, RabbitMqOptions::default(), 12).await?;
    let address = format!("127.0.0.1:{}", free_port()?);
    world.feed(4)?;
    world.chain.finish().await?;
    let run = world.start(&["--metrics", &address])?;
    one_each(&world.server, &QUEUES, LONG).await?;
    // Nothing is taken yet of what is put there now.
    run.freeze()?;
    put_again(&world).await?;
    world.feed(4)?;
    let watermark = async |share| {
        let command = ["set_vm_memory_high_watermark", share];
        world.server.control(&command).await
    };
    watermark("0").await?;
    let raised = Instant::now();
    run.thaw()?;
    // Each of them changes nothing, so none waits for a message of its own.
    empty(&world.server, &["copy"], LONG).await?;
    let drained = raised.elapsed();
    let ready = format!("http://{address}/ready");
    wait_until("readiness tells the alarm", LONG, || async {
        let told = look(&ready).await;
        told.is_ok_and(|(status, told)| status == 503 && told.contains("blocked"))
    })
    .await?;
    sleep_until(raised + Duration::from_secs(setting.pick(10, 60))).await;
    let (status, _) = look(&ready).await?;
    ensure!(status == 503, "ready under the alarm");
    watermark("0.4").await?;
    let lifted = Instant::now();
    wait_until("readiness", LONG, || async {
        look(&ready).await.is_ok_and(|(status, _)| status == 200)
    })
    .await?;
    let recovered = lifted.elapsed();
    let judged = world.judge(run).await?;
    let mut report = Report::default();
    report.figure("messages done under the alarm", WAITING);
    report.figure("in ms", drained.as_millis());
    report.figure("ready again after, ms", recovered.as_millis());
    judged.tell(&mut report);
    Ok(report)
}

/// Messages that were done already, as the collector published them.
async fn put_again(world: &World) -> Result<()> {
    let url = world.server.url().parse()?;
    let bus = maas_model::message::open(&url, Path::new("unused"), &BusOptions::default())?;
    let heard = bus.peek(&QueueName::new(EAR)?, 10_000).await?;
    let said = heard
        .into_iter()
        .find(|peeked| peeked.routing_key.as_str() == "new.raw.data.reading")
        .context("nothing was announced")?;
    // To the queue alone, as what is returned goes there: the ear has heard it already.
    let again = Outgoing {
        exchange: ExchangeName::default_exchange(),
        routing_key: RoutingKey::new("copy")?,
        headers: BTreeMap::from([
            ("x-maas-exchange".to_owned(), said.exchange.to_string()),
            (
                "x-maas-routing-key".to_owned(),
                said.routing_key.to_string(),
            ),
        ]),
        body: said.body,
        message_id: String::new(),
        priority: 5,
    };
    let outcomes = bus.publish(vec![again; WAITING]).await?;
    let all = outcomes.iter().all(|told| *told == Published::Routed);
    ensure!(all, "they do not reach the queue: {:?}", outcomes.first());
    Ok(bus.close().await?)
}

async fn look(url: &str) -> Result<(u16, String)> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let answer = client.get(url).send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}
