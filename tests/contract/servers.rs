//! The servers themselves: that they start, keep what they have, and end.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use maas_tests::server::{OpenSearch, RabbitMq, wait_until};

async fn status(url: &str) -> Option<u16> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(url).timeout(Duration::from_secs(1));
    Some(request.send().await.ok()?.status().as_u16())
}

#[tokio::test(flavor = "multi_thread")]
async fn opensearch_keeps_documents_over_a_kill_and_ends_when_dropped() {
    let mut server = OpenSearch::start().await.unwrap();
    let document = format!("{}/kept/_doc/1", server.url());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let written = client
        .put(&document)
        .json(&serde_json::json!({"a": 1}))
        .send()
        .await
        .unwrap();
    assert_eq!(written.status(), 201);

    server.kill().unwrap();
    assert_eq!(status(&document).await, None);
    server.restart().await.unwrap();
    assert_eq!(status(&document).await, Some(200));

    server.freeze().unwrap();
    assert_eq!(status(&document).await, None);
    server.thaw().unwrap();
    wait_until("an answer", Duration::from_secs(10), || async {
        status(&document).await == Some(200)
    })
    .await
    .unwrap();

    server.stop().unwrap();
    assert_eq!(status(&document).await, None);
    server.restart().await.unwrap();
    drop(server);
    assert_eq!(status(&document).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn rabbitmq_keeps_virtual_hosts_over_a_kill_and_ends_when_dropped() {
    let mut server = RabbitMq::start().await.unwrap();
    let host = server.virtual_host().await.unwrap();
    let connect = || lapin::Connection::connect(&host, lapin::ConnectionProperties::default());
    assert!(connect().await.is_ok());

    server.kill().unwrap();
    assert!(connect().await.is_err());
    server.restart().await.unwrap();
    assert!(connect().await.is_ok());

    server.stop().unwrap();
    server.restart().await.unwrap();
    assert!(connect().await.is_ok());
    drop(server);
    assert!(connect().await.is_err());
}

/// Prints the URL of a node and waits to be killed; run by the test below in a process of its own.
#[tokio::test]
#[ignore = "runs only as the child of another test"]
async fn holds_a_server() {
    let server = OpenSearch::start().await.unwrap();
    println!("url={}", server.url());
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_ends_with_a_killed_test_process() {
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--nocapture",
            "--exact",
            "servers::holds_a_server",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(holder.stdout.take().unwrap());
    let url = output
        .lines()
        .map_while(Result::ok)
        .find_map(|line| Some(line.split_once("url=")?.1.to_owned()))
        .unwrap();
    assert_eq!(status(&url).await, Some(200));

    holder.kill().unwrap();
    holder.wait().unwrap();
    wait_until("the end of the server", Duration::from_secs(10), || async {
        status(&url).await.is_none()
    })
    .await
    .unwrap();
}
