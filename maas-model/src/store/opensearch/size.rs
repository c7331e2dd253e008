//! The largest request that a cluster takes: learned from what it refuses and what it takes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The search ends when what is known to be taken and what is known to be refused are this close: one
/// part in so many of the latter.
const CLOSE: usize = 16;

/// How large the next requests shall be, for all who share a store.
#[derive(Debug)]
pub(super) struct RequestSize {
    most: AtomicUsize,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    /// The largest that was taken since one was refused.
    taken: usize,
    /// The smallest that was refused; `None` as long as none was.
    refused: Option<usize>,
}

impl RequestSize {
    /// Begins with what was asked for; it never grows beyond.
    pub(super) fn new(asked: usize) -> Self {
        Self {
            most: AtomicUsize::new(asked),
            known: Mutex::new(Known {
                taken: 0,
                refused: None,
            }),
        }
    }

    /// What a request may have now.
    pub(super) fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    /// A request of this size was too large.
    pub(super) fn refused(&self, size: usize) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.refused.is_none_or(|refused| size < refused) {
            known.refused = Some(size);
            // Somebody has made the limit smaller.
            if known.taken >= size {
                known.taken = 0;
            }
            self.aim(&known);
        }
    }

    /// A request of this size was taken.
    pub(super) fn taken(&self, size: usize) {
        // A cluster that refused nothing has nothing to teach: no lock.
        if size <= self.most() / 2 {
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(refused) = known.refused else { return };
        if size > known.taken && size < refused {
            known.taken = size;
            self.aim(&known);
        }
    }

    /// Half-way between what is too large and what is not.
    fn aim(&self, known: &Known) {
        let Some(refused) = known.refused else { return };
        let close = refused - known.taken <= refused / CLOSE;
        let aim = match close {
            true => known.taken,
            false => known.taken + (refused - known.taken) / 2,
        };
        let before = self.most.swap(aim, Ordering::Relaxed);
        tracing::debug!(before, now = aim, refused, "size of bulk requests");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends full requests to a cluster with this limit; how many were refused.
    fn learn(size: &RequestSize, limit: usize) -> usize {
        let mut refused = 0;
        for _ in 0..100 {
            let sent = size.most();
            if sent > limit {
                size.refused(sent);
                refused += 1;
            } else {
                size.taken(sent);
            }
        }
        refused
    }

    #[test]
    fn a_limit_is_found_with_few_refusals_and_kept() {
        let size = RequestSize::new(5 << 20);
        assert!(learn(&size, 1 << 20) <= 6);
        assert!(size.most() <= 1 << 20);
        assert!(size.most() >= (1 << 20) * 7 / 8, "{}", size.most());
        assert_eq!(learn(&size, 1 << 20), 0);
    }

    #[test]
    fn a_limit_that_shrinks_is_found_again() {
        let size = RequestSize::new(5 << 20);
        learn(&size, 1 << 20);
        learn(&size, 1 << 18);
        assert!(size.most() <= 1 << 18);
        assert!(size.most() >= 1 << 17);
    }

    #[test]
    fn nothing_changes_where_nothing_is_refused() {
        let size = RequestSize::new(5 << 20);
        learn(&size, usize::MAX);
        assert_eq!(size.most(), 5 << 20);
    }
}
