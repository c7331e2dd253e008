//! The ceiling: what the store takes in bulks that were built before.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// Documents per request and connections, as in the figures of the original's baseline.
const BULK: usize = 5_000;
const CONNECTIONS: usize = 2;

/// Documents per second of plain `_bulk` requests. `lines` are as `maas export` prints them; the index is
/// removed afterwards.
///
/// # Errors
/// When the server refuses a request or a document.
pub async fn raw_bulk(url: &str, index: &str, lines: &[serde_json::Value]) -> Result<f64> {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(60))
        .build()?;
    let bulks: Vec<String> = lines.chunks(BULK).map(|chunk| bulk(index, chunk)).collect();
    let start = Instant::now();
    let mut senders = tokio::task::JoinSet::new();
    for first in 0..CONNECTIONS {
        let bulks: Vec<String> = bulks
            .iter()
            .skip(first)
            .step_by(CONNECTIONS)
            .cloned()
            .collect();
        senders.spawn(send(
            client.clone(),
            format!("{url}/_bulk?filter_path=errors"),
            bulks,
        ));
    }
    while let Some(sent) = senders.join_next().await {
        sent??;
    }
    let rate = lines.len() as f64 / start.elapsed().as_secs_f64();
    client
        .delete(format!("{url}/{index}"))
        .send()
        .await?
        .error_for_status()?;
    Ok(rate)
}

async fn send(client: reqwest::Client, url: String, bulks: Vec<String>) -> Result<()> {
    for bulk in bulks {
        let request = client
            .post(&url)
            .header("content-type", "application/x-ndjson")
            .body(bulk);
        let answer: serde_json::Value = request.send().await?.error_for_status()?.json().await?;
        ensure!(answer["errors"] == false, "the server refused documents");
    }
    Ok(())
}

fn bulk(index: &str, lines: &[serde_json::Value]) -> String {
    let mut text = String::with_capacity(lines.len() * 1_000);
    for line in lines {
        let action = serde_json::json!({ "index": { "_index": index, "_id": line["_id"] } });
        text.push_str(&format!("{action}\n{}\n", line["_source"]));
    }
    text
}
