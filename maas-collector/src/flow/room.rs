//! How much may be on its way from extractors to the store, over all interfaces of a process.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of one permit: a semaphore counts no further than 32 bits at a time.
const UNIT: usize = 1 << 10;

/// Bytes of records that all flows together may hold. A record in memory takes three to four times its
/// bytes, and as much again while it is written; the default of 2 MiB costs about 20 MiB, however many
/// interfaces there are, and keeps two bulk requests under way.
#[derive(Debug, Clone)]
pub struct Room {
    free: Arc<Semaphore>,
    units: u32,
}

impl Room {
    /// Room for so many bytes, at least 1 KiB.
    pub fn of(bytes: usize) -> Self {
        let units = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX).max(1);
        Self {
            free: Arc::new(Semaphore::new(units as usize)),
            units,
        }
    }

    /// The part of it that one flow sees.
    pub(super) fn of_a_flow(&self) -> FlowRoom {
        FlowRoom {
            shared: self.clone(),
            own: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Default for Room {
    fn default() -> Self {
        Self::of(2 << 20)
    }
}

/// The shared room, and a place of one's own: a flow whose queue is gone may keep the shared room for
/// ever, and must not stop the others.
#[derive(Debug)]
pub(super) struct FlowRoom {
    shared: Room,
    own: Arc<Semaphore>,
}

/// Room that is taken, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permit: Option<OwnedSemaphorePermit>,
}

impl FlowRoom {
    /// Waits for room; a portion that is larger than all of it waits for all of it. For threads that may
    /// block.
    pub(super) fn take_blocking(&self, bytes: usize) -> Place {
        Handle::current().block_on(self.take(bytes))
    }

    pub(super) async fn take(&self, bytes: usize) -> Place {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let shared = Arc::clone(&self.shared.free);
        let permit = tokio::select! {
            biased;
            permit = Arc::clone(&self.own).acquire_owned() => permit,
            permit = shared.acquire_many_owned(units.min(self.shared.units)) => permit,
        };
        // Nobody closes the semaphores.
        Place {
            _permit: permit.ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_flow_that_keeps_all_the_shared_room_leaves_the_others_their_own() {
        let room = Room::of(4 * UNIT);
        let (greedy, other) = (room.of_a_flow(), room.of_a_flow());
        let kept: Vec<_> = [1, 4 * UNIT]
            .map(|bytes| greedy.take(bytes).now_or_never())
            .into();
        assert!(kept.iter().all(Option::is_some));
        assert!(greedy.take(1).now_or_never().is_none());
        let first = other.take(100 * UNIT).now_or_never();
        assert!(first.is_some());
        assert!(other.take(1).now_or_never().is_none());
        drop(first);
        assert!(other.take(1).now_or_never().is_some());
        drop(kept);
        assert!(greedy.take(1).now_or_never().is_some());
    }

    #[test]
    fn a_portion_that_is_larger_than_all_of_it_takes_all_of_it() {
        let flow = Room::of(UNIT).of_a_flow();
        let _own = flow.take(1).now_or_never();
        assert!(flow.take(1_000 * UNIT).now_or_never().is_some());
    }
}
