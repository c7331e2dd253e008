//! The one thread that writes: many requests in one transaction, one sync to disk for all of them, and
//! in the same transaction the next messages for whoever waits.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::job::{Answer, Desk, Job, forget_subscription};
use super::request::{GiveBack, Request, Subscriber};
use super::route::Routes;
use super::{holder, message, schema};
use crate::failpoint::{Failpoint, pass};
use crate::message::BusError;

/// Requests that share one transaction at most.
const GROUP: usize = 512;
/// How often a bus with subscriptions looks for messages of other processes; one pragma each time.
const POLL: Duration = Duration::from_millis(200);
/// How often it looks for processes that died with messages in hand.
const REAP: Duration = Duration::from_secs(2);

/// The thread's state.
pub(super) struct Writer {
    pub(super) desk: Desk,
    folder: PathBuf,
    requests: Receiver<Request>,
    pub(super) subscribers: Vec<Subscriber>,
    /// Messages done with. Kept until they are on disk: nobody waits for them, so nobody would ask again.
    acks: Vec<i64>,
    /// Kept as the acks are.
    pub(super) give_backs: Vec<GiveBack>,
    /// What was given back made room only after the transaction that could have claimed for it.
    room_made: bool,
    seen_version: Option<i64>,
    reaped: Instant,
    /// Whether the last transaction failed, to say it once.
    failing: bool,
}

impl Writer {
    pub(super) fn new(desk: Desk, folder: PathBuf, requests: Receiver<Request>) -> Self {
        Self {
            desk,
            folder,
            requests,
            subscribers: Vec::new(),
            acks: Vec::new(),
            give_backs: Vec::new(),
            room_made: false,
            seen_version: None,
            reaped: Instant::now(),
            failing: false,
        }
    }

    /// Works until the bus is closed or dropped; then everything leased goes back.
    pub(super) fn run(mut self) {
        let answer = loop {
            let mut jobs = Vec::new();
            match self.wait() {
                Ok(request) => {
                    if let Some(close) = self.sort(request, &mut jobs) {
                        break Some((close, jobs));
                    }
                }
                Err(RecvTimeoutError::Timeout) if !self.something_to_do() => continue,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break None,
            }
            match self.gather(&mut jobs) {
                Some(close) => break Some((close, jobs)),
                None => self.turn(jobs),
            }
        };
        let (close, jobs) = answer.unzip();
        // Acknowledgements that were sent before are in this last transaction.
        self.subscribers.clear();
        self.turn(jobs.unwrap_or_default());
        let released = self.release_all();
        if let Some(close) = close {
            let _ = close.send(released);
        }
    }

    /// The next request; a timeout when it is time to look around.
    fn wait(&self) -> Result<Request, RecvTimeoutError> {
        if self.subscribers.is_empty() && !self.owes() {
            return self
                .requests
                .recv()
                .map_err(|_| RecvTimeoutError::Disconnected);
        }
        let delay = message::next_delay(&self.desk.connection).ok().flatten();
        // At least a millisecond, so that a delay that cannot be ended now does not spin.
        let longest = if self.room_made { Duration::ZERO } else { POLL };
        let delay = delay.map_or(longest, |delay| delay.max(Duration::from_millis(1)));
        let delay = delay.min(longest);
        self.requests.recv_timeout(delay)
    }

    /// What waits in the channel already, up to a group.
    fn gather(&mut self, jobs: &mut Vec<Job>) -> Option<oneshot::Sender<Result<(), BusError>>> {
        for _ in 1..GROUP {
            let Ok(request) = self.requests.try_recv() else {
                break;
            };
            if let Some(close) = self.sort(request, jobs) {
                return Some(close);
            }
        }
        None
    }

    fn sort(
        &mut self,
        request: Request,
        jobs: &mut Vec<Job>,
    ) -> Option<oneshot::Sender<Result<(), BusError>>> {
        match request {
            Request::Job(job) => jobs.push(job),
            Request::Ack(ack) => {
                // Room at once: the transaction that forgets the message claims the next one.
                ack.unsettled.fetch_sub(1, Ordering::AcqRel);
                self.acks.push(ack.id);
            }
            Request::GiveBack(back) => self.give_backs.push(back),
            Request::Subscribe(subscriber) => self.subscribers.push(subscriber),
            Request::Unsubscribe(number) => {
                self.subscribers
                    .retain(|subscriber| subscriber.number != number);
                jobs.push(forget_subscription(number));
            }
            Request::Close(answer) => return Some(answer),
        }
        None
    }

