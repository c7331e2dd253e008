//! Which interface starts after which.

use std::collections::HashMap;
use std::future::Future;
use std::time::Duration;

use anyhow::Context;
use maas_collector::flow::FlowStats;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Between two looks at an interface that never ends.
const PAUSE: Duration = Duration::from_millis(50);

/// Tells the interfaces of a run how far the others are.
#[derive(Default)]
pub(super) struct Order {
    /// Whether each has had its first turn.
    first_turns: HashMap<String, watch::Receiver<bool>>,
    /// Kept until somebody takes them: a dropped sender says that there will be no first turn.
    senders: HashMap<String, watch::Sender<bool>>,
}

/// The place of one interface in the order.
pub(super) struct Turn {
    first_turn: watch::Sender<bool>,
    after: Vec<(String, watch::Receiver<bool>)>,
}

impl Order {
    /// The order of these interfaces.
    pub(super) fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut order = Self::default();
        for name in names {
            let (sender, receiver) = watch::channel(false);
            order.first_turns.insert(name.to_owned(), receiver);
            order.senders.insert(name.to_owned(), sender);
        }
        order
    }

    /// The place of `name`, which starts after `after`: of these, the ones that do not run are not
    /// waited for.
    pub(super) fn turn(&mut self, name: &str, after: &[String]) -> Turn {
        let running = after.iter().filter_map(|name| {
            let first_turn = self.first_turns.get(name)?.clone();
            Some((name.clone(), first_turn))
        });
        Turn {
            first_turn: (self.senders.remove(name)).unwrap_or_else(|| watch::channel(false).0),
            after: running.collect(),
        }
    }
}

impl Turn {
    /// Returns when it is this interface's turn; `false` when `stop` came first.
    ///
    /// Fails when one of those before it has failed: without their data this one would store wrong ones.
    pub(super) async fn come(&mut self, stop: &CancellationToken) -> anyhow::Result<bool> {
        for (name, first_turn) in &mut self.after {
            let waited = stop.run_until_cancelled(first_turn.wait_for(|had| *had));
            match waited.await {
                None => return Ok(false),
                Some(Ok(_)) => {}
                // It ends without a first turn also when it is stopped.
                Some(Err(_)) if stop.is_cancelled() => return Ok(false),
                Some(Err(error)) => {
                    return Err(error).with_context(|| {
                        format!("not started: `{name}`, which comes before it, has failed")
                    });
                }
            }
        }
        Ok(true)
    }

    /// Runs the interface, and lets those after it start when it has first had nothing to do, or has
    /// ended well.
    pub(super) async fn take<T, E>(
        self,
        stats: &FlowStats,
        run: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let mut run = std::pin::pin!(run);
        let idle = async {
            while !stats.is_idle() {
                tokio::time::sleep(PAUSE).await;
            }
        };
        let ended = tokio::select! {
            ended = &mut run => Some(ended),
            () = idle => None,
        };
        if !matches!(ended, Some(Err(_))) {
            self.first_turn.send_replace(true);
        }
        match ended {
            Some(ended) => ended,
            None => run.await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> (Turn, Turn, Turn) {
        let mut order = Order::of(["table", "other", "products"]);
        let after = ["table".to_owned(), "not run".to_owned()];
        (
            order.turn("table", &[]),
            order.turn("other", &[]),
            order.turn("products", &after),
        )
    }

    #[tokio::test]
    async fn an_interface_waits_for_those_before_it_and_for_no_others() {
        let (table, _other, mut products) = order();
        let stop = CancellationToken::new();
        {
            let mut coming = std::pin::pin!(products.come(&stop));
            let early = futures_util::poll!(&mut coming);
            assert!(early.is_pending());
            table.first_turn.send_replace(true);
            assert!(coming.await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_failure_before_it_is_named_and_a_stop_is_none() {
        let stop = CancellationToken::new();
        let (table, _other, mut products) = order();
        drop(table);
        let error = products.come(&stop).await.unwrap_err().to_string();
        assert!(error.contains("`table`"), "{error}");
        stop.cancel();
        assert!(!products.come(&stop).await.unwrap());
    }
}
