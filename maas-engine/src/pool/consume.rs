//! Takes messages, hands them to workers, settles them.

use std::sync::Arc;
use std::time::Duration;

use maas_model::failpoint::{Failpoint, pass};
use maas_model::ledger::Outcomes;
use maas_model::message::{BusError, Delivery};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::contain::{is_suspect, parts, suspect};
use super::hand::InHand;
use super::process::process;
use super::shared::Shared;
use super::turns::Turns;
use super::verdict::Verdict;
use super::wait::{Enough, Patience};
use super::work::Work;

/// Works until `stop` or until the bus is closed, then finishes what is in hand.
pub(crate) async fn consume(
    shared: Arc<Shared>,
    mut turns: Turns,
    concurrency: usize,
    grace: Duration,
    stop: CancellationToken,
) {
    let permits = Arc::new(Semaphore::new(concurrency.max(1)));
    let mut workers = JoinSet::new();
    loop {
        while workers.try_join_next().is_some() {}
        let permit = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            permit = Arc::clone(&permits).acquire_owned() => permit,
        };
        if wait_for_store(&shared, &stop).await.is_err() {
            break;
        }
        let delivery = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            delivery = turns.next() => delivery,
        };
        let Some(delivery) = delivery else { break };
        let (shared, stop) = (Arc::clone(&shared), stop.clone());
        if is_suspect(&shared, &delivery) {
            // Past the workers: no more of them wait than the bus hands out unsettled.
            workers.spawn(async move { suspect(&shared, delivery, &stop).await });
            continue;
        }
        workers.spawn(async move {
            work(&shared, delivery, &stop).await;
            drop(permit);
        });
    }
    // What is not finished in time is dropped and goes back to its queue.
    let finished = async { while workers.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, finished).await.is_err() {
        tracing::warn!(
            pool = shared.chains.pool,
            messages = workers.len(),
            "handed back unfinished"
        );
        workers.shutdown().await;
    }
}

/// While the store is away no message is taken: each would only be handed back with one more try.
async fn wait_for_store(shared: &Shared, stop: &CancellationToken) -> Result<(), Enough> {
    let mut patience = Patience::endless();
    while shared.store_outage.is_on() {
        match shared.reads.store.status().await {
            Ok(_) => shared.store_outage.over(),
            Err(_) => patience.pause(stop).await?,
        }
    }
    Ok(())
}

async fn work(shared: &Shared, delivery: Delivery, stop: &CancellationToken) {
    let queue = delivery.queue.clone();
    let mut hand = InHand::take(&shared.stats, &queue);
    let work = Work::from(&delivery);
    let processed = Box::pin(process(shared, work, &mut hand, stop)).await;
    let (verdict, outcomes) = (processed.verdict, processed.outcomes);
    settle(shared, delivery, hand, verdict, outcomes).await;
}

/// Does with a message what the verdict says, and counts what came of it and of its documents.
pub(crate) async fn settle(
    shared: &Shared,
    delivery: Delivery,
    hand: InHand<'_>,
    verdict: Verdict,
    outcomes: Outcomes,
) {
    let key = delivery.routing_key.clone();
    let of_message = verdict.of_message(&outcomes);
    let settled = match verdict {
        Verdict::Done => {
            shared.stats.messages.add(1);
            pass(Failpoint::Acknowledging);
            let settled = delivery.ack().await;
            pass(Failpoint::Acknowledged);
            settled
        }
        Verdict::Again(delay, reason) => {
            shared.stats.returned.add(1);
            tracing::warn!(%key, reason, ?delay, tries = delivery.tries, "message is tried again later");
            delivery.return_after(delay).await
        }
        Verdict::Parts(shares, reason) => {
            shared.stats.returned.add(1);
            let documents: usize = shares.iter().map(|share| share.ids.len()).sum();
            tracing::warn!(%key, reason, documents, parts = shares.len(), tries = delivery.tries, "documents are tried again later");
            let parts = parts(&delivery.body, shares);
            delivery.replace(parts).await
        }
        Verdict::Dead(reason) => {
            shared.stats.messages.add(1);
            shared.stats.dead_letters.add(1);
            tracing::error!(%key, kind = reason.kind, detail = reason.detail, "message is a dead letter");
            pass(Failpoint::Burying);
            let settled = delivery.dead_letter(reason).await;
            pass(Failpoint::Buried);
            settled
        }
        // Dropped, it goes back at once.
        Verdict::HandBack => Ok(()),
    };
    match settled {
        Ok(()) => hand.settle(of_message, outcomes),
        Err(BusError::Closed) => {}
        Err(error) => {
            tracing::warn!(%key, %error, "message could not be settled and will come again");
        }
    }
}
