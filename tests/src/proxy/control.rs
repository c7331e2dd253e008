//! What is set while a proxy runs, and the links it has.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::{oneshot, watch};

use super::link::Link;
use super::rules::Rules;
use super::trap::{Loss, Sprung, Trap};

/// Shared by the proxy, its links and whoever holds the proxy.
#[derive(Default)]
pub(super) struct Control {
    rules: watch::Sender<Rules>,
    links: Mutex<Vec<Weak<Link>>>,
    trap: Mutex<Option<Trap>>,
    made: AtomicUsize,
}

impl Control {
    pub(super) fn rules(&self) -> Rules {
        self.rules.borrow().clone()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Rules)) {
        self.rules.send_modify(change);
    }

    pub(super) async fn thawed(&self) {
        let mut rules = self.rules.subscribe();
        // The sender is in `self`.
        let _ = rules.wait_for(|rules| !rules.frozen).await;
    }

    pub(super) fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    pub(super) fn keep(&self, link: &Arc<Link>) {
        self.made.fetch_add(1, Ordering::Relaxed);
        let mut links = lock(&self.links);
        links.retain(|link| link.strong_count() > 0);
        links.push(Arc::downgrade(link));
    }

    pub(super) fn links(&self) -> Vec<Arc<Link>> {
        lock(&self.links).iter().filter_map(Weak::upgrade).collect()
    }

    pub(super) fn set_trap(
        &self,
        loss: Loss,
        meant: impl Fn(&[u8]) -> bool + Send + 'static,
    ) -> Sprung {
        let (sprung, receiver) = oneshot::channel();
        *lock(&self.trap) = Some(Trap {
            meant: Box::new(meant),
            loss,
            sprung,
        });
        Sprung(receiver)
    }

    /// The trap that these bytes step into; it is set no longer.
    pub(super) fn spring(&self, bytes: &[u8]) -> Option<(Loss, oneshot::Sender<()>)> {
        let mut trap = lock(&self.trap);
        if !trap.as_ref().is_some_and(|trap| (trap.meant)(bytes)) {
            return None;
        }
        trap.take().map(|trap| (trap.loss, trap.sprung))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
