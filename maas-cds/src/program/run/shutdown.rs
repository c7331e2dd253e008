//! Ends a run when the operator or the platform says so.

use tokio_util::sync::CancellationToken;

/// Cancels `token` at the first SIGTERM or Ctrl-C; a second one ends the process at once (what is in hand
/// goes back to its queue).
pub(crate) fn watch(token: CancellationToken) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        for round in 0.. {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if round > 0 {
                tracing::warn!("told to stop twice: ending at once");
                std::process::exit(130);
            }
            tracing::info!("stopping: nothing new is taken, what is in hand is finished");
            token.cancel();
        }
    });
    Ok(())
}
