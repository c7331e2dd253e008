//! The power goes at any write: the folder opens again, and nothing acknowledged is missing.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use maas_model::failpoint::Failpoint;
use maas_tests::random::Random;

use super::{Goal, Setting};
use crate::chain::LIMIT;
use crate::fault::{Tear, power_cut};
use crate::lab::Lab;
use crate::program::Running;
use crate::report::Report;

pub(super) const GOAL: Goal = Goal {
    name: "power-cut",
    alone: false,
    promise: "the power goes at any write, the last page may be torn: the embedded folder opens again, nothing acknowledged is missing",
    run: |setting| Box::pin(run(setting)),
};

/// Where the power goes, and whose log is torn then: the transaction that was just committed or is about to be.
const PLACES: [(Failpoint, &str); 4] = [
    (Failpoint::StoreCommitting, "store"),
    (Failpoint::StoreAnswered, "store"),
    (Failpoint::BusSent, "bus"),
    (Failpoint::BusConfirmed, "bus"),
];

async fn run(setting: Setting) -> Result<Report> {
    let folder = tempfile::tempdir()?;
    let mut lab = Lab::embedded(setting.seed, folder.path()).await?;
    let mut random = Random::new(setting.seed);
    let mut tears: BTreeMap<String, usize> = BTreeMap::new();
    let rounds = setting.pick(12, 400);
    for round in 0..rounds {
        lab.feed(2, 15)?;
        let (point, file) = PLACES[round % PLACES.len()];
        let time = 1 + random.next() % 12;
        let mut command = lab.chain.command(&["--until-idle"])?;
        command.env("MAAS_FAILPOINT", format!("{}:{time}", point.name()));
        Running::start(&mut command)?.wait(LIMIT).await?;
        let copy = folder.path().join(format!("data-{round}"));
        // A commit that is only about to begin has nothing to lose but what no log has yet.
        let tear = match point {
            Failpoint::StoreAnswered | Failpoint::BusConfirmed => {
                power_cut(&lab.chain.pair.data, &copy, file, &mut random)?
            }
            _ => {
                power_cut(&lab.chain.pair.data, &copy, "none", &mut random)?;
                Tear::None
            }
        };
        *tears.entry(format!("{tear:?}")).or_default() += 1;
        let old = std::mem::replace(&mut lab.chain.pair.data, copy);
        lab.settle()
            .await
            .with_context(|| format!("round {round}: `{}` {time}, {tear:?}", point.name()))?;
        std::fs::remove_dir_all(old)?;
    }
    lab.compare().await?;
    let mut report = Report::default();
    report.figure("power cuts", rounds);
    report.figure("last transaction", format!("{tears:?}"));
    lab.report(&mut report);
    Ok(report)
}
