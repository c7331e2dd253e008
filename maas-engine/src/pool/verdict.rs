//! What becomes of a message.

use std::time::Duration;

use maas_model::ledger::{Outcome, Outcomes};
use maas_model::message::DeadReason;
use maas_model::planted;
use serde::{Deserialize, Serialize};

use super::contain::Share;

/// What becomes of a message that was worked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Written, announced, confirmed: acknowledge it.
    Done,
    /// To be tried again after this time.
    Again(Duration, String),
    /// What is left of it is to be tried again in these parts; the rest is done.
    Parts(Vec<Share>, String),
    /// It can never be done.
    Dead(DeadReason),
    /// The pool is stopping: hand it back at once.
    HandBack,
}

impl Verdict {
    /// What came of each document, when nobody knows more of them than this.
    pub(crate) fn of_each(&self) -> Outcome {
        match self {
            Self::Done => Outcome::Filtered,
            Self::Dead(_) => Outcome::DeadLettered,
            Self::Again(..) | Self::Parts(..) | Self::HandBack => Outcome::Returned,
        }
    }

    /// What came of the message, when this came of its documents: of one that is done the best that came of any.
    pub(crate) fn of_message(&self, documents: &Outcomes) -> Outcome {
        /// The best first.
        const DONE: [Outcome; 4] = [
            Outcome::Written,
            Outcome::Unchanged,
            Outcome::Filtered,
            Outcome::DeadLettered,
        ];
        let any = |outcome: &Outcome| documents.get(*outcome) > 0;
        match self {
            Self::Done => DONE.into_iter().find(any).unwrap_or(Outcome::Filtered),
            other => other.of_each(),
        }
    }
}

/// Why work on a message ends before its last engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Something outside is away; nobody's fault, so the tries do not run out.
    Away(String),
    /// The engine could not do it this time; after the pool's tries it is a dead letter.
    Failed { cause: Cause, reason: DeadReason },
    /// The message can never be done.
    Dead(DeadReason),
    /// The pool is stopping.
    HandBack,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Something is not there yet, others were faster: trying again later may be all it takes.
    Passing,
    /// The engine panicked.
    Panic,
    /// The engine took too long.
    Slow,
}

/// The longest time between two tries of a message.
const LONGEST: Duration = Duration::from_secs(300);

impl Stop {
    /// The verdict over a message that has been tried `tries` times before, of at most `max_tries`.
    pub(crate) fn verdict(self, tries: u32, max_tries: u32) -> Verdict {
        match self {
            Self::Away(reason) => {
                planted!(AcknowledgeWhatIsAway, return Verdict::Done);
                Verdict::Again(Duration::from_secs(1), reason)
            }
            Self::Failed { reason, .. } if tries.saturating_add(1) >= max_tries => {
                Verdict::Dead(reason)
            }
            Self::Failed { reason, .. } => Verdict::Again(delay(tries), reason.detail),
            Self::Dead(reason) => Verdict::Dead(reason),
            Self::HandBack => Verdict::HandBack,
        }
    }
}

/// One second, doubled with every try.
pub(crate) fn delay(tries: u32) -> Duration {
    Duration::from_secs(1 << tries.min(9)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed() -> Stop {
        Stop::Failed {
            cause: Cause::Passing,
            reason: DeadReason::default(),
        }
    }

    #[test]
    fn failures_come_back_later_and_later_and_then_never() {
        let seconds = |tries| match failed().verdict(tries, 20) {
            Verdict::Again(delay, _) => Some(delay.as_secs()),
            _ => None,
        };
        assert_eq!(seconds(0), Some(1));
        assert_eq!(seconds(3), Some(8));
        assert_eq!(seconds(18), Some(300));
        assert_eq!(seconds(19), None);
        assert!(matches!(failed().verdict(0, 1), Verdict::Dead(_)));
    }

    #[test]
    fn an_outage_never_makes_a_dead_letter() {
        let verdict = Stop::Away("store".to_owned()).verdict(1_000, 3);
        assert!(matches!(verdict, Verdict::Again(..)));
    }
}
