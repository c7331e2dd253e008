//! From a message to its verdict: parse, run, announce, forget.

use maas_model::document::{DocumentId, IndexName};
use maas_model::ledger::{Outcome, Outcomes};
use maas_model::message::{DeadReason, Message, Outgoing};
use maas_model::planted;
use tokio_util::sync::CancellationToken;

use super::hand::InHand;
use super::publish::publish;
use super::run::Run;
use super::shared::Shared;
use super::verdict::{Stop, Verdict};
use super::work::Work;
use crate::report::{Action, Origin};

/// What was done for one message.
#[derive(Debug, Clone, PartialEq)]
pub struct Processed {
    /// What becomes of the message.
    pub verdict: Verdict,
    /// What was published and confirmed, in order; dead letters (to the default exchange) first.
    pub published: Vec<Outgoing>,
    /// What was written, in order.
    pub written: Vec<(IndexName, DocumentId, Action)>,
    /// What came of the documents that the message names.
    pub outcomes: Outcomes,
}

impl Processed {
    fn dead(kind: &str, detail: String) -> Self {
        Self {
            verdict: Verdict::Dead(DeadReason {
                kind: kind.to_owned(),
                detail,
                component: None,
                ..DeadReason::default()
            }),
            published: Vec::new(),
            written: Vec::new(),
            outcomes: Outcomes::default(),
        }
    }
}

/// Works on one message to the end; only its settlement is left to the caller.
pub(crate) async fn process(
    shared: &Shared,
    work: Work<'_>,
    hand: &mut InHand<'_>,
    stop: &CancellationToken,
) -> Processed {
    let message = match Message::parse(work.body) {
        Ok(message) => message,
        Err(error) => return Processed::dead("malformed message", error.to_string()),
    };
    hand.read(&message);
    let Some(chain) = shared.chains.of(&work) else {
        let detail = format!(
            "queue `{}` is not bound with `{}`",
            work.queue, work.routing_key
        );
        let outcomes = Outcomes::all(Outcome::DeadLettered, hand.documents());
        return Processed {
            outcomes,
            ..Processed::dead("unknown routing key", detail)
        };
    };
    shared.stats.documents.add(message.document_ids.len());
    let mut run = Run::new(shared, work, message, stop);
    let result = run.steps(chain).await;
    run.conclude(result).await
}

impl Run<'_> {
    /// Announces what was done, also when the work stopped before its end.
    async fn conclude(mut self, result: Result<(), Stop>) -> Processed {
        let messages = self.messages();
        planted!(ForgetTheIntentFirst, self.forget(None).await);
        let (published, announced) = match publish(self.shared, self.stop, messages).await {
            Ok(published) => (published, Ok(())),
            Err(stop) => (Vec::new(), Err(stop)),
        };
        let result = match announced {
            Ok(()) => {
                self.forget(result.as_ref().err()).await;
                result
            }
            Err(stop) => Err(stop),
        };
        let verdict = match result {
            Ok(()) => self.left_over(),
            Err(stop) => self.stopped(stop),
        };
        Processed {
            outcomes: self.outcomes(&verdict),
            verdict,
            published,
            written: self.written,
        }
    }

    /// What came of each document of the message.
    fn outcomes(&mut self, verdict: &Verdict) -> Outcomes {
        let ids = &self.message.document_ids;
        match verdict {
            Verdict::Done => {}
            Verdict::Parts(shares, _) => {
                let left = shares.iter().filter(|share| !share.ids.is_empty());
                left.for_each(|share| self.fates.note(share.ids.clone(), Outcome::Returned));
            }
            whole => return Outcomes::all(whole.of_each(), ids.len() as u64),
        }
        self.fates.outcomes(ids)
    }

    fn messages(&mut self) -> Vec<Outgoing> {
        let graves = std::mem::take(&mut self.graves);
        self.shared.stats.dead_letters.add(graves.len());
        for grave in &graves {
            self.fates
                .note(grave.inputs().to_vec(), Outcome::DeadLettered);
        }
        let mut messages: Vec<_> = graves
            .into_iter()
            .filter_map(|grave| self.letter(grave))
            .collect();
        let reports = std::mem::take(&mut self.reports);
        let origin = Origin {
            message: &self.message,
            priority: self.work.priority,
            engines: &self.engines,
            exchange: &self.shared.chains.report_exchange,
            clock: &self.shared.reads.clock,
        };
        messages.extend(
            reports
                .into_reports()
                .flat_map(|report| origin.messages(&report)),
        );
        messages
    }
}