    /// Whether another process wrote, a delay ended, a message is owed, or a process died.
    fn something_to_do(&mut self) -> bool {
        let connection = &self.desk.connection;
        let version = connection
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .ok();
        let written = version != self.seen_version;
        self.seen_version = version;
        let delay = message::next_delay(connection).ok().flatten();
        let dead = self.reaped.elapsed() >= REAP && !self.dead().is_empty();
        let room = std::mem::take(&mut self.room_made);
        room || written || dead || delay.is_some_and(|delay| delay.is_zero()) || self.owes()
    }

    /// Whether something is to be written that nobody waits for.
    fn owes(&self) -> bool {
        !self.acks.is_empty() || !self.give_backs.is_empty()
    }

    fn dead(&self) -> Vec<String> {
        let desk = &self.desk;
        holder::dead(&desk.connection, &self.folder, desk.holder.token()).unwrap_or_default()
    }

    /// One transaction: the jobs, what is done with or comes back, and new messages for the subscriptions.
    fn turn(&mut self, jobs: Vec<Job>) {
        pass(Failpoint::BusSending);
        if let Err(source) = self.desk.connection.execute_batch("BEGIN IMMEDIATE") {
            let answers = jobs.into_iter().map(|job| job(None)).collect();
            return self.fail(source, answers);
        }
        let mut answers: Vec<Answer> = Vec::with_capacity(jobs.len());
        let begun = self.look_around();
        for job in jobs {
            answers.push(job(Some(&mut self.desk)));
        }
        let claimed = begun.and_then(|()| self.claim());
        let committed = claimed.and_then(|claimed| {
            pass(Failpoint::BusSent);
            self.desk.connection.execute_batch("COMMIT")?;
            pass(Failpoint::BusConfirmed);
            Ok(claimed)
        });
        match committed {
            Ok(claimed) => {
                self.say_recovered();
                self.acks.clear();
                self.room_made = !self.give_backs.is_empty();
                for back in self.give_backs.drain(..) {
                    back.unsettled.fetch_sub(1, Ordering::AcqRel);
                }
                answers.into_iter().for_each(|answer| answer(Ok(())));
                self.deliver(claimed);
            }
            Err(source) => {
                // Already rolled back when the disk is full.
                let _ = self.desk.connection.execute_batch("ROLLBACK");
                // Its contents may be of the transaction that was undone.
                self.desk.routes = Routes::default();
                self.fail(source, answers);
            }
        }
    }

    /// What others did, messages that are done with or go back, delays that ended, processes that died.
    fn look_around(&mut self) -> rusqlite::Result<()> {
        self.desk.routes.refresh(&self.desk.connection)?;
        let connection = &self.desk.connection;
        let token = self.desk.holder.token();
        for &id in &self.acks {
            message::ack(connection, id, token)?;
        }
        for back in &self.give_backs {
            message::give_back(connection, back.id, token, back.seen)?;
        }
        message::end_delays(connection)?;
        if self.reaped.elapsed() >= REAP && !self.subscribers.is_empty() {
            holder::reap(connection, &self.folder, token)?;
            self.reaped = Instant::now();
        }
        Ok(())
    }

    fn fail(&mut self, source: rusqlite::Error, answers: Vec<Answer>) {
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!(error = %source, file = %self.desk.file.display(), "the bus cannot write, trying again");
        }
        let text = source.to_string();
        let mut first = Some(schema::error(&self.desk.file, source));
        for answer in answers {
            let error = first.take().unwrap_or_else(|| BusError::Unreachable {
                endpoint: self.desk.file.display().to_string(),
                source: text.clone().into(),
            });
            answer(Err(error));
        }
    }

    fn say_recovered(&mut self) {
        if std::mem::replace(&mut self.failing, false) {
            tracing::info!(file = %self.desk.file.display(), "the bus writes again");
        }
    }

    /// Messages still in hand were abandoned.
    fn release_all(&self) -> Result<(), BusError> {
        let desk = &self.desk;
        holder::release(&desk.connection, desk.holder.token())
            .map(|_| ())
            .map_err(|source| schema::error(&desk.file, source))
    }
}
