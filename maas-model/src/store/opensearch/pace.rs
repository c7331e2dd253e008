//! How many bulk requests are under way at once: as many as the cluster has room for.
//!
//! Additive increase, multiplicative decrease, as TCP does it. Only a refusal (429) slows down. How long
//! answers take does not, though others go by that: our requests hold from one document to thousands, so
//! that their times tell more of them than of the cluster.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::BulkPace;

/// Where it begins. More than a node of few cores can use, so that nobody waits for the start.
const FIRST: usize = 16;
/// More never helps.
const MOST: usize = 200;
/// What is left of the pace after a refusal.
const DECREASE: f64 = 0.9;

/// Shared by all who write to a store.
#[derive(Debug)]
pub(super) struct Pace {
    room: Arc<Semaphore>,
    state: Mutex<State>,
    adaptive: bool,
}

#[derive(Debug)]
struct State {
    /// How many may be under way; the part below one grows towards the next.
    limit: f64,
    /// Permits that are still to be taken away, when they come back.
    surplus: usize,
    /// Counts decreases: a request that began before one says nothing of what came after.
    era: u64,
}

/// The right to have one request under way.
#[derive(Debug)]
pub(super) struct Turn {
    permit: OwnedSemaphorePermit,
    era: u64,
    /// Whether others had to wait: then more at once may be worth a try.
    crowded: bool,
}

impl Pace {
    pub(super) fn new(pace: BulkPace) -> Self {
        let (first, adaptive) = match pace {
            BulkPace::Adaptive => (FIRST, true),
            BulkPace::Fixed(number) => (number.max(1), false),
        };
        Self {
            room: Arc::new(Semaphore::new(first)),
            state: Mutex::new(State {
                limit: first as f64,
                surplus: 0,
                era: 0,
            }),
            adaptive,
        }
    }

    /// Waits until there is room; `None` only when the store is no more.
    pub(super) async fn turn(&self) -> Option<Turn> {
        let permit = Arc::clone(&self.room).acquire_owned().await.ok()?;
        Some(Turn {
            permit,
            era: self.lock().era,
            crowded: self.room.available_permits() == 0,
        })
    }

    /// The request of this turn was taken as a whole.
    pub(super) fn taken(&self, turn: Turn) {
        let mut state = self.lock();
        if self.adaptive && turn.crowded {
            let before = state.limit as usize;
            state.limit = (state.limit + 1.0 / state.limit).min(MOST as f64);
            let more = state.limit as usize - before;
            state.grow(&self.room, more);
        }
        state.leave(turn);
    }

    /// The cluster had no room for the request of this turn, or for some of it.
    pub(super) fn refused(&self, turn: Turn) {
        let mut state = self.lock();
        if self.adaptive && turn.era == state.era {
            state.era += 1;
            let before = state.limit as usize;
            state.limit = (state.limit * DECREASE).max(1.0);
            let fewer = before - state.limit as usize;
            state.shrink(&self.room, fewer);
            tracing::debug!(
                limit = state.limit as usize,
                "the store has no room for more at once"
            );
        }
        state.leave(turn);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn grow(&mut self, room: &Semaphore, by: usize) {
        let kept = by.min(self.surplus);
        self.surplus -= kept;
        room.add_permits(by - kept);
    }

    fn shrink(&mut self, room: &Semaphore, by: usize) {
        self.surplus += by - room.forget_permits(by);
    }

    fn leave(&mut self, turn: Turn) {
        if self.surplus > 0 {
            self.surplus -= 1;
            turn.permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds of requests, as many at once as the pace allows, to a cluster with room for `room`.
    async fn run(pace: &Pace, room: usize, rounds: usize) -> Vec<usize> {
        let mut at_once = Vec::new();
        for _ in 0..rounds {
            let mut turns = Vec::new();
            while pace.room.available_permits() > 0 {
                turns.extend(pace.turn().await);
            }
            at_once.push(turns.len());
            for (number, mut turn) in turns.into_iter().enumerate() {
                turn.crowded = true;
                match number < room {
                    true => pace.taken(turn),
                    false => pace.refused(turn),
                }
            }
        }
        at_once
    }

    #[tokio::test]
    async fn the_pace_finds_the_room_there_is_and_grows_with_it() {
        let pace = Pace::new(BulkPace::Adaptive);
        let at_once = run(&pace, 4, 60).await;
        assert_eq!(at_once[0], FIRST);
        assert!(
            at_once[20..]
                .iter()
                .all(|&number| (3..=6).contains(&number)),
            "{at_once:?}"
        );
        let at_once = run(&pace, 40, 100).await;
        assert!(at_once[99] >= 36, "{at_once:?}");
    }

    #[tokio::test]
    async fn one_request_is_always_under_way() {
        let pace = Pace::new(BulkPace::Adaptive);
        let at_once = run(&pace, 0, 100).await;
        assert_eq!(at_once[99], 1);
    }

    #[tokio::test]
    async fn requests_that_began_together_slow_down_once() {
        let pace = Pace::new(BulkPace::Adaptive);
        let at_once = run(&pace, 0, 2).await;
        assert_eq!(at_once, [FIRST, (FIRST as f64 * DECREASE) as usize]);
    }

    #[tokio::test]
    async fn a_fixed_pace_stays() {
        let pace = Pace::new(BulkPace::Fixed(5));
        assert!(run(&pace, 2, 20).await.iter().all(|&number| number == 5));
    }
}
