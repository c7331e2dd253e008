//! Refused records are replayed through a mended pipeline, by processes that are killed before and after every side effect.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use maas_model::message::DeadLetter;
use maas_tests::audit::Documents;
use maas_tests::program::Pair;
use serde_json::{Value, json};

use super::{Goal, Setting};
use crate::chain::{Chain, LIMIT};
use crate::judge::State;
use crate::load::File;
use crate::oracle::{Announced, Oracle};
use crate::pair::Servers;
use crate::program::{Running, command};
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "replay",
    alone: false,
    promise: "refused records are replayed through the mended pipeline as if they had never failed, also when the \
              replay is killed before and after every side effect, on both pairs",
    run: |setting| Box::pin(run(setting)),
};

/// What the operator mends: the column that the value is read from.
const WRONG: &str = "value: value";
const RIGHT: &str = "value: amount";
/// Places that a replay must come to, or the goal proves nothing.
const PLACES: [&str; 7] = [
    "collector-begun",
    "collector-written",
    "collector-published",
    "collector-finished",
    "store-answered",
    "bus-sent",
    "bus-confirmed",
];
const SIGKILL: i32 = 9;
const FILE: &str = "readings.csv";
const SITE: &str = "site-1";
/// The row whose amount is as wrong as its value.
const HOPELESS: &str = "hopeless";

async fn run(setting: Setting) -> Result<Report> {
    let mut report = Report::default();
    let folder = tempfile::tempdir()?;
    let pair = Pair::embedded(&folder.path().join("data"));
    on(setting, &folder.path().join("embedded"), pair, &mut report).await?;
    let servers = Servers::start().await?;
    let pair = servers.pair(&folder.path().join("data-real"));
    on(setting, &folder.path().join("real"), pair, &mut report).await?;
    Ok(report)
}

async fn on(setting: Setting, folder: &Path, pair: Pair, report: &mut Report) -> Result<()> {
    let kind = match pair.store.as_str() {
        "embedded" => "embedded",
        _ => "real",
    };
    let chain = Chain::new(folder, pair)?;
    let places = calibrate(&chain, folder).await?;
    let rounds = setting.pick(1, 10);
    let (mut kills, mut repeated, mut announced) = (0, 0, 0);
    for round in 0..rounds {
        let rows = Rows::new(round, places.len() + 5);
        rows.refused_by(&chain).await?;
        for (place, most) in &places {
            let time = 1 + round as u64 % most;
            kills += usize::from(replay(&chain, Some((place, time))).await?);
        }
        ensure!(kills > round * PLACES.len(), "hardly any replay was killed");
        let oracle = rows
            .judge(&chain)
            .await
            .with_context(|| format!("{kind}, round {round}"))?;
        repeated += oracle.repeated();
        announced += oracle.expected();
        discard(&chain).await?;
    }
    report.figure(&format!("{kind}: places killed at"), places.len());
    report.figure(&format!("{kind}: kills"), kills);
    report.figure(
        &format!("{kind}: announcements, all there and no other"),
        announced,
    );
    report.figure(&format!("{kind}: announcements made twice"), repeated);
    Ok(())
}

/// Which places a replay comes to, and how often.
async fn calibrate(chain: &Chain, folder: &Path) -> Result<BTreeMap<String, u64>> {
    let rows = Rows::new(usize::MAX, 3);
    rows.refused_by(chain).await?;
    let log = folder.join("places");
    let mut command = replaying(chain)?;
    command.env("MAAS_FAILPOINT_LOG", &log);
    let mut run = Running::start(&mut command)?;
    run.wait(LIMIT).await?;
    let said = run.said();
    ensure!(said.contains("3 replayed"), "{said}");
    rows.judge(chain).await.context("without kills")?;
    discard(chain).await?;
    let mut places = BTreeMap::new();
    for name in std::fs::read_to_string(log)?.lines() {
        *places.entry(name.to_owned()).or_default() += 1;
    }
    for place in PLACES {
        ensure!(
            places.contains_key(place),
            "no replay comes to `{place}`: {places:?}"
        );
    }
    Ok(places)
}

/// Replays, killed at a place or to the end; whether it was killed.
async fn replay(chain: &Chain, place: Option<(&str, u64)>) -> Result<bool> {
    let mut command = replaying(chain)?;
    if let Some((place, time)) = place {
        command.env("MAAS_FAILPOINT", format!("{place}:{time}"));
    }
    let mut run = Running::start(&mut command)?;
    let status = run.wait(LIMIT).await?;
    // 1: something stays, the hopeless row at least.
    let ended = matches!(status.code(), Some(0 | 1));
    let killed = status.signal() == Some(SIGKILL);
    ensure!(ended || killed, "it ended with {status}:\n{}", run.said());
    Ok(killed)
}

/// `maas dead replay` with the pipeline as the operator mended it.
fn replaying(chain: &Chain) -> Result<std::process::Command> {
    mend(chain, WRONG, RIGHT)?;
    let pipeline = chain.pipeline.to_string_lossy();
    let arguments = [
        "dead",
        "replay",
        "--interface",
        "readings",
        "--pipeline",
        &pipeline,
    ];
    let mut command = command(&chain.pair, &arguments)?;
    command.env("MAAS_INBOX", &chain.inbox);
    Ok(command)
}

