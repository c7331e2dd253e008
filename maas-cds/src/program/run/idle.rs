//! When there is nothing left to do.

use std::time::Duration;

use maas_model::message::{MessageBus, QueueInfo, QueueName, Topology};

use super::activity::Activities;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// A message on its way from the broker to a pool is in neither for a moment: one look is not enough.
const LOOKS: u32 = 3;

/// Returns when the queues are empty, no pool has a message in hand and no message waits for its delay to end.
/// While the bus is away there may be something to do, and a queue that nobody receives from is not known to be
/// empty: of one that it is still starting RabbitMQ says 0 messages, 0 consumers. Delay queues are shared by all that use a broker, so
/// the delayed messages of others are waited for, too.
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
    let is_empty = |queue: &QueueInfo| {
        queue.ready == 0 && queue.delayed == 0 && queue.unsettled.unwrap_or_default() == 0
    };
    let is_delay = |queue: &&QueueInfo| queue.name.as_str().starts_with(Topology::DELAY);
    let ours = |queue: &&QueueInfo| queues.contains(&queue.name);
    found.iter().filter(is_delay).all(is_empty)
        && found
            .iter()
            .filter(ours)
            .all(|queue| queue.consumers > 0 && is_empty(queue))
}
