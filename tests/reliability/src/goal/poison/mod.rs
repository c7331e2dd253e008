//! Messages that end, block or fail their process are isolated; nobody else pays for them.

mod load;
mod look;
mod run;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use maas_model::message::{BusOptions, DeadLetter, DeadOriginal, DeadReason, Message, Topology};
use maas_tests::program::Pair;

use self::load::{FATAL, Load, PANIC};
use self::run::{Service, Times};
use super::{Goal, Setting};
use crate::pair::Servers;
use crate::report::Report;

pub(super) const EMBEDDED: Goal = Goal {
    name: "poison",
    alone: false,
    promise: "messages that crash, hang or fail cost nobody else anything, on the embedded pair (G8)",
    run: |setting| Box::pin(embedded(setting)),
};

/// The `engine_timeout_seconds` of the pipeline.
const ENGINE_LIMIT: f64 = 2.0;

pub(super) const REAL: Goal = Goal {
    name: "poison-real",
    alone: false,
    promise: "messages that crash, hang or fail cost nobody else anything, on RabbitMQ and OpenSearch (G8)",
    run: |setting| Box::pin(real(setting)),
};

async fn embedded(setting: Setting) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let calm = Pair::embedded(&folder.path().join("calm"));
    run(setting, calm, Pair::embedded(&folder.path().join("rough"))).await
}

async fn real(setting: Setting) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let servers = Servers::start().await?;
    let pair = servers.pair(&folder.path().join("data"));
    run(setting, pair.clone(), pair).await
}

async fn run(setting: Setting, calm: Pair, rough: Pair) -> Result<Report> {
    let (messages, documents) = (setting.pick(400, 8_000), setting.pick(40, 100));
    let load = Load::new(setting.seed, messages, documents, setting.pick(10, 50));

    let service = Service::new(calm)?;
    service.feed(&load.without_harm()).await?;
    let calm = service.serve(&load).await?;
    service.clear().await?;

    let rough = Service::new(rough)?;
    rough.feed(&load).await?;
    let times = rough.serve(&load).await?;

    let done = rough.done().await?;
    let expected: BTreeSet<String> = load.innocent().map(str::to_owned).collect();
    ensure!(done == expected, "{}", different(&done, &expected));
    let letters = letters(rough.pair()).await?;
    judge(&load, &letters)?;
    let in_time = |stuck| stuck <= ENGINE_LIMIT + setting.pick(2.0, 1.0);
    ensure!(
        times.told.ready.is_some_and(in_time) && times.told.metric && times.log_told,
        "the stuck engine was not named everywhere, or too late: {times:?}"
    );
    figures(setting, &load, &letters, &calm, &times)
}

/// Every guilty document has its dead letter, which says all that is known; nobody else has one.
fn judge(load: &Load, letters: &[DeadLetter]) -> Result<()> {
    let mut dead = BTreeSet::new();
    for letter in letters {
        let named = documents_of(letter)?;
        let [id] = named.as_slice() else {
            anyhow::bail!("a dead letter names {named:?}: {letter:?}");
        };
        let harm = load.harm(id);
        let harm = harm.with_context(|| format!("`{id}` is healthy and dead: {letter:?}"))?;
        let reason = &letter.reason;
        ensure!(
            reason.component.as_deref() == Some("HARM")
                && reason.version.as_deref() == Some(load::VERSION)
                && reason.detail.contains(&format!("`{id}`"))
                && letter.program.starts_with("maas "),
            "it does not say what failed of what: {letter:?}"
        );
        match harm {
            "fail" => {}
            PANIC => ensure!(
                letter.tries >= 5
                    && reason
                        .stack
                        .as_ref()
                        .is_some_and(|s| s.contains("harm.rs:")),
                "a panic without stack: {letter:?}"
            ),
            harm => {
                let (_, sign) = FATAL
                    .iter()
                    .find(|(name, _)| *name == harm)
                    .context("no such harm")?;
                let told = format!(
                    "{} {}",
                    reason.detail,
                    reason.stack.as_deref().unwrap_or_default()
                );
                ensure!(
                    reason.kind == DeadReason::CRASHED && letter.tries >= 5 && told.contains(sign),
                    "it should say `{sign}`: {letter:?}"
                );
            }
        }
        dead.insert(id.clone());
    }
    let guilty: BTreeSet<String> = load.guilty().map(str::to_owned).collect();
    ensure!(dead == guilty, "{}", different(&dead, &guilty));
    Ok(())
}

fn figures(
    setting: Setting,
    load: &Load,
    letters: &[DeadLetter],
    calm: &Times,
    rough: &Times,
) -> Result<Report> {
    // Down or stuck nothing can be done; what is judged is how the others fare beside suspects.
    let working = |times: &Times| times.healthy.saturating_sub(times.down).as_secs_f64();
    let share = working(calm) / working(rough);
    let mut report = Report::default();
    report.figure("messages", load.messages.len());
    report.figure("documents done", load.innocent().count());
    report.figure("guilty documents, all dead letters", load.guilty().count());
    report.figure("dead letters, some twice after a crash", letters.len());
    report.figure("healthy documents among dead letters", 0);
    report.figure("restarts", rough.restarts);
    report.figure(
        "readiness named the stuck engine after, seconds",
        rough.told.ready.unwrap_or_default(),
    );
    report.figure("healthy done without harm, ms", calm.healthy.as_millis());
    report.figure("healthy done beside harm, ms", rough.healthy.as_millis());
    report.figure("of it down, stuck or starting, ms", rough.down.as_millis());
    report.figure("rate of the healthy, percent", (share * 100.0).round());
    report.figure(
        "p99 of when a healthy one was done, without harm, ms",
        calm.p99.as_millis(),
    );
    report.figure(
        "p99 of when a healthy one was done, beside harm, ms",
        rough.p99.as_millis(),
    );
    report.figure("until the last dead letter, ms", rough.whole.as_millis());
    // Four restarts cost some seconds whatever the load: they weigh less in the long form.
    let least = setting.pick(0.5, 0.9);
    ensure!(
        share >= least,
        "the healthy were worked on at {share:.2} of their rate: {rough:?}, {calm:?}"
    );
    Ok(report)
}

fn documents_of(letter: &DeadLetter) -> Result<Vec<String>> {
    let DeadOriginal::Message {
        body: Some(body), ..
    } = &letter.original
    else {
        anyhow::bail!("no message: {letter:?}");
    };
    let message = Message::parse(body.as_bytes())?;
    Ok(message
        .document_ids
        .iter()
        .map(ToString::to_string)
        .collect())
}

async fn letters(pair: &Pair) -> Result<Vec<DeadLetter>> {
    let bus = maas_model::message::open(&pair.bus.parse()?, &pair.data, &BusOptions::default())?;
    let peeked = bus.peek(&Topology::parking_queue("harm")?, 100_000).await?;
    bus.close().await?;
    let letters = peeked.iter().map(|letter| DeadLetter::parse(&letter.body));
    letters
        .map(|letter| letter.context("a dead letter is malformed"))
        .collect()
}

fn different(are: &BTreeSet<String>, should: &BTreeSet<String>) -> String {
    let missing: Vec<_> = should.difference(are).take(10).collect();
    let surplus: Vec<_> = are.difference(should).take(10).collect();
    format!("missing: {missing:?}, too many: {surplus:?}")
}

/// The pipeline of this goal.
fn pipeline() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("poison.yaml")
}
