//! What the buses count. `queue` labels are bounded by the topology.

use metrics::counter;

use super::{Published, QueueName};

/// Counts what came of the messages of one publish.
pub(super) fn published(outcomes: &[Published]) {
    let (mut routed, mut unroutable, mut refused) = (0, 0, 0);
    for outcome in outcomes {
        match outcome {
            Published::Routed => routed += 1,
            Published::Unroutable => unroutable += 1,
            Published::Refused(_) => refused += 1,
        }
    }
    counter!("maas_bus_published_total").increment(outcomes.len() as u64);
    counter!("maas_bus_confirmed_total").increment(routed);
    counter!("maas_bus_unroutable_total").increment(unroutable);
    counter!("maas_bus_refused_total").increment(refused);
}

/// Counts one delivery handed to a worker.
pub(super) fn delivered(queue: &QueueName) {
    counter!("maas_bus_delivered_total", "queue" => queue.to_string()).increment(1);
}

/// Counts one delivery that was done.
pub(super) fn acked(queue: &QueueName) {
    counter!("maas_bus_acked_total", "queue" => queue.to_string()).increment(1);
}

/// Counts one delivery that is to be tried again.
pub(super) fn returned(queue: &QueueName) {
    counter!("maas_bus_returned_total", "queue" => queue.to_string()).increment(1);
}

/// Counts one delivery that was given up.
pub(super) fn dead(queue: &QueueName) {
    counter!("maas_bus_dead_total", "queue" => queue.to_string()).increment(1);
}
