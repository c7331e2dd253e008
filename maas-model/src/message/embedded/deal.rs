//! Who gets which messages.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::message::{self, Claimed};
use super::request::GiveBack;
use super::writer::Writer;

impl Writer {
    /// Claims for each queue what its subscribers have room for, and deals it out like cards, beginning
    /// with the one that has most room.
    pub(super) fn claim(&self) -> rusqlite::Result<Vec<(usize, Claimed)>> {
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

    /// What finds no taker is given back.
    pub(super) fn deliver(&mut self, claimed: Vec<(usize, Claimed)>) {
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
