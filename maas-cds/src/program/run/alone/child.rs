//! The child: takes messages from its standard input, one after the other, until that ends.

use std::collections::BTreeMap;
use std::io::{BufRead, Write, stdin, stdout};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use maas_engine::pool::PoolRunner;
use maas_engine::pool::contain::{Answer, Counted, Happening, Tally, Watch};
use maas_model::pipeline::Pipeline;
use tokio::sync::mpsc;

use super::limit;
use super::wire::{Order, Say};
use crate::program::Outcome;
use crate::program::options::Connection;
use crate::program::run::{parts, start};

/// Without work for so long it ends: it holds connections and memory.
const IDLE: Duration = Duration::from_secs(30);

/// Works on messages of a pool as the parent hands them in.
pub(crate) async fn serve(
    pool: &str,
    pipeline: &Pipeline,
    connection: &Connection,
    memory_mib: Option<u64>,
) -> anyhow::Result<Outcome> {
    outlast_signals()?;
    let mut orders = listen()?;
    limit::memory(memory_mib).context("cannot limit the memory")?;
    let servers = start::open(connection).await?;
    let counted: Arc<Mutex<Counted>> = Arc::default();
    let runner = build(pool, pipeline, &servers, Arc::clone(&counted))?;
    say(&Say::Ready);
    while let Ok(Some(order)) = tokio::time::timeout(IDLE, orders.recv()).await {
        let body = order.body()?;
        say(&Say::Took);
        let before = Tally::of(&runner.stats());
        let processed = runner.run_once(order.work(&body)).await;
        let answer = Answer {
            verdict: processed.verdict,
            outcomes: processed.outcomes,
            tally: Tally::of(&runner.stats()).since(before),
            counted: std::mem::take(&mut counted.lock().unwrap_or_else(PoisonError::into_inner)),
        };
        say(&Say::Done(Box::new(answer)));
    }
    servers.bus.close().await?;
    servers.store.close().await?;
    Ok(Outcome::Done)
}

fn build(
    name: &str,
    pipeline: &Pipeline,
    servers: &start::Servers,
    counted: Arc<Mutex<Counted>>,
) -> anyhow::Result<PoolRunner> {
    let here = pipeline.without_missing();
    let pool = here.pools.iter().find(|pool| pool.name == name);
    let pool = pool.with_context(|| format!("the pipeline has no pool `{name}` any more"))?;
    let watch = Watch::heard(move |happening| match happening {
        Happening::Begins(running) => say(&Say::Began {
            engine: running.engine.clone(),
            limit: running.limit,
        }),
        Happening::Ends => say(&Say::Ended),
        Happening::Counted {
            engine,
            outcome,
            documents,
        } => {
            let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
            let of_engine: &mut BTreeMap<_, _> = counted.entry(engine.to_owned()).or_default();
            *of_engine.entry(outcome.to_owned()).or_default() += documents as u64;
        }
    });
    let runner = PoolRunner::build(pool, parts::pool_context(pipeline, servers))?;
    Ok(runner.watched(Arc::new(watch)))
}

fn say(what: &Say) {
    // When the parent is gone so is the reader of its orders, which ends this process.
    if let Ok(line) = what.line() {
        let mut out = stdout().lock();
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }
}

/// Orders, read by a thread of its own: it also ends the process when the parent is gone, whatever an engine does.
fn listen() -> anyhow::Result<mpsc::Receiver<Order>> {
    let (sender, orders) = mpsc::channel(1);
    let read = move || {
        for line in stdin().lock().lines() {
            let Ok(Ok(order)) = line.map(|line| serde_json::from_str(&line)) else {
                break;
            };
            if sender.blocking_send(order).is_err() {
                return;
            }
        }
        std::process::exit(0);
    };
    std::thread::Builder::new()
        .name("maas-orders".to_owned())
        .spawn(read)
        .context("cannot start a thread")?;
    Ok(orders)
}

/// A signal to all processes of a service is meant for the parent, which tells this one by the end of its input.
fn outlast_signals() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals = signal(kind)?;
        tokio::spawn(async move { while signals.recv().await.is_some() {} });
    }
    Ok(())
}
