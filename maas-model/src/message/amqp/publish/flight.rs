//! The messages of one channel whose outcome is open.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use lapin::message::BasicReturnMessage;
use lapin::options::BasicPublishOptions;
use lapin::{Channel, Confirmation};

use super::Item;
use crate::failpoint::{Failpoint, pass};
use crate::message::amqp::wire;
use crate::message::{Outgoing, Published};

/// What identifies a message in what comes back.
type Key = (String, String, String);

pub(super) struct Sent {
    pub(super) item: Item,
    /// Whether the broker took responsibility, once it told.
    acked: Option<bool>,
}

type Confirming = BoxFuture<'static, (u64, lapin::Result<Confirmation>)>;

/// The messages of one channel whose outcome is open, in the order they were sent.
pub(super) struct Flight {
    channel: Channel,
    pub(super) sent: VecDeque<Sent>,
    /// Number of the first of `sent`.
    first: u64,
    pub(super) confirms: FuturesUnordered<Confirming>,
    returned: HashMap<Key, usize>,
}

impl Flight {
    pub(super) fn new(channel: Channel) -> Self {
        Self {
            channel,
            sent: VecDeque::new(),
            first: 0,
            confirms: FuturesUnordered::new(),
            returned: HashMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.sent.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    /// Frames go out in the order of these calls: new futures are polled first in, first out.
    pub(super) fn send(&mut self, item: Item) {
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
    pub(super) fn confirmed(
        &mut self,
        number: u64,
        result: lapin::Result<Confirmation>,
    ) -> lapin::Result<()> {
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
    pub(super) fn decide(&mut self) -> Vec<Item> {
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
