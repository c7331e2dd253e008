//! Without faults the simulated store and bus keep the contracts of the real ones.

use std::sync::Arc;

use maas_model::testing::bus::Fixture;
use maas_simulation::bus::SimulatedBus;
use maas_simulation::dice::Dice;
use maas_simulation::fault::Faults;
use maas_simulation::store::SimulatedStore;
use maas_simulation::world::{Who, World};

const WHO: Who = Who { slot: 0, start: 0 };

fn world() -> Arc<World> {
    World::new(Dice::of(0), Faults::default(), Vec::new(), false)
}

maas_model::store_contract!(store, async { Arc::new(SimulatedStore::new(world(), WHO)) });

mod bus {
    use super::*;

    maas_model::bus_contract!(async {
        Fixture::new(Arc::new(SimulatedBus::unbounded(world(), WHO)), ())
    });
}
