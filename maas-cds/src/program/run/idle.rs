//! When there is nothing left to do.

use std::time::Duration;

use maas_model::message::{MessageBus, QueueName};

use super::activity::Activities;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// A message on its way from the broker to a pool is in neither for a moment: one look is not enough.
const LOOKS: u32 = 3;

/// Returns when the queues are empty and no pool has a message in hand. While the bus is away there may
/// be something to do.
pub(crate) async fn wait(bus: &dyn MessageBus, queues: &[QueueName], activities: &Activities) {
    let mut quiet = 0;
    while quiet < LOOKS {
        tokio::time::sleep(PAUSE).await;
        let still = activities.pools_are_idle() && empty(bus, queues).await;
        quiet = if still { quiet + 1 } else { 0 };
    }
}

async fn empty(bus: &dyn MessageBus, queues: &[QueueName]) -> bool {
    let Ok(found) = bus.queues("*").await else {
        return false;
    };
    found
        .iter()
        .filter(|queue| queues.contains(&queue.name))
        .all(|queue| {
            queue.ready == 0 && queue.delayed == 0 && queue.unsettled.unwrap_or_default() == 0
        })
}
