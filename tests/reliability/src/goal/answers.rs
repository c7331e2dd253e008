//! Answers that are lost after the store has done what it was asked.

use std::time::Duration;

use anyhow::{Result, ensure};
use maas_model::store::OpenSearchOptions;
use maas_tests::proxy::{Loss, Proxy};
use maas_tests::server::OpenSearch;

use super::{Goal, Setting};
use crate::fault::opensearch::{connect, statistic};
use crate::inflated::{INDEX, Inflated, POOL, Seeds};
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "answers",
    alone: false,
    promise: "a bulk whose answer is lost is looked up: nothing is written or announced twice, nothing is forgotten",
    run: |setting| Box::pin(run(setting)),
};

async fn run(setting: Setting) -> Result<Report> {
    let node = OpenSearch::start().await?;
    let proxy = Proxy::in_front_of(&node.url()).await?;
    let mut seeds = Seeds::default();
    let messages = setting.pick(60, 1_000);
    for _ in 0..messages {
        seeds.message([500; 40])?;
    }
    let documents = seeds.len() as u64;
    let mut load = Inflated::new(&node, 2, seeds).await?;
    load.start(connect(proxy.url(), OpenSearchOptions::default())?)
        .await?;
    let mut lost = 0_u64;
    while load.left().await? > 0 {
        let mut sprung = proxy.lose_http(Loss::Answer, "POST /_bulk");
        // Every third or so: the others must get through for the work to come to an end.
        while load.left().await? > 0 {
            if sprung.is_sprung() {
                lost += 1;
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    load.finish().await?;
    ensure!(lost > 5, "{lost} answers were lost");
    ensure!(
        load.pools.dead(POOL).await?.is_empty(),
        "there are dead letters"
    );
    load.judge(&node, |_| false).await?;
    let written = statistic(&node, INDEX, "/indexing/index_total").await?;
    let failed = statistic(&node, INDEX, "/indexing/index_failed").await?;
    ensure!(
        written == documents,
        "{written} writes for {documents} documents"
    );
    ensure!(
        failed == 0,
        "{failed} writes were sent again and ended as conflicts"
    );
    let mut report = Report::default();
    report.figure("answers lost", lost);
    report.figure("documents, each written and announced once", documents);
    Ok(report)
}
