//! Indices that take nothing for a while: blocked, closed, without a shard, or replaced by an alias.

use std::time::Duration;

use anyhow::{Result, ensure};
use maas_model::message::{DeadFilter, DeadLetters};
use maas_tests::server::{OpenSearch, wait_until};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Goal, Setting};
use crate::fault::opensearch::open;
use crate::inflated::{INDEX, Inflated, LIMIT, POOL, Seeds};
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "blocked",
    alone: false,
    promise: "an index that is blocked, closed or red is waited for; one that is an alias makes dead letters; nothing is lost",
    run: |setting| Box::pin(run(setting)),
};

/// What is asked of the node to break something, or to mend it.
type Orders = &'static [(&'static str, &'static str, &'static str)];

const WAITED_FOR: [(&str, usize, Orders, Orders); 4] = [
    (
        "write block",
        10,
        &[(
            "PUT",
            "/product/_settings",
            r#"{"index.blocks.write": true}"#,
        )],
        &[(
            "PUT",
            "/product/_settings",
            r#"{"index.blocks.write": null}"#,
        )],
    ),
    (
        "block of a full disk",
        10,
        &[(
            "PUT",
            "/product/_settings",
            r#"{"index.blocks.read_only_allow_delete": true}"#,
        )],
        &[(
            "PUT",
            "/product/_settings",
            r#"{"index.blocks.read_only_allow_delete": null}"#,
        )],
    ),
    (
        "closed index",
        10,
        &[("POST", "/product/_close", "")],
        &[("POST", "/product/_open", "")],
    ),
    (
        // A shard that has a place keeps it: only a new index can be without.
        "red index",
        0,
        &[(
            "PUT",
            "/product?wait_for_active_shards=0",
            r#"{"settings": {"index.routing.allocation.require._name": "nobody"}}"#,
        )],
        &[(
            "PUT",
            "/product/_settings",
            r#"{"index.routing.allocation.require._name": null}"#,
        )],
    ),
];

async fn run(setting: Setting) -> Result<Report> {
    let node = OpenSearch::start().await?;
    let mut report = Report::default();
    for (name, before, harm, mend) in WAITED_FOR {
        waited_for(&node, setting, before, (harm, mend))
            .await
            .map_err(|error| error.context(name))?;
        report.figure(name, "waited for, nothing lost, nothing dead");
    }
    let dead = alias(&node).await?;
    report.figure(
        "alias with two indices",
        format!("{dead} dead letters, all replayed"),
    );
    Ok(report)
}

fn seeds(messages: usize) -> Result<Seeds> {
    let mut seeds = Seeds::default();
    for _ in 0..messages {
        seeds.message([100; 20])?;
    }
    Ok(seeds)
}

async fn order(node: &OpenSearch, orders: Orders) -> Result<()> {
    for (method, path, body) in orders {
        let method = Method::from_bytes(method.as_bytes())?;
        let body: Option<Value> = (!body.is_empty())
            .then(|| serde_json::from_str(body))
            .transpose()?;
        node.ask(method, path, body).await?;
    }
    Ok(())
}

/// So many of twenty messages are done before the index takes nothing.
async fn waited_for(
    node: &OpenSearch,
    setting: Setting,
    before: usize,
    (harm, mend): (Orders, Orders),
) -> Result<()> {
    let mut load = Inflated::new(node, 2, seeds(20)?).await?;
    load.send(0..before).await?;
    load.pools.run(POOL, open(node)?)?;
    load.pools.idle(LIMIT).await?;
    order(node, harm).await?;
    load.send(before..20).await?;
    tokio::time::sleep(Duration::from_secs(setting.pick(3, 90))).await;
    let dead = load.pools.dead(POOL).await?;
    ensure!(dead.is_empty(), "a dead letter: {:?}", dead[0].reason);
    let left = load.left().await?;
    ensure!(left == 20 - before as u64, "only {left} messages wait");
    order(node, mend).await?;
    load.finish().await?;
    ensure!(
        load.pools.dead(POOL).await?.is_empty(),
        "there are dead letters"
    );
    load.judge(node, |_| false).await
}

/// Somebody put an alias of two indices in the place of the index.
async fn alias(node: &OpenSearch) -> Result<usize> {
    let mut load = Inflated::new(node, 2, seeds(5)?).await?;
    let aliases = json!({"aliases": {INDEX: {}}});
    for name in ["/elsewhere-a", "/elsewhere-b"] {
        node.ask(Method::PUT, name, Some(aliases.clone())).await?;
    }
    load.start(open(node)?).await?;
    wait_until("dead letters", LIMIT, || async {
        load.pools
            .dead(POOL)
            .await
            .is_ok_and(|dead| dead.len() == 100)
    })
    .await?;
    load.pools.idle(LIMIT).await?;
    let dead = load.pools.dead(POOL).await?;
    ensure!(
        dead[0].reason.detail.contains("not to an alias"),
        "{:?}",
        dead[0].reason
    );
    for name in ["/elsewhere-a", "/elsewhere-b"] {
        node.ask(Method::DELETE, name, None).await?;
    }
    let letters = DeadLetters::new(load.pools.bus().clone());
    letters.replay(&DeadFilter::default(), usize::MAX).await?;
    load.finish().await?;
    load.judge(node, |_| false).await?;
    Ok(dead.len())
}
