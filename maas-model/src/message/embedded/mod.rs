//! The bus in one local file: durable, shared by the processes of a machine, nothing to install.
//!
//! ```text
//! publish, settle, ... -> channel -> writer thread -> one transaction for all that wait -> answers
//!                                                  \-> claims in it -> subscriptions
//! ```
//!
//! Several processes may open one folder: SQLite keeps their writes apart, and a bus with subscriptions
//! looks five times a second whether another process wrote. The folder must be on a local disk.

mod deal;
mod holder;
mod job;
mod lease;
mod message;
mod request;
mod route;
mod schema;
mod subscription;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::{fmt, thread};

use async_trait::async_trait;
use tokio::sync::{Semaphore, mpsc, oneshot};

use self::holder::Holder;
use self::job::{Desk, job};
use self::request::{Request, Subscriber};
use self::route::{OtherKind, Route, Routes};
use self::subscription::EmbeddedSubscription;
use self::writer::Writer;
use super::{
    BusError, BusStatus, Delayed, MessageBus, Outgoing, Peeked, Published, QueueInfo, QueueName,
    Subscription, Topology, meter, names,
};
use crate::private;

/// The file in the data folder.
const FILE: &str = "bus.sqlite";
/// Calls that wait for the writer at most; further ones wait for their turn.
const WAITING_CALLS: usize = 1_024;

/// See the module.
pub struct EmbeddedBus {
    file: PathBuf,
    requests: Sender<Request>,
    turns: Semaphore,
    subscriptions: AtomicI64,
    closed: Arc<AtomicBool>,
}

impl EmbeddedBus {
    /// Opens `bus.sqlite` in `folder`, makes both when missing, and takes back what processes that died
    /// had in hand. Blocks shortly (a file is opened).
    pub fn open(folder: &Path) -> Result<Self, BusError> {
        let file = folder.join(FILE);
        let unreachable = |source: std::io::Error| BusError::Unreachable {
            endpoint: file.display().to_string(),
            source: source.into(),
        };
        private::make_folder(folder).map_err(unreachable)?;
        // SQLite gives its log files the rights of the main file.
        private::append(&file).map_err(unreachable)?;
        let connection = schema::open(&file)?;
        let holder = Holder::new(folder).map_err(unreachable)?;
        holder::reap(&connection, folder, holder.token())
            .and_then(|()| holder.register(&connection))
            .map_err(|source| schema::error(&file, source))?;

        let (requests, receiver) = std::sync::mpsc::channel();
        let desk = Desk {
            connection,
            routes: Routes::default(),
            holder,
            file: file.clone(),
        };
        let writer = Writer::new(desk, folder.to_owned(), receiver);
        thread::Builder::new()
            .name("maas-bus".into())
            .spawn(move || writer.run())
            .map_err(unreachable)?;
        Ok(Self {
            file,
            requests,
            turns: Semaphore::new(WAITING_CALLS),
            subscriptions: AtomicI64::new(0),
            closed: Arc::default(),
        })
    }

    /// Runs `work` in the writer's transaction; answers once that is on disk.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Desk) -> Result<T, BusError> + Send + 'static,
    ) -> Result<T, BusError> {
        let _turn = self.turns.acquire().await.map_err(|_| BusError::Closed)?;
        let (reply, answer) = oneshot::channel();
        self.send(Request::Job(job(work, reply)))?;
        answer.await.unwrap_or(Err(BusError::Closed))
    }

    /// As [`Self::write`], for work on one queue that must exist.
    async fn write_queue<T: Send + 'static>(
        &self,
        queue: &QueueName,
        work: impl FnOnce(&Desk, i64) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, BusError> {
        let queue = queue.clone();
        self.write(move |desk| {
            let id = desk
                .routes
                .queue(queue.as_str())
                .ok_or_else(|| BusError::Refused {
                    endpoint: desk.file.display().to_string(),
                    reason: format!("there is no queue `{queue}`"),
                })?;
            work(desk, id).map_err(|source| schema::error(&desk.file, source))
        })
        .await
    }

    fn send(&self, request: Request) -> Result<(), BusError> {
        self.requests.send(request).map_err(|_| BusError::Closed)
    }
}

