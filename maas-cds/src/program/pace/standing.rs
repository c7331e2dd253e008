//! How long the messages of a queue wait: what an operator wants to know instead of how many there are.

use chrono::{DateTime, Utc};
use maas_model::message::QueueInfo;

use super::store::Pace;

/// Of one queue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Standing {
    /// The age of its oldest message, counted from when that was made. `None`: nobody knows, or there is none.
    pub(crate) oldest_seconds: Option<f64>,
    /// How long what waits would take at the pace of the last minute. `None`: nobody works on it.
    pub(crate) backlog_seconds: Option<f64>,
}

impl Standing {
    /// From what the bus tells, and those who work on the queue.
    pub(crate) fn of(info: &QueueInfo, pace: Option<Pace>, now: DateTime<Utc>) -> Self {
        let pace = pace.unwrap_or_default();
        let depth = info.ready + info.delayed + info.unsettled.unwrap_or_default();
        let age = |made: DateTime<Utc>| (now - made).as_seconds_f64().max(0.0);
        Self {
            oldest_seconds: info.oldest.or(pace.oldest).map(age),
            backlog_seconds: match depth {
                0 => Some(0.0),
                _ if pace.per_second > 0.0 => Some(depth as f64 / pace.per_second),
                _ => None,
            },
        }
    }

    /// For a person.
    pub(crate) fn oldest_whole_seconds(self) -> Option<u64> {
        self.oldest_seconds.map(|seconds| seconds.floor() as u64)
    }

    /// For a person; what takes less than a second takes one.
    pub(crate) fn backlog_whole_seconds(self) -> Option<u64> {
        self.backlog_seconds.map(|seconds| seconds.ceil() as u64)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use maas_model::message::QueueName;

    use super::*;

    #[test]
    fn a_backlog_is_what_waits_at_the_present_pace() {
        let now = DateTime::UNIX_EPOCH;
        let ago = |seconds| Some(now - TimeDelta::seconds(seconds));
        let told = |ready, oldest, pace: Option<(f64, Option<i64>)>| {
            let info = QueueInfo {
                name: QueueName::new("q").unwrap(),
                ready,
                unsettled: Some(0),
                delayed: 0,
                consumers: 0,
                oldest: Option::and_then(oldest, ago),
            };
            let pace = pace.map(|(per_second, oldest)| Pace {
                per_second,
                oldest: oldest.and_then(ago),
            });
            let standing = Standing::of(&info, pace, now);
            (standing.oldest_seconds, standing.backlog_seconds)
        };
        assert_eq!(told(0, None, None), (None, Some(0.0)));
        assert_eq!(told(30, None, None), (None, None));
        assert_eq!(told(30, Some(7), None), (Some(7.0), None));
        assert_eq!(
            told(30, None, Some((2.0, Some(9)))),
            (Some(9.0), Some(15.0))
        );
        assert_eq!(told(30, None, Some((0.0, None))), (None, None));
        // A clock that is behind makes no message younger than new.
        assert_eq!(told(1, Some(-5), None), (Some(0.0), None));
    }
}
