//! Names engines that never yield, and ends the process when one does not come back: nothing else can.
//!
//! A time limit acts where an engine waits for something. One that never does holds a thread of the runtime, so it is
//! watched from a thread outside of it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use maas_engine::pool::contain::{Stuck, Watch};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::activity::Activities;
use super::{GRACE, LAST_WORDS};
use crate::program::Outcome;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// For acknowledgements that are on their way. One that is lost only brings its message again.
const FLUSH: Duration = Duration::from_millis(500);

/// What the watchdog has seen.
#[derive(Debug, Default)]
pub(crate) struct Watchdog {
    stuck: Mutex<Vec<Stuck>>,
    handed_over: AtomicBool,
}

impl Watchdog {
    /// Watches until the process ends. Must run on the runtime that the engines run on.
    pub(crate) fn start(
        watch: Arc<Watch>,
        activities: Activities,
        cancel: CancellationToken,
    ) -> anyhow::Result<Arc<Self>> {
        let dog = Arc::new(Self::default());
        let awake = Arc::clone(&dog);
        let runtime = Handle::current();
        thread::Builder::new()
            .name("maas-watchdog".to_owned())
            .spawn(move || awake.run(&watch, &activities, &cancel, &runtime))
            .context("cannot start a thread")?;
        Ok(dog)
    }

    /// One line for each engine that is stuck now.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let stuck = self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
        stuck.iter().map(told).collect()
    }

    /// Whether the run ends because of a stuck engine.
    pub(crate) fn handed_over(&self) -> bool {
        self.handed_over.load(Ordering::Relaxed)
    }

    fn run(
        &self,
        watch: &Watch,
        activities: &Activities,
        cancel: &CancellationToken,
        runtime: &Handle,
    ) {
        let mut named = HashSet::new();
        loop {
            thread::sleep(PAUSE);
            // Sockets and timers are looked after by one thread of the runtime. When that takes up an engine that never
            // waits, another one must be woken to take over, or all stand still: this wakes one.
            drop(runtime.spawn(async {}));
            let stuck = watch.stuck();
            for new in stuck.iter().filter(|stuck| named.insert(stuck.ticket)) {
                let running = &new.running;
                tracing::error!(
                    pool = running.pool,
                    engine = running.engine,
                    message = running.message,
                    documents = running.documents,
                    "an engine is stuck: it works longer than it may and never waits"
                );
            }
            self.publish(&stuck);
            // As long again as it was given: then nobody believes that it comes back.
            let lost = |stuck: &&Stuck| stuck.since > stuck.running.limit * 2;
            if let Some(lost) = stuck.iter().find(lost) {
                tracing::error!(reason = told(lost), "handing over: the process ends");
                self.handed_over.store(true, Ordering::Relaxed);
                cancel.cancel();
                self.end(watch, activities);
            }
        }
    }

    /// Lets the others finish, not the stuck ones; then the process ends without waiting for anybody.
    fn end(&self, watch: &Watch, activities: &Activities) {
        let deadline = Instant::now() + GRACE + LAST_WORDS;
        while Instant::now() < deadline && activities.in_flight() > watch.stuck().len() as u64 {
            thread::sleep(PAUSE);
        }
        thread::sleep(FLUSH);
        std::process::exit(Outcome::HandedOver as i32);
    }

    fn publish(&self, stuck: &[Stuck]) {
        let mut known = self.stuck.lock().unwrap_or_else(PoisonError::into_inner);
        for old in known.iter() {
            gauge(old).set(0.0);
        }
        for now in stuck {
            gauge(now).increment(1.0);
        }
        *known = stuck.to_vec();
    }
}

fn gauge(stuck: &Stuck) -> metrics::Gauge {
    let (pool, engine) = (stuck.running.pool.clone(), stuck.running.engine.clone());
    metrics::gauge!("maas_engine_stuck", "pool" => pool, "engine" => engine)
}

fn told(stuck: &Stuck) -> String {
    let running = &stuck.running;
    format!(
        "engine `{}` of pool `{}` is stuck for {:.1} s with message `{}` ({} documents)",
        running.engine,
        running.pool,
        stuck.since.as_secs_f64(),
        running.message,
        running.documents
    )
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Longer than anybody waits for an answer of this test.
    const STUCK: Duration = Duration::from_secs(20);

    /// Answers each byte with itself, but is stuck over a `!`.
    async fn serve(listener: TcpListener) {
        while let Ok((mut peer, _)) = listener.accept().await {
            tokio::spawn(async move {
                while let Ok(byte) = peer.read_u8().await {
                    if byte == b'!' {
                        thread::sleep(STUCK);
                    }
                    let _ = peer.write_u8(byte).await;
                }
            });
        }
    }

    fn answered(peer: &mut TcpStream, byte: u8) -> bool {
        peer.write_all(&[byte]).unwrap();
        let mut answer = [0];
        peer.read_exact(&mut answer).is_ok() && answer == [byte]
    }

    #[test]
    fn an_engine_that_never_waits_does_not_stop_sockets() {
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.worker_threads(2).enable_all().build().unwrap();
        let address = runtime.block_on(async {
            let watch = Arc::new(Watch::default());
            Watchdog::start(watch, Activities::default(), CancellationToken::new()).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(serve(listener));
            address
        });
        let connect = || {
            let peer = TcpStream::connect(address).unwrap();
            peer.set_read_timeout(Some(STUCK / 2)).unwrap();
            peer
        };
        let (mut well, mut stuck) = (connect(), connect());
        assert!(answered(&mut well, b'a') && answered(&mut stuck, b'b'));
        thread::sleep(Duration::from_millis(300));
        stuck.write_all(b"!").unwrap();
        thread::sleep(Duration::from_millis(100));
        // Each time another thread may look after the sockets.
        for _ in 0..20 {
            assert!(answered(&mut well, b'c'), "the sockets stand still");
        }
        runtime.shutdown_background();
    }
}