#[async_trait]
impl MessageBus for EmbeddedBus {
    async fn declare(&self, topology: &Topology) -> Result<(), BusError> {
        let topology = topology.clone();
        self.write(move |desk| {
            let declared = route::declare(&desk.connection, &topology);
            // Also when it fails: what was read may be of a transaction that is undone.
            desk.routes = Routes::default();
            declared
                .and_then(|declared| desk.routes.refresh(&desk.connection).map(|()| declared))
                .map_err(|source| schema::error(&desk.file, source))?
                .map_err(|OtherKind { queue, kind }| BusError::Mismatch {
                    name: queue,
                    reason: format!("it is of kind `{kind}`; write that in the pipeline"),
                })
        })
        .await
    }

    async fn publish(&self, messages: Vec<Outgoing>) -> Result<Vec<Published>, BusError> {
        let outcomes = self.write(move |desk| publish(desk, &messages)).await?;
        meter::published(&outcomes);
        Ok(outcomes)
    }

    async fn subscribe(
        &self,
        queue: &QueueName,
        prefetch: u16,
    ) -> Result<Box<dyn Subscription>, BusError> {
        let number = self.subscriptions.fetch_add(1, Ordering::Relaxed);
        let id = self
            .write_queue(queue, move |desk, id| {
                desk.connection.execute(
                    "INSERT INTO subscription VALUES(?, ?, ?)",
                    rusqlite::params![desk.holder.token(), number, id],
                )?;
                Ok(id)
            })
            .await?;
        let prefetch = usize::from(prefetch.max(1));
        let (sender, messages) = mpsc::channel(prefetch);
        let unsettled = Arc::new(AtomicUsize::new(0));
        self.send(Request::Subscribe(Subscriber {
            number,
            queue: id,
            prefetch,
            unsettled: Arc::clone(&unsettled),
            messages: sender,
        }))?;
        Ok(Box::new(EmbeddedSubscription {
            number,
            queue: queue.clone(),
            unsettled,
            messages,
            requests: self.requests.clone(),
            closed: Arc::clone(&self.closed),
        }))
    }

    async fn queues(&self, pattern: &str) -> Result<Vec<QueueInfo>, BusError> {
        let mut queues = self
            .write(|desk| {
                message::counts(&desk.connection)
                    .map_err(|source| schema::error(&desk.file, source))
            })
            .await?;
        queues.retain(|queue| names::text_matches(pattern, queue.name.as_str()));
        Ok(queues)
    }

    async fn peek(&self, queue: &QueueName, limit: usize) -> Result<Vec<Peeked>, BusError> {
        self.write_queue(queue, move |desk, id| {
            message::peek(&desk.connection, id, limit)
        })
        .await
    }

    async fn delayed(&self, limit: usize) -> Result<Vec<Delayed>, BusError> {
        self.write(move |desk| {
            message::delayed(&desk.connection, limit)
                .map_err(|source| schema::error(&desk.file, source))
        })
        .await
    }

    async fn purge(&self, queue: &QueueName) -> Result<u64, BusError> {
        self.write_queue(queue, |desk, id| message::purge(&desk.connection, id))
            .await
    }

    async fn status(&self) -> Result<BusStatus, BusError> {
        let journal = self
            .write(|desk| {
                desk.connection
                    .pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0))
                    .map_err(|source| schema::error(&desk.file, source))
            })
            .await?;
        Ok(BusStatus {
            name: format!("embedded bus {}", self.file.display()),
            version: format!("SQLite {}", rusqlite::version()),
            healthy: true,
            detail: format!("journal mode {journal}"),
        })
    }

    async fn close(&self) -> Result<(), BusError> {
        self.closed.store(true, Ordering::Release);
        let (reply, answer) = oneshot::channel();
        if self.requests.send(Request::Close(reply)).is_err() {
            return Ok(());
        }
        answer.await.unwrap_or(Ok(()))
    }
}

fn publish(desk: &mut Desk, messages: &[Outgoing]) -> Result<Vec<Published>, BusError> {
    let mut outcomes = Vec::with_capacity(messages.len());
    for message in messages {
        let queues = match desk.routes.of(message) {
            Route::Queues(queues) => queues,
            Route::NoExchange => {
                let reason = format!("there is no exchange `{}`", message.exchange);
                outcomes.push(Published::Refused(reason));
                continue;
            }
        };
        for &queue in &queues {
            message::put(&desk.connection, queue, message)
                .map_err(|source| schema::error(&desk.file, source))?;
        }
        outcomes.push(if queues.is_empty() {
            Published::Unroutable
        } else {
            Published::Routed
        });
    }
    Ok(outcomes)
}

impl fmt::Debug for EmbeddedBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedBus")
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
