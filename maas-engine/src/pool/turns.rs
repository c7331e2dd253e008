//! Takes from several queues in fair turns.

use std::future::poll_fn;
use std::task::Poll;

use maas_model::message::{Delivery, Subscription};

/// The subscriptions of a pool. Every queue that has a message gets its turn before any gets a second.
pub(crate) struct Turns {
    subscriptions: Vec<Box<dyn Subscription>>,
    /// Who is asked first.
    next: usize,
}

impl Turns {
    pub(crate) fn new(subscriptions: Vec<Box<dyn Subscription>>) -> Self {
        Self {
            subscriptions,
            next: 0,
        }
    }

    /// The next message of any queue; `None` when all subscriptions have ended. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Delivery> {
        while !self.subscriptions.is_empty() {
            let (place, delivery) = self.first().await;
            match delivery {
                Some(delivery) => {
                    self.next = place + 1;
                    return Some(delivery);
                }
                None => drop(self.subscriptions.remove(place)),
            }
        }
        None
    }

    /// The first answer, asked from whose turn it is; the other questions are dropped, which loses nothing.
    async fn first(&mut self) -> (usize, Option<Delivery>) {
        let count = self.subscriptions.len();
        let start = self.next % count;
        let mut questions: Vec<_> = self
            .subscriptions
            .iter_mut()
            .map(|subscription| subscription.next())
            .collect();
        poll_fn(|cx| {
            for offset in 0..count {
                let place = (start + offset) % count;
                if let Poll::Ready(answer) = questions[place].as_mut().poll(cx) {
                    return Poll::Ready((place, answer));
                }
            }
            Poll::Pending
        })
        .await
    }
}
