//! The engines, one message per case.

use std::collections::BTreeMap;
use std::sync::Arc;

use maas_cds::engine::RawClass;
use maas_engine::pool::{Processed, Verdict};
use maas_model::model::Models;

use super::case::{Case, read_all};
use super::cases::{self, Tally};
use super::compare;
use super::deviations::{self, Deviation};
use super::models::models;
use super::world::{Engines, World};

/// The priority that the original gives to reports of a message without one.
const DEFAULT_PRIORITY: u8 = 5;

/// Cases that ask for the mask files of the geometry to be there or not.
const GEOMETRY: [&str; 1] = ["prip-19-sea-mask-absent"];

#[tokio::test(flavor = "multi_thread")]
async fn report_engines_do_as_recorded() {
    run("engines-report").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn compute_engines_do_as_recorded() {
    run("engines-compute").await;
}

async fn run(folder: &str) {
    let Some(path) = cases::path(folder) else {
        return;
    };
    let models = Arc::new(models());
    let deviations = deviations::read();
    let mut waiting: BTreeMap<String, usize> = BTreeMap::new();
    let mut tally = Tally::default();
    for case in read_all(&path) {
        let missing = waits_for(&case);
        if missing.is_empty() {
            let problems = check(&case, deviations::of(&deviations, &case), &models).await;
            tally.case(&case.name, &problems);
        }
        for feature in missing {
            *waiting.entry(feature).or_default() += 1;
        }
    }
    for (feature, count) in waiting {
        println!("{count} cases wait for {feature}");
    }
    tally.finish_even_if_none();
}

/// What is not built yet of what the case needs.
fn waits_for(case: &Case) -> Vec<String> {
    let mut missing: Vec<String> = case
        .engines()
        .filter(|id| maas_model::plugin::find("engine", id).is_none())
        .map(str::to_owned)
        .collect();
    missing.dedup();
    if !missing.is_empty() {
        return missing;
    }
    let class = case.document_class();
    let consolidates = case
        .engines()
        .any(|id| matches!(id, "CONSOLIDATE_PUBLICATION" | "CONSOLIDATE_PRODUCT"));
    if consolidates && RawClass::of(class).is_err() {
        missing.push(format!("consolidation of {class}"));
    } else if consolidates && has_tickets(case) {
        missing.push("anomaly tickets".to_owned());
    } else if class == "ProductDeletion" {
        missing.push(
            "replication of ProductDeletion, whose issue is part of its file name".to_owned(),
        );
    } else if GEOMETRY.contains(&case.name.as_str()) {
        missing.push("geometry".to_owned());
    }
    missing
}

fn has_tickets(case: &Case) -> bool {
    let mut indices = case.before.iter();
    indices.any(|(index, tickets)| index.starts_with("cds-cams-tickets") && !tickets.is_empty())
}

async fn check(case: &Case, deviation: Option<&Deviation>, models: &Arc<Models>) -> Vec<String> {
    let world = World::new(models).await;
    world.put(&case.before).await;
    let engines = Engines {
        exchange: case.pipeline.exchange.clone(),
        routing_key: case.pipeline.routing_key.clone(),
        steps: case.steps(),
        known: case.has_queue(),
    };
    let pool = match world.pool(&engines, case.clock) {
        Ok(pool) => pool,
        Err(error) => return vec![error],
    };
    let body = serde_json::to_vec(&case.message).expect("JSON");
    let priority = case.priority.unwrap_or(DEFAULT_PRIORITY);
    let processed = engines.run(&pool, &body, priority).await;
    let documents = compare::documents(&world.documents().await, &case.expected());
    let unordered = !case.unordered.is_empty();
    let messages = compare::messages(
        compare::published(&processed.published),
        &case.messages,
        unordered,
    );
    let mut problems = [documents, messages].concat();
    match deviation {
        None => problems.extend(outcome_differs(&processed, &case.outcome)),
        Some(deviation) => {
            problems.retain(|problem| !compare::is_more(problem));
            problems.extend(outcome_differs(&processed, &deviation.ours));
            let dead = compare::dead_letters(&processed.published);
            if deviation
                .dead_letters
                .is_some_and(|some| some != (dead > 0))
            {
                problems.push(format!("{dead} dead letters"));
            }
            if !problems.is_empty() {
                problems.push(format!("deviates: {}", deviation.reason));
            }
        }
    }
    problems
}

fn outcome_differs(processed: &Processed, recorded: &str) -> Option<String> {
    let ours = outcome(&processed.verdict);
    (ours != recorded).then(|| {
        let verdict = &processed.verdict;
        format!("outcome: ours {ours} ({verdict:?}), recorded {recorded}")
    })
}

fn outcome(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Done => "acked",
        Verdict::Dead(_) => "rejected",
        Verdict::Again(..) | Verdict::Parts(..) | Verdict::HandBack => "requeued",
    }
}
