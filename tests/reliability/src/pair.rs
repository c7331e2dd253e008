//! Where the program under test keeps documents and messages: really started servers.

use std::path::Path;

use anyhow::Result;
use maas_tests::program::Pair;
use maas_tests::server::{OpenSearch, RabbitMq};

/// OpenSearch and RabbitMQ, for one goal alone; they end when this is dropped.
#[derive(Debug)]
pub struct Servers {
    /// The store.
    pub store: OpenSearch,
    /// The broker.
    pub bus: RabbitMq,
}

impl Servers {
    /// Starts both.
    pub async fn start() -> Result<Self> {
        let (store, bus) = futures_util::try_join!(OpenSearch::start(), RabbitMq::start())?;
        Ok(Self { store, bus })
    }

    /// How the program reaches them.
    pub fn pair(&self, data: &Path) -> Pair {
        Pair {
            store: self.store.url(),
            bus: self.bus.url(),
            data: data.to_path_buf(),
        }
    }
}
