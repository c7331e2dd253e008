//! Bars on a terminal while a run is at work.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::activity::Activities;
use crate::program::output::bars;

const PAUSE: Duration = Duration::from_millis(100);

/// Draws until `ended`; nothing when standard error is no terminal.
pub(crate) fn draw(activities: Activities, ended: CancellationToken) -> Option<JoinHandle<()>> {
    if !stderr().is_terminal() {
        return None;
    }
    let style = ProgressStyle::with_template("{spinner} {prefix:<14} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = |name: &str| {
        let bar = bars().add(ProgressBar::new_spinner().with_style(style.clone()));
        bar.set_prefix(name.to_owned());
        bar
    };
    let collect = (!activities.flows.is_empty()).then(|| bar("collect"));
    let pools: Vec<ProgressBar> = activities
        .pools
        .iter()
        .map(|pool| bar(&pool.name))
        .collect();
    Some(tokio::spawn(async move {
        let mut tick = tokio::time::interval(PAUSE);
        while ended.run_until_cancelled(tick.tick()).await.is_some() {
            if let Some(collect) = &collect {
                collect.set_message(collected(&activities));
                collect.tick();
            }
            for (bar, pool) in pools.iter().zip(&activities.pools) {
                let (stats, seconds) = (&pool.stats, pool.seconds());
                let documents = stats.documents.get();
                bar.set_message(format!(
                    "{} messages, {documents} documents, {}",
                    stats.messages.get(),
                    rate(documents, seconds),
                ));
                bar.tick();
            }
        }
        collect
            .iter()
            .chain(&pools)
            .for_each(ProgressBar::finish_and_clear);
    }))
}

fn collected(activities: &Activities) -> String {
    let (mut files, mut records, mut refused) = (0, 0, 0);
    let mut seconds: f64 = 0.0;
    for flow in &activities.flows {
        let counts = flow.stats.counts();
        files += counts.files;
        records += counts.records;
        refused += counts.refused;
        seconds = seconds.max(flow.seconds());
    }
    format!(
        "{files} files, {records} records, {refused} refused, {}",
        rate(records, seconds)
    )
}

fn rate(count: u64, seconds: f64) -> String {
    if seconds > 0.0 {
        format!("{:.0}/s", count as f64 / seconds)
    } else {
        "-".to_owned()
    }
}
