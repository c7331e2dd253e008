//! Where the time comes from, so that a test can hold it still.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};

/// The wall clock of a run. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>);

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Self {
        Self(Arc::new(Utc::now))
    }

    /// A clock that always shows `instant`.
    pub fn frozen(instant: DateTime<Utc>) -> Self {
        Self(Arc::new(move || instant))
    }

    /// A clock that shows what `time` tells: one that is moved by hand.
    pub fn showing(time: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        Self(Arc::new(time))
    }

    /// The time now, in UTC.
    pub fn now(&self) -> DateTime<Utc> {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}
