//! Publishes with confirms and a window, and sends again what a broken connection left open.
//!
//! A message that no queue took comes back before its confirm. lapin hands the oldest waiting return to
//! whichever confirm comes next, so what came back is told by the returned message itself, never by the
//! confirm that carried it. All returns up to a message have been handed out when all messages up to it
//! are confirmed: each confirm hands out one return, and each return precedes its own confirm. So outcomes
//! are decided from the front of the window only.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use lapin::message::BasicReturnMessage;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{Channel, Confirmation, Connection};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use super::error::{Meaning, meaning};
use super::link::{Link, jittered};
use super::wire;
use crate::failpoint::{Failpoint, pass};
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

/// What broke a channel, as far as the broker tells.
enum Culprit {
    /// Messages to an exchange that does not exist.
    Exchange { name: String, reason: String },
    /// A message with more bytes than this.
    Larger(usize),
    /// Nobody in particular.
    Nobody,
}

impl Culprit {
    fn of(error: &lapin::Error) -> Self {
        match meaning(error) {
            // NOT_FOUND - no exchange 'NAME' in vhost '/'
            Meaning::Missing(reason) => match reason.split('\'').nth(1) {
                Some(name) => Self::Exchange {
                    name: name.to_owned(),
                    reason,
                },
                None => Self::Nobody,
            },
            // PRECONDITION_FAILED - message size 1500000 is larger than configured max size 1000000
            Meaning::Precondition(reason) => {
                let most = reason.rsplit_once("max size ").map(|(_, rest)| rest);
                let digits = most.and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
                digits
                    .and_then(|digits| digits.parse().ok())
                    .map_or(Self::Nobody, Self::Larger)
            }
            Meaning::Denied(_) | Meaning::Untrusted(_) | Meaning::Broken(_) => Self::Nobody,
        }
    }
}

/// What identifies a message in what comes back.
type Key = (String, String, String);

struct Sent {
    item: Item,
    /// Whether the broker took responsibility, once it told.
    acked: Option<bool>,
}

type Confirming = BoxFuture<'static, (u64, lapin::Result<Confirmation>)>;

/// The messages of one channel whose outcome is open, in the order they were sent.
struct Flight {
    channel: Channel,
    sent: VecDeque<Sent>,
    /// Number of the first of `sent`.
    first: u64,
    confirms: FuturesUnordered<Confirming>,
    returned: HashMap<Key, usize>,
}

impl Flight {
    fn new(channel: Channel) -> Self {
        Self {
            channel,
            sent: VecDeque::new(),
            first: 0,
            confirms: FuturesUnordered::new(),
            returned: HashMap::new(),
        }
    }

    fn len(&self) -> usize {
        self.sent.len()
    }

    fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    /// Frames go out in the order of these calls: new futures are polled first in, first out.
    fn send(&mut self, item: Item) {
        let number = self.first + self.sent.len() as u64;
        let (channel, message) = (self.channel.clone(), Arc::clone(&item.message));
        let publish = async move {
            pass(Failpoint::BusSending);
            let confirm = channel
                .basic_publish(
                    message.exchange.as_str().into(),
                    message.routing_key.as_str().into(),
                    BasicPublishOptions {
                        mandatory: true,
                        immediate: false,
                    },
                    &message.body,
                    wire::properties(&message),
                )
                .await;
            pass(Failpoint::BusSent);
            let result = match confirm {
                Ok(confirm) => confirm.await,
                Err(error) => Err(error),
            };
            pass(Failpoint::BusConfirmed);
            (number, result)
        };
        self.confirms.push(publish.boxed());
        self.sent.push_back(Sent { item, acked: None });
    }

    /// Notes one confirm and all others that are there already: one of them may carry a return that
    /// belongs to this message.
    fn confirmed(&mut self, number: u64, result: lapin::Result<Confirmation>) -> lapin::Result<()> {
        self.note(number, result)?;
        while let Some(Some((number, result))) = self.confirms.next().now_or_never() {
            self.note(number, result)?;
        }
        Ok(())
    }

    fn note(&mut self, number: u64, result: lapin::Result<Confirmation>) -> lapin::Result<()> {
        let confirmation = result?;
        let acked = confirmation.is_ack();
        if let Some(message) = confirmation.take_message() {
            *self.returned.entry(key_of_return(&message)).or_default() += 1;
        }
        let place = usize::try_from(number - self.first).ok();
        if let Some(sent) = place.and_then(|place| self.sent.get_mut(place)) {
            sent.acked = Some(acked);
        }
        Ok(())
    }

    /// Answers from the front as far as all is known; gives back what the broker would not take now.
    fn decide(&mut self) -> Vec<Item> {
        let mut nacked = Vec::new();
        while let Some(acked) = self.sent.front().and_then(|sent| sent.acked) {
            let Some(Sent { item, .. }) = self.sent.pop_front() else {
                break;
            };
            self.first += 1;
            if self.came_back(&item.message) {
                item.answer(Published::Unroutable);
            } else if acked {
                item.answer(Published::Routed);
            } else {
                nacked.push(item);
            }
        }
        nacked
    }

    fn came_back(&mut self, message: &Outgoing) -> bool {
        let key = key(message);
        let Some(times) = self.returned.get_mut(&key) else {
            return false;
        };
        *times -= 1;
        if *times == 0 {
            self.returned.remove(&key);
        }
        true
    }
}

fn key(message: &Outgoing) -> Key {
    (
        message.message_id.clone(),
        message.exchange.to_string(),
        message.routing_key.to_string(),
    )
}

fn key_of_return(message: &BasicReturnMessage) -> Key {
    let id = message
        .properties
        .message_id()
        .as_ref()
        .map(ToString::to_string);
    (
        id.unwrap_or_default(),
        message.exchange.to_string(),
        message.routing_key.to_string(),
    )
}
