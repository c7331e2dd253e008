//! How many messages of each queue are settled in a second, lately.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use maas_engine::pool::QueuePace;
use maas_model::message::QueueName;

/// What is lately: long enough for slow queues, short enough to see that something changed.
const WINDOW: Duration = Duration::from_secs(60);

/// The looks of the last minute.
#[derive(Debug)]
pub(super) struct Rates {
    looks: VecDeque<(Instant, BTreeMap<QueueName, u64>)>,
}

impl Rates {
    /// Nothing was settled until now.
    pub(super) fn begin(now: Instant) -> Self {
        Self {
            looks: [(now, BTreeMap::new())].into(),
        }
    }

    /// Notes what was settled since the start.
    pub(super) fn look(&mut self, now: Instant, paces: &[QueuePace]) {
        let settled = paces.iter().map(|pace| (pace.queue.clone(), pace.settled));
        self.looks.push_back((now, settled.collect()));
        // The first one may be older than the window, or there would be none to compare with.
        while (self.looks.get(1)).is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW) {
            self.looks.pop_front();
        }
    }

    /// Messages per second.
    pub(super) fn of(&self, queue: &QueueName) -> f64 {
        let (Some((from, first)), Some((to, last))) = (self.looks.front(), self.looks.back())
        else {
            return 0.0;
        };
        let seconds = to.duration_since(*from).as_secs_f64();
        let settled = |look: &BTreeMap<QueueName, u64>| look.get(queue).copied().unwrap_or(0);
        match seconds > 0.0 {
            true => (settled(last) - settled(first)) as f64 / seconds,
            false => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_minute() {
        let (start, queue) = (Instant::now(), QueueName::new("q").unwrap());
        let mut rates = Rates::begin(start);
        assert_eq!(rates.of(&queue), 0.0);
        let mut look = |seconds, settled| {
            let pace = QueuePace {
                queue: queue.clone(),
                settled,
                oldest: None,
            };
            rates.look(start + Duration::from_secs(seconds), &[pace]);
            rates.of(&queue)
        };
        assert_eq!(look(10, 50), 5.0);
        let steady = (20..=80).step_by(10);
        let last = steady.map(|at| look(at, 50 + (at - 10) * 2)).last();
        assert_eq!(last, Some(2.0));
        let idle = (9..=15).map(|tens| look(tens * 10, 190)).last();
        assert_eq!(idle, Some(0.0));
    }
}
