//! Announces what nobody else will: a worker may lose its message (the connection was cut), others may do the
//! message meanwhile and acknowledge it, and only then the worker writes what it had computed, and dies. No
//! message comes again that would read its intent. So intents that are old are looked at now and then.

use std::collections::HashSet;
use std::time::Duration;

use maas_model::document::{DocumentId, IndexName};
use maas_model::message::Message;
use maas_model::planted;
use maas_model::store::StoreError;
use tokio_util::sync::CancellationToken;

use super::intent::Orphan;
use super::plan::{Debt, Plan};
use super::publish::publish;
use super::shared::Shared;
use super::verdict::Stop;
use super::wait::causes;
use crate::report::{Origin, Reports};

const EVERY: Duration = Duration::from_secs(300);

/// Longer than any worker is between its intent and its last try to write.
const OLD: Duration = Duration::from_secs(600);

/// Looks again and again until `stop`.
pub(crate) async fn sweep(shared: &Shared, stop: &CancellationToken) {
    while stop
        .run_until_cancelled(tokio::time::sleep(EVERY))
        .await
        .is_some()
    {
        planted!(NeverLookForOldIntents, continue);
        let orphans = match shared.intents.older_than(OLD).await {
            Ok(orphans) => orphans,
            Err(error) => {
                tracing::debug!(reason = causes(&error), "cannot look for old intents");
                continue;
            }
        };
        for orphan in orphans {
            match announce(shared, stop, orphan).await {
                Ok(()) => {}
                Err(Failure::Store(error)) => {
                    tracing::debug!(reason = causes(&error), "an old intent is left for later");
                }
                Err(Failure::Bus(reason)) => {
                    tracing::debug!(?reason, "an old intent is left for later");
                }
            }
        }
    }
}

enum Failure {
    Store(StoreError),
    Bus(Stop),
}

/// Announces those documents of an intent that are there. One that is not, is written and announced by whoever
/// has the message, or by nobody.
async fn announce(
    shared: &Shared,
    stop: &CancellationToken,
    orphan: Orphan,
) -> Result<(), Failure> {
    /// Enough for one message; a broker that finds it too large has it cut.
    const CHUNK: usize = 100;
    let mut plan = Plan::after(Debt {
        of_whole: false,
        ..orphan.debt.clone()
    });
    for (index, ids) in plan.owed() {
        let missing = missing(shared, &index, ids).await.map_err(Failure::Store)?;
        plan.forgive(&index, &missing);
    }
    let mut reports = Reports::default();
    plan.report(CHUNK, &mut reports);
    let message = Message {
        message_id: orphan.message_id.clone(),
        ..Message::default()
    };
    let origin = Origin {
        message: &message,
        priority: 0,
        engines: std::slice::from_ref(&orphan.engine),
        exchange: &shared.chains.report_exchange,
        clock: &shared.reads.clock,
    };
    let messages = reports.into_reports();
    let messages = messages.flat_map(|report| origin.messages(&report));
    let messages: Vec<_> = messages.collect();
    tracing::warn!(
        engine = orphan.engine,
        message = orphan.message_id,
        "announcing what a lost worker wrote"
    );
    publish(shared, stop, messages)
        .await
        .map_err(Failure::Bus)?;
    shared.intents.remove(&orphan).await.map_err(Failure::Store)
}

async fn missing(
    shared: &Shared,
    index: &IndexName,
    ids: Vec<DocumentId>,
) -> Result<HashSet<DocumentId>, StoreError> {
    let found = shared.reads.store.get_many(index, &ids).await?;
    let missing = ids
        .into_iter()
        .zip(found)
        .filter(|(_, found)| found.is_none());
    Ok(missing.map(|(id, _)| id).collect())
}
