//! Which message broke a channel.

use crate::message::amqp::error::{Meaning, meaning};

/// What broke a channel, as far as the broker tells.
pub(super) enum Culprit {
    /// Messages to an exchange that does not exist.
    Exchange { name: String, reason: String },
    /// A message with more bytes than this.
    Larger(usize),
    /// Nobody in particular.
    Nobody,
}

impl Culprit {
    pub(super) fn of(error: &lapin::Error) -> Self {
        match meaning(error) {
            // NOT_FOUND - no exchange 'NAME' in vhost '/'
            Meaning::Missing(reason) => match reason.split('\'').nth(1) {
                Some(name) => Self::Exchange {
                    name: name.to_owned(),
                    reason,
                },
                None => Self::Nobody,
            },
            // PRECONDITION_FAILED - message size 1500000 is larger than configured max size 1000000
            Meaning::Precondition(reason) => {
                let most = reason.rsplit_once("max size ").map(|(_, rest)| rest);
                let digits = most.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
                digits
                    .and_then(|digits| digits.parse().ok())
                    .map_or(Self::Nobody, Self::Larger)
            }
            Meaning::Denied(_) | Meaning::Untrusted(_) | Meaning::Broken(_) => Self::Nobody,
        }
    }
}
