//! The one thread that writes: many requests in one transaction, one sync to disk for all of them, and
//! in the same transaction the next messages for whoever waits.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::holder::{self, Holder};
use super::message::{self, Claimed};
use super::route::Routes;
use super::schema;
use crate::failpoint::{Failpoint, pass};
use crate::message::BusError;

/// Requests that share one transaction at most.
const GROUP: usize = 512;
/// How often a bus with subscriptions looks for messages of other processes; one pragma each time.
const POLL: Duration = Duration::from_millis(200);
/// How often it looks for processes that died with messages in hand.
const REAP: Duration = Duration::from_secs(2);

/// Work inside of the transaction; answers once that is on disk. Without a desk there is no transaction.
pub(super) type Job = Box<dyn FnOnce(Option<&mut Desk>) -> Answer + Send>;
/// Told whether the transaction is on disk.
pub(super) type Answer = Box<dyn FnOnce(Result<(), BusError>) + Send>;

/// What the thread is asked for.
pub(super) enum Request {
    /// Work in the database.
    Job(Job),
    /// A message is done with. Nobody waits for it.
    Ack(Ack),
    /// A message comes back: its delivery was dropped.
    GiveBack(GiveBack),
    /// A subscription begins.
    Subscribe(Subscriber),
    /// The subscription of this number ended.
    Unsubscribe(i64),
    /// Everything leased goes back, the thread ends.
    Close(oneshot::Sender<Result<(), BusError>>),
}

/// A message that was leased and is done with.
pub(super) struct Ack {
    pub(super) id: i64,
    pub(super) unsettled: Arc<AtomicUsize>,
}

/// A message that was leased and not settled.
pub(super) struct GiveBack {
    pub(super) id: i64,
    /// Whether a worker had it in hand.
    pub(super) seen: bool,
    pub(super) unsettled: Arc<AtomicUsize>,
}

/// Where the messages of a queue are sent to.
pub(super) struct Subscriber {
    pub(super) number: i64,
    pub(super) queue: i64,
    pub(super) prefetch: usize,
    /// Claimed and not settled, the ones not yet taken from the channel too.
    pub(super) unsettled: Arc<AtomicUsize>,
    /// Holds `prefetch` messages, so there is always room.
    pub(super) messages: mpsc::Sender<Claimed>,
}

impl Subscriber {
    fn room(&self) -> usize {
        self.prefetch
            .saturating_sub(self.unsettled.load(Ordering::Acquire))
    }
}

/// What a job works with.
pub(super) struct Desk {
    pub(super) connection: Connection,
    pub(super) routes: Routes,
    pub(super) holder: Holder,
    pub(super) file: PathBuf,
}

/// The thread's state.
pub(super) struct Writer {
    desk: Desk,
    folder: PathBuf,
    requests: Receiver<Request>,
    subscribers: Vec<Subscriber>,
    /// Messages done with. Kept until they are on disk: nobody waits for them, so nobody would ask again.
    acks: Vec<i64>,
    /// Kept as the acks are.
    give_backs: Vec<GiveBack>,
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
            reap(connection, &self.folder, token)?;
            self.reaped = Instant::now();
        }
        Ok(())
    }

    /// Claims for each queue what its subscribers have room for, and deals it out like cards, beginning
    /// with the one that has most room.
    fn claim(&self) -> rusqlite::Result<Vec<(usize, Claimed)>> {
        let mut order: Vec<usize> = (0..self.subscribers.len()).collect();
        order.sort_by_key(|&at| {
            let subscriber = &self.subscribers[at];
            (subscriber.queue, std::cmp::Reverse(subscriber.room()))
        });
        let mut dealt = Vec::new();
        for same_queue in
            order.chunk_by(|&a, &b| self.subscribers[a].queue == self.subscribers[b].queue)
        {
            let mut rooms: Vec<(usize, usize)> = same_queue
                .iter()
                .map(|&at| (at, self.subscribers[at].room()))
                .collect();
            let wanted: usize = rooms.iter().map(|(_, room)| room).sum();
            if wanted == 0 {
                continue;
            }
            let (desk, queue) = (&self.desk, self.subscribers[same_queue[0]].queue);
            let claimed = message::claim(&desk.connection, queue, desk.holder.token(), wanted)?;
            deal(claimed, &mut rooms, &mut dealt);
        }
        Ok(dealt)
    }

    fn deliver(&mut self, claimed: Vec<(usize, Claimed)>) {
        for (at, message) in claimed {
            let subscriber = &self.subscribers[at];
            subscriber.unsettled.fetch_add(1, Ordering::AcqRel);
            let unsent = match subscriber.messages.try_send(message) {
                Ok(()) => continue,
                Err(error) => error.into_inner(),
            };
            // The subscription was dropped meanwhile.
            let unsettled = Arc::clone(&subscriber.unsettled);
            self.give_backs.push(GiveBack {
                id: unsent.id,
                seen: false,
                unsettled,
            });
        }
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

/// Gives back what dead processes had.
pub(super) fn reap(connection: &Connection, folder: &Path, own: &str) -> rusqlite::Result<()> {
    for token in holder::dead(connection, folder, own)? {
        let messages = holder::release(connection, &token)?;
        holder::forget(folder, &token);
        if messages > 0 {
            tracing::warn!(
                messages,
                "a process ended with messages in hand, they are delivered again"
            );
        }
    }
    Ok(())
}

fn deal(claimed: Vec<Claimed>, rooms: &mut [(usize, usize)], dealt: &mut Vec<(usize, Claimed)>) {
    let mut turn = 0;
    for message in claimed {
        // As many were claimed as there is room, so one is always found.
        let Some(next) = (0..rooms.len())
            .map(|step| (turn + step) % rooms.len())
            .find(|&place| rooms[place].1 > 0)
        else {
            return;
        };
        rooms[next].1 -= 1;
        dealt.push((rooms[next].0, message));
        turn = next + 1;
    }
}

fn forget_subscription(number: i64) -> Job {
    Box::new(move |desk| {
        if let Some(desk) = desk {
            // When it stays, one consumer too many is shown until this process ends.
            let _ = desk.connection.execute(
                "DELETE FROM subscription WHERE token = ? AND number = ?",
                rusqlite::params![desk.holder.token(), number],
            );
        }
        Box::new(|_| ())
    })
}

/// A job that answers with the result of `work`, undone when it fails.
pub(super) fn job<T: Send + 'static>(
    work: impl FnOnce(&mut Desk) -> Result<T, BusError> + Send + 'static,
    reply: oneshot::Sender<Result<T, BusError>>,
) -> Job {
    Box::new(move |desk| {
        let result = desk.map_or(Err(BusError::Closed), |desk| in_savepoint(desk, work));
        Box::new(move |committed| {
            let _ = reply.send(committed.and(result));
        })
    })
}

fn in_savepoint<T>(
    desk: &mut Desk,
    work: impl FnOnce(&mut Desk) -> Result<T, BusError>,
) -> Result<T, BusError> {
    let step = |desk: &Desk, sql: &str| {
        desk.connection
            .execute_batch(sql)
            .map_err(|source| schema::error(&desk.file, source))
    };
    step(desk, "SAVEPOINT job")?;
    let result = work(desk);
    if result.is_err() {
        step(desk, "ROLLBACK TO job")?;
    }
    step(desk, "RELEASE job")?;
    result
}
