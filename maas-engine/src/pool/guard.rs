//! Runs an engine so that a panic or an endless wait of it stays its own.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use super::contain;
use crate::engine::{Batch, Engine, EngineContext, EngineError, Output};

/// How a run of an engine failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It said so.
    Said(EngineError),
    /// It panicked; the text of the panic with its place, and the stack.
    Panicked(String, String),
    /// It took too long.
    TimedOut(Duration),
}

/// Runs `engine` once. What it left in the session after a panic or timeout may be half done.
pub(crate) async fn guarded(
    engine: &dyn Engine,
    batch: &Batch,
    cx: &mut EngineContext<'_>,
    limit: Duration,
) -> Result<Output, Fault> {
    // The context is not used again after a panic, its session is emptied.
    let run = AssertUnwindSafe(engine.run(batch, cx)).catch_unwind();
    match tokio::time::timeout(limit, run).await {
        Ok(Ok(Ok(output))) => Ok(output),
        Ok(Ok(Err(error))) => Err(Fault::Said(error)),
        Ok(Err(panic)) => Err(panicked(&*panic)),
        Err(_elapsed) => Err(Fault::TimedOut(limit)),
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Fault {
    let text = text(panic);
    match contain::caught() {
        Some((place, stack)) => Fault::Panicked(format!("{text} at {place}"), stack),
        None => Fault::Panicked(text, String::new()),
    }
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text")
        .to_owned()
}
