//! What differs from run to run: random ids, and shares that spread tries over time.
//!
//! With the feature `simulation` a thread can be given a seed, from which all of it then follows.

use uuid::Uuid;

/// A random id.
pub fn uuid() -> Uuid {
    #[cfg(feature = "simulation")]
    if let Some((high, low)) = seeded::next().zip(seeded::next()) {
        return uuid::Builder::from_random_bytes(
            ((u128::from(high) << 64) | u128::from(low)).to_be_bytes(),
        )
        .into_uuid();
    }
    Uuid::new_v4()
}

/// A random id; later ones sort behind earlier ones.
pub fn uuid_in_order() -> Uuid {
    #[cfg(feature = "simulation")]
    if seeded::is_on() {
        return uuid();
    }
    Uuid::now_v7()
}

/// A number from 0 up to 1.
pub fn share() -> f64 {
    // Enough for pauses.
    const STEPS: u128 = 1 << 20;
    (uuid().as_u128() % STEPS) as f64 / STEPS as f64
}

#[cfg(feature = "simulation")]
pub use seeded::{is_on as is_seeded, seed};

#[cfg(feature = "simulation")]
mod seeded {
    use std::cell::Cell;

    thread_local! {
        static STATE: Cell<Option<u64>> = const { Cell::new(None) };
    }

    /// Everything random of this thread follows from `seed`; `None`: it is random again.
    pub fn seed(seed: Option<u64>) {
        STATE.set(seed);
    }

    /// Whether this thread has a seed.
    pub fn is_on() -> bool {
        STATE.get().is_some()
    }

    /// SplitMix64.
    pub(super) fn next() -> Option<u64> {
        let state = STATE.get()?.wrapping_add(0x9e37_79b9_7f4a_7c15);
        STATE.set(Some(state));
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(mixed ^ (mixed >> 31))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_shares_stay_below_one() {
        assert_ne!(uuid(), uuid());
        assert!((0..1_000).all(|_| (0.0..1.0).contains(&share())));
    }

    #[cfg(feature = "simulation")]
    #[test]
    fn a_seed_gives_the_same_again() {
        let three = || {
            seed(Some(7));
            let three = [uuid(), uuid_in_order(), uuid()];
            seed(None);
            three
        };
        let [a, b, c] = three();
        assert_eq!([a, b, c], three());
        assert!(a != b && b != c);
        assert_eq!(a.get_version_num(), 4);
    }
}
