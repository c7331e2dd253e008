//! Faults at times, made from a seed: the same seed gives the same schedule.

use std::fmt::{self, Debug};
use std::ops::Range;
use std::time::Duration;

use anyhow::Result;
use maas_tests::random::Random;
use tokio::time::{Instant, sleep_until};

/// What is done when, in order, counted from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule<F> {
    /// What it was made from.
    pub seed: u64,
    /// When, and what.
    pub moments: Vec<(Duration, F)>,
}

impl<F: Copy + Debug> Schedule<F> {
    /// Faults until `lasting` is over, with pauses in between; every fault is one of `faults`, each of them as
    /// probable as it is often there.
    pub fn random(seed: u64, lasting: Duration, pause: Range<Duration>, faults: &[F]) -> Self {
        let mut random = Random::new(seed);
        let mut moments = Vec::new();
        let mut at = Duration::ZERO;
        loop {
            at += between(&mut random, &pause);
            if at > lasting {
                return Self { seed, moments };
            }
            moments.push((at, random.one_of(faults)));
        }
    }

    /// Does each fault at its time. One that takes longer than the pause after it delays the next.
    ///
    /// # Errors
    /// The first error of a fault.
    pub async fn play(&self, mut fault: impl AsyncFnMut(F) -> Result<()>) -> Result<()> {
        let start = Instant::now();
        for &(at, what) in &self.moments {
            sleep_until(start + at).await;
            fault(what).await?;
        }
        Ok(())
    }
}

/// Some time within the range.
fn between(random: &mut Random, range: &Range<Duration>) -> Duration {
    let width = range.end.saturating_sub(range.start).as_micros();
    let width = u64::try_from(width).unwrap_or(u64::MAX).max(1);
    range.start + Duration::from_micros(random.next() % width)
}

impl<F: Debug> fmt::Display for Schedule<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "seed {}:", self.seed)?;
        for (at, fault) in &self.moments {
            write!(formatter, " {:.3} s {fault:?};", at.as_secs_f64())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn schedule(seed: u64) -> Schedule<&'static str> {
        Schedule::random(seed, 60 * SECOND, SECOND..5 * SECOND, &["kill", "freeze"])
    }

    #[test]
    fn a_seed_gives_the_same_schedule_again_and_another_seed_another() {
        assert_eq!(schedule(7), schedule(7));
        assert_ne!(schedule(7).moments, schedule(8).moments);
    }

    #[test]
    fn pauses_keep_to_their_range_and_the_end_is_kept() {
        let moments = schedule(3).moments;
        let mut before = Duration::ZERO;
        for (at, _) in &moments {
            assert!(
                *at - before >= SECOND && *at - before < 5 * SECOND,
                "{at:?}"
            );
            before = *at;
        }
        assert!(before <= 60 * SECOND && before > 50 * SECOND);
        for fault in ["kill", "freeze"] {
            assert!(moments.iter().any(|(_, found)| *found == fault));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn faults_come_in_their_order_at_their_times() {
        let schedule = schedule(5);
        let start = Instant::now();
        let mut seen = Vec::new();
        let played = schedule.play(async |fault| {
            seen.push((start.elapsed(), fault));
            Ok(())
        });
        assert!(played.await.is_ok());
        let faults: Vec<_> = seen.iter().map(|(_, fault)| *fault).collect();
        let planned: Vec<_> = schedule.moments.iter().map(|(_, fault)| *fault).collect();
        assert_eq!(faults, planned);
        for ((at, _), (planned, _)) in seen.iter().zip(&schedule.moments) {
            // Timers of the runtime have a resolution of a millisecond.
            assert!(at.abs_diff(*planned) < Duration::from_millis(2));
        }
    }

    #[test]
    fn a_schedule_tells_how_it_is_had_again() {
        let schedule = Schedule {
            seed: 9,
            moments: vec![(Duration::from_millis(1_500), "kill")],
        };
        assert_eq!(schedule.to_string(), "seed 9: 1.500 s \"kill\";");
    }
}
