//! What a broker can do to us: restarts, half-open links, alarms, refusals, returned messages.

mod alarm;
mod bodies;
mod look;
mod overtime;
mod restarts;
mod returned;
mod stops;
mod world;

use super::Goal;

pub(super) const GOALS: [Goal; 6] = [
    restarts::GOAL,
    returned::GOAL,
    alarm::GOAL,
    overtime::GOAL,
    stops::GOAL,
    bodies::GOAL,
];
