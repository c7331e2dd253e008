//! Documents of all sizes for a node that takes requests of one mebibyte.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, ensure};
use maas_model::message::DeadOriginal;
use maas_model::store::OpenSearchOptions;
use maas_tests::proxy::{Loss, Proxy};
use maas_tests::random::Random;
use maas_tests::server::{OpenSearch, OpenSearchOptions as Node};

use super::{Goal, Setting};
use crate::fault::opensearch::connect;
use crate::inflated::{Inflated, POOL, Seeds};
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "large",
    alone: false,
    promise: "requests that are too large are split, the limit is learnt and kept; a document above it is a dead letter",
    run: |setting| Box::pin(run(setting)),
};

const LIMIT: usize = 1 << 20;
/// One document with the line that says what to do with it.
const LINE: usize = 70;
const HUGE: usize = 3 << 20;

async fn run(setting: Setting) -> Result<Report> {
    let node = Node::default().setting("http.max_content_length", "1mb");
    let node = OpenSearch::start_with(node).await?;
    let proxy = Proxy::in_front_of(&node.url()).await?;
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&sizes);
    // A trap that never springs sees every request.
    let _watch = proxy.lose(Loss::Request, move |bytes| {
        if let Some(size) = bulk_size(bytes).filter(|size| *size > 5_000) {
            noted
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(size);
        }
        false
    });

    let mut random = Random::new(setting.seed);
    let mut seeds = Seeds::default();
    let messages = setting.pick(8, 100);
    let mut optimum = 0;
    for number in 0..messages {
        let mut sizes: Vec<usize> = (0..40)
            .map(|_| random.between(1_000, 900_000) as usize)
            .collect();
        optimum += packed(&sizes);
        if number == messages / 2 {
            sizes.insert(20, HUGE);
            optimum += 1;
        }
        seeds.message(sizes)?;
    }
    let documents = seeds.len();
    let mut load = Inflated::new(&node, 2, seeds).await?;
    load.start(connect(proxy.url(), OpenSearchOptions::default())?)
        .await?;
    load.finish().await?;

    load.judge(&node, |seed| seed["size"] == HUGE).await?;
    let dead = load.pools.dead(POOL).await?;
    ensure!(dead.len() == 1, "{} dead letters", dead.len());
    ensure!(
        dead[0].reason.detail.contains("more than the store takes"),
        "{:?}",
        dead[0].reason
    );
    let whole = matches!(&dead[0].original, DeadOriginal::Document { source, .. }
        if source["filler"].as_str().is_some_and(|filler| filler.len() == HUGE));
    ensure!(whole, "the dead letter does not hold the document");

    let sizes = sizes.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let requests = sizes.len();
    let late = sizes[requests / 2..]
        .iter()
        .filter(|size| **size > LIMIT && **size < HUGE)
        .count();
    let ratio = requests as f64 / optimum as f64;
    ensure!(ratio <= 1.3, "{requests} requests where {optimum} would do");
    ensure!(
        late <= 2,
        "{late} requests above the limit in the second half"
    );
    let mut report = Report::default();
    report.figure("documents, all but one there", documents);
    report.figure("requests", requests);
    report.figure("requests that packing in order needs", optimum);
    report.figure("ratio", format!("{ratio:.2}"));
    report.figure(
        "refused for their size",
        sizes.iter().filter(|size| **size > LIMIT).count(),
    );
    report.figure("of these in the second half", late);
    Ok(report)
}

/// Size of the body of a bulk request, from its head.
fn bulk_size(bytes: &[u8]) -> Option<usize> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(2_000)]).to_ascii_lowercase();
    head.starts_with("post /_bulk").then_some(())?;
    let (_, rest) = head.split_once("content-length:")?;
    rest.lines().next()?.trim().parse().ok()
}

/// How many requests these documents need, in their order, for somebody who knows the limit.
fn packed(sizes: &[usize]) -> usize {
    let (mut requests, mut filled) = (1, 0);
    for size in sizes {
        if filled + size + LINE > LIMIT {
            requests += 1;
            filled = 0;
        }
        filled += size + LINE;
    }
    requests
}
