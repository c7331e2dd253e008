//! The way of messages that may end their process: past the workers, so that the healthy keep theirs.

use std::sync::Arc;
use std::time::Duration;

use maas_model::ledger::Outcomes;
use maas_model::message::{DeadReason, Delivery, Message};
use maas_model::planted;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::crash;
use super::isolation::{Isolation, Trouble};
use super::split::Share;
use crate::pool::consume::settle;
use crate::pool::hand::InHand;
use crate::pool::shared::Shared;
use crate::pool::verdict::Verdict;
use crate::pool::work::Work;

/// A message that came back so often without ever having been settled counts a try: then it ends the
/// process that has it in hand, although it is worked on in another one, or it has very bad luck.
const MOST_ABANDONED: u32 = 20;
/// Until a message that ended a process before is looked at again, when another such one is worked on.
const LATER: Duration = Duration::from_secs(1);
/// Until a message is looked at again when there is no process to work on it alone.
const UNAVAILABLE: Duration = Duration::from_secs(5);

/// Where suspects are worked on, how many at a time.
#[derive(Debug)]
pub(crate) struct Lanes {
    isolation: Arc<dyn Isolation>,
    /// Those that came back: nearly all of them are innocent.
    came_back: Semaphore,
    /// Those that ended a process when they were alone. One at a time, so that the others wait for none of them.
    known: Semaphore,
}

impl Lanes {
    pub(crate) fn new(isolation: Arc<dyn Isolation>, concurrency: usize) -> Self {
        Self {
            isolation,
            came_back: Semaphore::new(concurrency.max(1)),
            known: Semaphore::new(1),
        }
    }
}

/// Whether a message may end the process that works on it.
pub(crate) fn is_suspect(shared: &Shared, delivery: &Delivery) -> bool {
    planted!(NeverWorkAlone, return false);
    shared.lanes.is_some() && (delivery.abandoned > 0 || delivery.alone)
}

/// Works on a suspect, and settles it.
pub(crate) async fn suspect(shared: &Shared, delivery: Delivery, stop: &CancellationToken) {
    let Some(lanes) = &shared.lanes else { return };
    let queue = delivery.queue.clone();
    let mut hand = InHand::take(&shared.stats, &queue);
    if let Ok(message) = Message::parse(&delivery.body) {
        hand.read(&message);
    }
    let judged = match delivery.alone {
        true => match lanes.known.try_acquire() {
            Ok(_place) => judge(shared, lanes, &delivery, stop).await,
            // Waiting here would keep a place in the prefetch window from the healthy.
            Err(_) => unchanged(&delivery, LATER, "others like it come first").into(),
        },
        false => {
            let place = stop.run_until_cancelled(lanes.came_back.acquire()).await;
            match place {
                Some(_place) => judge(shared, lanes, &delivery, stop).await,
                None => Verdict::HandBack.into(),
            }
        }
    };
    let Judged { verdict, outcomes } = judged;
    let alike = || Outcomes::all(verdict.of_each(), hand.documents());
    let outcomes = outcomes.unwrap_or_else(alike);
    settle(shared, delivery, hand, verdict, outcomes).await;
}

/// A verdict, and what came of the documents where that is known of each.
struct Judged {
    verdict: Verdict,
    outcomes: Option<Outcomes>,
}

impl From<Verdict> for Judged {
    fn from(verdict: Verdict) -> Self {
        Self {
            verdict,
            outcomes: None,
        }
    }
}

async fn judge(
    shared: &Shared,
    lanes: &Lanes,
    delivery: &Delivery,
    stop: &CancellationToken,
) -> Judged {
    if delivery.abandoned >= MOST_ABANDONED {
        return abandoned(shared, delivery).into();
    }
    let work = Work::from(delivery);
    let verdict = match lanes.isolation.work(&shared.chains.pool, work).await {
        Ok(answer) => {
            answer.tally.add_to(&shared.stats);
            shared.count_elsewhere(&answer.counted);
            return Judged {
                verdict: answer.verdict,
                outcomes: Some(answer.outcomes),
            };
        }
        Err(_) if stop.is_cancelled() => Verdict::HandBack,
        Err(Trouble::Died(death)) => crash::verdict(shared, work, death, stop).await,
        Err(Trouble::Unavailable(reason)) => unchanged(delivery, UNAVAILABLE, &reason),
    };
    verdict.into()
}

/// Again later, without a try. It stays a suspect: as a new message it would not be known as one that came back.
fn unchanged(delivery: &Delivery, delay: Duration, reason: &str) -> Verdict {
    let message = Message::parse(&delivery.body).unwrap_or_default();
    let share = Share::whole(&message, delay, delivery.tries);
    Verdict::Parts(vec![share], reason.to_owned())
}

fn abandoned(shared: &Shared, delivery: &Delivery) -> Verdict {
    let tries = delivery.tries.saturating_add(1);
    let reason = format!(
        "{} workers in a row ended with it in hand",
        delivery.abandoned
    );
    if tries >= shared.chains.max_tries {
        return Verdict::Dead(DeadReason {
            kind: DeadReason::CRASHED.to_owned(),
            detail: reason,
            ..DeadReason::default()
        });
    }
    let message = Message::parse(&delivery.body).unwrap_or_default();
    Verdict::Parts(vec![Share::whole(&message, LATER, tries)], reason)
}
