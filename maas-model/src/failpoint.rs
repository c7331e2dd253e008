//! Places around every side effect at which the process can be told to kill itself: that is how the promises
//! of delivery are proved. Without the feature `failpoints` a call of [`pass`] is no code at all.
//!
//! With the feature, `MAAS_FAILPOINT=NAME:TIMES` sends SIGKILL to the process when it comes to this place for
//! the given time, and `MAAS_FAILPOINT_LOG=FILE` appends the name of every place that is passed.

macro_rules! failpoints {
    ($($(#[$comment:meta])* $point:ident = $name:literal,)*) => {
        /// A place in the program, named by what is about to be done (`-ing`) or was done (`-ed`) there.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Failpoint {
            $($(#[$comment])* $point,)*
        }

        impl Failpoint {
            /// All of them, in the order in which a document meets them.
            pub const ALL: &[Self] = &[$(Self::$point,)*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$point => $name,)*
                }
            }
        }
    };
}

failpoints! {
    /// Collector: before the marks of files that are begun.
    Beginning = "collector-beginning",
    /// Collector: after them.
    Begun = "collector-begun",
    /// Collector: before a batch is written.
    Ingesting = "collector-writing",
    /// Collector: after it was written.
    Ingested = "collector-written",
    /// Collector: before messages are published.
    Announcing = "collector-publishing",
    /// Collector: after they are confirmed.
    Announced = "collector-published",
    /// Collector: before a file is put away.
    Moving = "file-moving",
    /// Collector: after it was put away.
    Moved = "file-moved",
    /// Collector: before the journal says that files are done.
    Finishing = "collector-finishing",
    /// Collector: after it says so.
    Finished = "collector-finished",
    /// Pool: before an intent is written.
    Intending = "intent-writing",
    /// Pool: after it was written.
    Intended = "intent-written",
    /// Pool: before the documents of an engine are written.
    Writing = "pool-writing",
    /// Pool: after they were written.
    Written = "pool-written",
    /// Pool: before reports are published.
    Publishing = "pool-publishing",
    /// Pool: after they are confirmed.
    Published = "pool-published",
    /// Pool: before intents are removed.
    Forgetting = "intent-removing",
    /// Pool: after they were removed.
    Forgotten = "intent-removed",
    /// Pool: before a message is acknowledged.
    Acknowledging = "message-acknowledging",
    /// Pool: after the bus was told.
    Acknowledged = "message-acknowledged",
    /// Pool: before a message becomes a dead letter.
    Burying = "message-burying",
    /// Pool: after it did.
    Buried = "message-buried",
    /// Store adapter: before a request that writes, or a transaction.
    StoreSending = "store-sending",
    /// Store adapter: when a transaction is about to be committed. Embedded only.
    StoreCommitting = "store-committing",
    /// Store adapter: after the answer, or the commit.
    StoreAnswered = "store-answered",
    /// Bus adapter: before a message is sent, or a transaction.
    BusSending = "bus-sending",
    /// Bus adapter: when a message is on its way, or a transaction about to be committed.
    BusSent = "bus-sent",
    /// Bus adapter: after the confirm, or the commit.
    BusConfirmed = "bus-confirmed",
    /// Bus adapter: before acknowledgements are sent. RabbitMQ only.
    BusSettling = "bus-settling",
    /// Bus adapter: after they were sent. RabbitMQ only.
    BusSettled = "bus-settled",
}

/// The process is at this place now.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn pass(_point: Failpoint) {}

#[cfg(feature = "failpoints")]
pub use armed::pass;

#[cfg(feature = "failpoints")]
mod armed {
    //! What `MAAS_FAILPOINT` asks for.

    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::Failpoint;

    struct Armed {
        kill_at: Option<(String, u64)>,
        passed: AtomicU64,
        log: Option<File>,
    }

    impl Armed {
        fn from_environment() -> Self {
            let kill_at = std::env::var("MAAS_FAILPOINT").ok().and_then(|text| {
                let (name, times) = text.split_once(':')?;
                Some((name.to_owned(), times.parse().ok()?))
            });
            let log = std::env::var_os("MAAS_FAILPOINT_LOG")
                .and_then(|file| OpenOptions::new().create(true).append(true).open(file).ok());
            Self {
                kill_at,
                passed: AtomicU64::new(0),
                log,
            }
        }

        fn pass(&self, name: &str) {
            if let Some(mut log) = self.log.as_ref() {
                // One write each: lines of several threads do not mix.
                let _ = log.write_all(format!("{name}\n").as_bytes());
            }
            let Some((wanted, times)) = &self.kill_at else {
                return;
            };
            if wanted == name && self.passed.fetch_add(1, Ordering::SeqCst) + 1 == *times {
                kill();
            }
        }
    }

    /// The process is at this place now.
    pub fn pass(point: Failpoint) {
        static ARMED: OnceLock<Armed> = OnceLock::new();
        ARMED
            .get_or_init(Armed::from_environment)
            .pass(point.name());
    }

    /// No destructor runs, nothing is flushed: as when the machine's memory ran out.
    fn kill() {
        use rustix::process::{Signal, getpid, kill_process};
        let _ = kill_process(getpid(), Signal::KILL);
    }
}
