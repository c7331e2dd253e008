//! Publishes with confirms and a window, and sends again what a broken connection left open.
//!
//! A message that no queue took comes back before its confirm. lapin hands the oldest waiting return to
//! whichever confirm comes next, so what came back is told by the returned message itself, never by the
//! confirm that carried it. All returns up to a message have been handed out when all messages up to it
//! are confirmed: each confirm hands out one return, and each return precedes its own confirm. So outcomes
//! are decided from the front of the window only.

mod culprit;
mod flight;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use lapin::Connection;
use lapin::options::ConfirmSelectOptions;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use self::culprit::Culprit;
use self::flight::Flight;
use super::link::{Link, jittered};
use super::wire;
use crate::message::{Outgoing, Published};

/// Pause before messages are sent again that the broker had no room for, or after a broken channel.
const PAUSE: Duration = Duration::from_millis(200);

/// A message on its way.
pub(super) struct Item {
    pub(super) message: Arc<Outgoing>,
    pub(super) reply: oneshot::Sender<Published>,
}

impl Item {
    fn answer(self, outcome: Published) {
        // Nobody waits any more when the caller gave up.
        let _ = self.reply.send(outcome);
    }
}

/// The task behind all calls of publish.
pub(super) struct Publisher {
    link: Link,
    items: mpsc::Receiver<Item>,
    window: usize,
    /// Largest body the broker takes, as far as known.
    max_bytes: usize,
    /// To be sent (again), oldest first.
    waiting: VecDeque<Item>,
    /// To be sent again later, soonest first: the broker had no room for them. Others do not wait for them.
    resting: VecDeque<(Instant, Item)>,
}

enum Ended {
    /// Nobody can publish any more.
    Closed,
    /// The channel broke.
    Broken(lapin::Error),
}

impl Publisher {
    pub(super) fn new(
        link: Link,
        items: mpsc::Receiver<Item>,
        window: usize,
        max_bytes: usize,
    ) -> Self {
        Self {
            link,
            items,
            window,
            max_bytes,
            waiting: VecDeque::new(),
            resting: VecDeque::new(),
        }
    }

    /// Runs until the bus is closed and all is sent.
    pub(super) async fn run(mut self) {
        loop {
            if self.waiting.is_empty() && self.resting.is_empty() {
                match self.items.recv().await {
                    Some(item) => self.waiting.push_back(item),
                    None => return,
                }
            }
            let Some(connection) = self.link.up().await else {
                return;
            };
            match self.session(&connection).await {
                Ok(Ended::Closed) => return,
                Ok(Ended::Broken(error)) | Err(error) => {
                    tracing::debug!(%error, waiting = self.waiting.len(), "publishing again on a new channel");
                    sleep(jittered(PAUSE)).await;
                }
            }
        }
    }

    /// Publishes on one channel until it breaks; then everything undecided waits again.
    async fn session(&mut self, connection: &Connection) -> lapin::Result<Ended> {
        let channel = connection.create_channel().await?;
        channel
            .confirm_select(ConfirmSelectOptions::default())
            .await?;
        let mut flight = Flight::new(channel);
        loop {
            self.fill(&mut flight);
            let has_room = flight.len() < self.window;
            let rested = self.resting.front().map(|(until, _)| *until);
            tokio::select! {
                biased;
                Some((number, result)) = flight.confirms.next(), if !flight.is_empty() => {
                    if let Err(error) = flight.confirmed(number, result) {
                        self.take_back(flight, &error);
                        return Ok(Ended::Broken(error));
                    }
                    self.rest(flight.decide());
                }
                () = sleep_until(rested.unwrap_or_else(Instant::now)), if rested.is_some() && has_room => {
                    self.waiting.extend(self.resting.pop_front().map(|(_, item)| item));
                }
                item = self.items.recv(), if has_room => match item {
                    Some(item) => self.waiting.push_back(item),
                    // Who waited for what rests was answered with the end.
                    None if flight.is_empty() && self.waiting.is_empty() => return Ok(Ended::Closed),
                    // Confirms are still to come.
                    None => {
                        if let Some((number, result)) = flight.confirms.next().await {
                            if let Err(error) = flight.confirmed(number, result) {
                                self.take_back(flight, &error);
                                return Ok(Ended::Broken(error));
                            }
                            self.rest(flight.decide());
                        }
                    }
                },
            }
        }
    }

    /// All that is nacked at once rests equally long, so that the soonest stays in front.
    fn rest(&mut self, nacked: Vec<Item>) {
        let until = Instant::now() + PAUSE;
        self.resting
            .extend(nacked.into_iter().map(|item| (until, item)));
    }

    /// Sends what waits as long as the window has room.
    fn fill(&mut self, flight: &mut Flight) {
        while flight.len() < self.window {
            let Some(item) = self
                .waiting
                .pop_front()
                .or_else(|| self.items.try_recv().ok())
            else {
                return;
            };
            if item.reply.is_closed() {
                continue;
            }
            match self.refusal(&item.message) {
                Some(reason) => item.answer(Published::Refused(reason)),
                None => flight.send(item),
            }
        }
    }

    fn refusal(&self, message: &Outgoing) -> Option<String> {
        let bytes = message.body.len();
        if bytes > self.max_bytes {
            let most = self.max_bytes;
            return Some(format!(
                "its {bytes} bytes are more than the broker takes: {most}"
            ));
        }
        wire::refusal(message)
    }

    /// Puts the undecided messages of a broken channel back to the front, except the one that broke it.
    fn take_back(&mut self, flight: Flight, error: &lapin::Error) {
        let culprit = Culprit::of(error);
        if let Culprit::Larger(most) = culprit {
            self.max_bytes = self.max_bytes.min(most);
        }
        for sent in flight.sent.into_iter().rev() {
            match &culprit {
                Culprit::Exchange { name, reason }
                    if sent.item.message.exchange.as_str() == name =>
                {
                    sent.item.answer(Published::Refused(reason.clone()));
                }
                _ => self.waiting.push_front(sent.item),
            }
        }
    }
}
