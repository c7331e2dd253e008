//! What becomes of a message that ended a process while nothing else was in hand.

use std::time::Duration;

use maas_model::document::DocumentId;
use maas_model::message::{DeadReason, Message};
use maas_model::planted;
use tokio_util::sync::CancellationToken;

use super::isolation::Death;
use super::split::{Share, key_of, part_id};
use crate::pool::intent::Whose;
use crate::pool::shared::Shared;
use crate::pool::verdict::{Verdict, delay};
use crate::pool::wait::Patience;
use crate::pool::work::Work;

/// How often a message with several documents may end a process before it is cut: once may be an accident (a
/// machine short of memory), and whoever cuts at once makes two messages of every one.
const TRIES_WHOLE: u32 = 2;

/// Between the tries of parts. They do not wait longer and longer: most of them are healthy.
const PAUSE: Duration = Duration::from_secs(1);

/// Counts a try of this message, cuts it when it was tried whole often enough, and gives a single document up
/// when the tries run out.
pub(super) async fn verdict(
    shared: &Shared,
    work: Work<'_>,
    death: Death,
    stop: &CancellationToken,
) -> Verdict {
    let tries = work.tries.saturating_add(1);
    let message = Message::parse(work.body).unwrap_or_default();
    let (count, max_tries) = (message.document_ids.len(), shared.chains.max_tries);
    let engine = death.engine.clone().unwrap_or_default();
    tracing::error!(
        pool = shared.chains.pool, queue = %work.queue, message = message.message_id, documents = count,
        engine, how = death.how, tries, "a message ended the process that worked on it alone"
    );
    planted!(ForgetADeath, return Verdict::Done);
    planted!(
        GiveTheWholeUp,
        return Verdict::Dead(reason(shared, death, &message.document_ids))
    );
    if count > 1 && tries >= TRIES_WHOLE.min(max_tries) {
        return cut(shared, work, &message, tries, stop).await;
    }
    if tries >= max_tries {
        return Verdict::Dead(reason(shared, death, &message.document_ids));
    }
    let share = Share::whole(&message, delay(tries - 1), tries);
    Verdict::Parts(vec![share], death.how)
}

/// Two halves in the place of the message; each takes over what the message owes.
async fn cut(
    shared: &Shared,
    work: Work<'_>,
    message: &Message,
    tries: u32,
    stop: &CancellationToken,
) -> Verdict {
    let (first, second) = message
        .document_ids
        .split_at(message.document_ids.len() / 2);
    if hand_down(shared, work, message, &[first, second], stop)
        .await
        .is_err()
    {
        return Verdict::HandBack;
    }
    let share = |ids: &[DocumentId]| Share {
        ids: ids.to_vec(),
        delay: PAUSE,
        tries,
        alone: true,
    };
    let reason = "it ended a process more than once: its documents are tried in halves";
    planted!(
        ForgetAHalfOfACut,
        return Verdict::Parts(vec![share(first)], reason.to_owned())
    );
    Verdict::Parts(vec![share(first), share(second)], reason.to_owned())
}

/// What a run that died was about to announce is announced by the runs of the parts.
async fn hand_down(
    shared: &Shared,
    work: Work<'_>,
    message: &Message,
    parts: &[&[DocumentId]],
    stop: &CancellationToken,
) -> Result<(), ()> {
    let Some(chain) = shared.chains.of(&work) else {
        return Ok(());
    };
    let key = key_of(message, work.body);
    let keys: Vec<String> = parts.iter().map(|ids| part_id(&key, ids)).collect();
    let steps = chain.steps.iter().enumerate();
    let engines: Vec<(usize, &str)> = steps.map(|(at, step)| (at, step.id.as_str())).collect();
    let queue = work.queue.as_str();
    let whole: Vec<Whose<'_>> = engines
        .iter()
        .map(|&step| whose(queue, &key, step))
        .collect();
    let mut patience = Patience::endless();
    loop {
        let handed = async {
            let debts = shared.intents.read(&whole).await?;
            for key in &keys {
                let owed = engines.iter().zip(&debts);
                for (&step, left) in owed.filter(|(_, left)| !left.debt.is_empty()) {
                    let debt = left.debt.clone().of_a_part();
                    // One that is there already was handed down before.
                    let intents = &shared.intents;
                    let _ = intents.write(whose(queue, key, step), &debt, None).await?;
                }
            }
            Ok::<_, maas_model::store::StoreError>(())
        };
        match handed.await {
            Ok(()) => return Ok(()),
            Err(error) => shared.store_outage.began(&error),
        }
        patience.pause(stop).await.map_err(|_| ())?;
    }
}

fn whose<'a>(queue: &'a str, message_id: &'a str, (step, engine): (usize, &'a str)) -> Whose<'a> {
    Whose {
        queue,
        message_id,
        step,
        engine,
    }
}

fn reason(shared: &Shared, death: Death, ids: &[DocumentId]) -> DeadReason {
    let documents = match ids {
        [] => "a message without documents".to_owned(),
        [id] => format!("document `{id}`"),
        ids => format!("{} documents", ids.len()),
    };
    let engine = death.engine;
    DeadReason {
        kind: DeadReason::CRASHED.to_owned(),
        detail: format!("{documents}: {}", death.how),
        version: engine.as_deref().map(|engine| shared.chains.maker(engine)),
        component: engine,
        stack: (!death.last_words.is_empty()).then_some(death.last_words),
    }
}
