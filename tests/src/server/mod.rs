//! Real servers, started on loopback with a data folder of their own and ended with the test process.
//!
//! `tests/setup` installs what they need. A server that cannot be started is an error, never a reason
//! to skip a test.

mod opensearch;
mod port;
mod process;
mod rabbitmq;

pub use opensearch::{OpenSearch, OpenSearchOptions, shared_opensearch};
pub use port::free_port;
pub use rabbitmq::{RabbitMq, RabbitMqOptions, TlsPort, shared_rabbitmq};

use std::future::Future;
use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::Instant;

/// Asks `done` until it says so; an error names `what` when `limit` has passed.
pub async fn wait_until<F, R>(what: &str, limit: Duration, mut done: F) -> Result<()>
where
    F: FnMut() -> R,
    R: Future<Output = bool>,
{
    /// A server that is just starting may take a connection and never answer.
    const ONE_TRY: Duration = Duration::from_secs(10);
    let deadline = Instant::now() + limit;
    while !tokio::time::timeout(ONE_TRY, done()).await.unwrap_or(false) {
        if Instant::now() > deadline {
            bail!("waited {limit:?} in vain for {what}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