async fn discard(chain: &Chain) -> Result<()> {
    let arguments = ["dead", "discard", "--all", "--interface", "readings"];
    Running::start(&mut command(&chain.pair, &arguments)?)?
        .finish(LIMIT)
        .await?;
    Ok(())
}

fn mend(chain: &Chain, from: &str, to: &str) -> Result<()> {
    let file = chain.pipeline.join("pipeline.yaml");
    let text =
        std::fs::read_to_string(&file)?.replace(&format!("{from} }} }}"), &format!("{to} }} }}"));
    ensure!(
        text.contains(&format!("{to} }} }}")),
        "the pipeline has another shape"
    );
    Ok(std::fs::write(file, text)?)
}

/// A file with one row that is well, one that is hopeless, and others that the interface reads wrongly.
struct Rows {
    round: usize,
    bad: usize,
}

impl Rows {
    fn new(round: usize, bad: usize) -> Self {
        Self {
            round: round.wrapping_add(1),
            bad,
        }
    }

    fn id(&self, number: usize) -> String {
        format!("r{:03}-{number:04}", self.round)
    }

    /// Each with its amount.
    fn all(&self) -> impl Iterator<Item = (String, i64)> {
        (0..=self.bad).map(|number| (self.id(number), number as i64 + 1))
    }

    /// Runs the chain with the pipeline as it was: one row is done, the others become dead letters.
    async fn refused_by(&self, chain: &Chain) -> Result<()> {
        mend(chain, RIGHT, WRONG)?;
        let mut text = "reading,site,value,amount\n".to_owned();
        for (number, (id, amount)) in self.all().enumerate() {
            let value = if number == 0 { "1" } else { "many" };
            text += &format!("{id},{SITE},{value},{amount}\n");
        }
        text += &format!("{HOPELESS},{SITE},many,many\n");
        let name = format!("{:03}-{FILE}", self.round);
        chain.feed(&[File { name, text }])?;
        chain.finish().await?;
        let letters = chain.letters("readings").await?;
        ensure!(
            letters.len() == self.bad + 1,
            "{} dead letters",
            letters.len()
        );
        Ok(())
    }

    /// Replays what is left, lets the pools finish, and judges documents, announcements and dead letters.
    async fn judge(&self, chain: &Chain) -> Result<Oracle<Announced>> {
        replay(chain, None).await?;
        chain.finish().await?;
        let mut oracle = Oracle::default();
        for (id, _) in self.all() {
            for class in ["Reading", "Copy", "Derived"] {
                oracle.expect(Announced::new(class, &id, "new"));
            }
        }
        for action in ["new", "update"] {
            oracle.tolerate(Announced::new("Site", SITE, action));
        }
        chain.listen(&mut oracle).await?;
        oracle.judge("announcements")?;
        let state = chain.state().await?;
        state.judge(&State {
            documents: self.documents(&state.documents),
            waiting: state
                .waiting
                .keys()
                .map(|queue| (queue.clone(), 0))
                .collect(),
            dead: self.dead(),
        })?;
        let letters = chain.letters("readings").await?;
        ensure!(
            letters.iter().all(has_history),
            "a dead letter lost its history"
        );
        Ok(oracle)
    }

    /// Those of this round as they must be, those of earlier rounds as they are.
    fn documents(&self, found: &BTreeMap<String, Documents>) -> BTreeMap<String, Documents> {
        let mut documents = found.clone();
        let ours = format!("r{:03}-", self.round);
        for of_alias in documents.values_mut() {
            of_alias.retain(|(_, id), _| !id.starts_with(&ours) && id != SITE);
        }
        let mut put = |alias: &str, id: &str, source: Value| {
            let of_alias = documents.entry(alias.to_owned()).or_default();
            of_alias.insert((alias.to_owned(), id.to_owned()), source);
        };
        for (id, amount) in self.all() {
            let collected = json!({
                "reading": id, "reportFolder": "inbox", "reportName": format!("{:03}-{FILE}", self.round),
                "site": SITE, "value": amount,
            });
            put("raw-data-reading", &id, collected.clone());
            put("copy", &id, collected);
            put("derived", &id, json!({"site": SITE, "value": 2 * amount}));
        }
        let derived = &documents["derived"];
        let sum: i64 = derived
            .values()
            .filter_map(|one| one["value"].as_i64())
            .sum();
        let site = json!({"count": derived.len(), "site": SITE, "sum": sum});
        let of_alias = documents.entry("site".to_owned()).or_default();
        of_alias.insert(("site".to_owned(), SITE.to_owned()), site);
        documents
    }

    fn dead(&self) -> BTreeSet<(String, String, String)> {
        let line = self.bad + 3;
        let place = format!("{:03}-{FILE}: line {line}", self.round);
        [("readings".to_owned(), "record refused".to_owned(), place)].into()
    }
}

/// It failed when it was collected, and again when it was replayed.
fn has_history(letter: &DeadLetter) -> bool {
    letter.replays > 0 && !letter.history.is_empty()
}
