//! What a deadly reading does to whoever works on it.

use std::cell::RefCell;
use std::fmt;
use std::future::pending;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::world::{Who, World};

/// Ends what it belongs to.
#[derive(Clone, Default)]
pub enum Fuse {
    /// Nothing: an engine that only shows what it emits.
    #[default]
    Nothing,
    /// A process, with all that it has in hand.
    Process(Arc<World>, Who),
    /// A process that has one message in hand.
    Alone(Arc<Notify>),
}

impl fmt::Debug for Fuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Process(..) => "Process",
            Self::Alone(_) => "Alone",
        })
    }
}

thread_local! {
    static HERE: RefCell<Fuse> = const { RefCell::new(Fuse::Nothing) };
}

impl Fuse {
    /// The engines that `build` makes have this one.
    pub fn under<T>(self, build: impl FnOnce() -> T) -> T {
        let before = HERE.replace(self);
        let built = build();
        HERE.set(before);
        built
    }

    /// That of the engine that is being built.
    pub fn here() -> Self {
        HERE.with_borrow(Clone::clone)
    }

    /// Never returns.
    pub async fn blow(&self) {
        match self {
            Self::Nothing => {}
            Self::Process(world, who) => {
                let mut state = world.state();
                state.say(format_args!("{who} dies of a reading"));
                state.alive[who.slot] = None;
                drop(state);
                world.died.notify_one();
            }
            Self::Alone(died) => died.notify_one(),
        }
        pending::<()>().await;
    }
}
