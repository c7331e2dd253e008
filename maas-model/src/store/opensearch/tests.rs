//! Answers of something that is no cluster, or means ill.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::document::Source;
use crate::store::WriteOp;

/// What is answered: the bytes after the status, whatever is asked.
#[derive(Clone)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn json(status: u16, body: &str) -> Self {
        Self {
            status,
            head: format!("content-length: {}", body.len()),
            body: body.into(),
        }
    }
}

/// A store whose every request but those for aliases and indices gets this answer.
async fn answered(answer: Answer) -> OpenSearchStore {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, answer.clone()));
        }
    });
    let options = OpenSearchOptions {
        request_timeout: Duration::from_secs(5),
        answer_bytes: 1 << 20,
        ..OpenSearchOptions::default()
    };
    OpenSearchStore::connect(&url.parse().unwrap(), options).unwrap()
}

async fn serve(mut stream: TcpStream, answer: Answer) {
    let mut request = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        if read == 0 {
            return;
        }
        request.extend_from_slice(&buffer[..read]);
        if !is_whole(&request) {
            continue;
        }
        let line = String::from_utf8_lossy(&request[..request.len().min(60)]).into_owned();
        let answer = match line.split_whitespace().take(2).collect::<Vec<_>>()[..] {
            ["HEAD", _] => Answer::json(404, ""),
            [_, path] if path.starts_with("/_resolve") => {
                Answer::json(200, r#"{"indices":[{"name":"i"}],"aliases":[]}"#)
            }
            _ => answer.clone(),
        };
        request.clear();
        let head = format!("HTTP/1.1 {} X\r\n{}\r\n\r\n", answer.status, answer.head);
        let sent = [head.as_bytes(), &answer.body].concat();
        if stream.write_all(&sent).await.is_err() {
            return;
        }
        if answer.head.contains("close") {
            return;
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.split_once("content-length: ").map_or(0, |(_, rest)| {
        rest.lines()
            .next()
            .unwrap_or_default()
            .trim()
            .parse()
            .unwrap_or(0)
    });
    body.len() >= length
}

fn index() -> IndexName {
    IndexName::new("i").unwrap()
}

fn id(number: usize) -> DocumentId {
    DocumentId::new(number.to_string()).unwrap()
}

fn creates(count: usize) -> Vec<WriteAction> {
    let create = |number| WriteAction {
        index: index(),
        id: id(number),
        op: WriteOp::Create(Source::new()),
    };
    (0..count).map(create).collect()
}

/// Nothing that was not said to be written may pass for written.
async fn nothing_is_taken_for_written(answer: Answer) -> String {
    let store = answered(answer).await;
    match store.write(creates(2)).await {
        Ok(outcomes) => {
            assert_eq!(outcomes.len(), 2);
            assert!(!outcomes.iter().any(WriteOutcome::is_done), "{outcomes:?}");
            format!("{outcomes:?}")
        }
        Err(error) => error.to_string(),
    }
}

/// No answer of this kind may pass for documents, for their absence, or for nothing to find.
async fn nothing_is_read(answer: Answer) {
    let store = answered(answer).await;
    assert!(store.get_many(&index(), &[id(0), id(1)]).await.is_err());
    assert!(
        store
            .search(&index(), &Search::new(Query::All))
            .await
            .is_err()
    );
    assert!(store.count(&index(), &Query::All).await.is_err());
    assert!(store.refresh(&index()).await.is_err());
}

const DONE: &str = r#"{"create":{"status":201,"result":"created","_seq_no":1,"_primary_term":1}}"#;

#[tokio::test]
async fn a_bulk_answer_must_have_one_item_per_action_each_of_the_right_form() {
    let item = |text: &str| format!(r#"{{"items":[{text},{text}]}}"#);
    let whole = answered(Answer::json(200, &item(DONE))).await;
    assert!(
        whole
            .write(creates(2))
            .await
            .unwrap()
            .iter()
            .all(WriteOutcome::is_done)
    );

    let cases = [
        format!(r#"{{"items":[{DONE}]}}"#),
        format!(r#"{{"items":[{DONE},{DONE},{DONE}]}}"#),
        r#"{"items":[]}"#.to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        String::new(),
        item(DONE)[..item(DONE).len() - 20].to_owned(),
        item(r#"{"create":{"status":"201","result":"created","_seq_no":1,"_primary_term":1}}"#),
        item(r#"{"create":{"status":201,"result":7,"_seq_no":1,"_primary_term":1}}"#),
        item(r#"{"create":{"status":201,"result":"created","_seq_no":-2,"_primary_term":0}}"#),
        item(r#"{"create":{"status":201,"result":"created"}}"#),
        item(r#"{"create":{"status":200,"result":"noop","_seq_no":1,"_primary_term":1}}"#),
        item(r#"{"made":{"status":201,"result":"created","_seq_no":1,"_primary_term":1}}"#),
        item(r#"{"create":{"status":99999999,"result":"created"}}"#),
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!(r#"{{"items":{}"#, r#"{"items":"#.repeat(100_000)),
    ];
    for body in cases {
        nothing_is_taken_for_written(Answer::json(200, &body)).await;
    }
}

#[tokio::test]
async fn what_is_no_answer_of_a_cluster_is_not_read_as_one() {
    for body in [
        "",
        "null",
        "[]",
        "<html>hello</html>",
        r#"{"docs":[]}"#,
        r#"{"docs":7}"#,
        r#"{"hits":{"hits":"#,
    ] {
        nothing_is_read(Answer::json(200, body)).await;
    }
    nothing_is_read(Answer::json(404, "<html>no such page</html>")).await;
    nothing_is_read(Answer::json(200, r#"{"_shards":{"total":2,"successful":1,"failed":1},"hits":{"hits":[]},"count":0,"docs":[]}"#)).await;
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused_before_it_is_read() {
    // A gigabyte is announced; whoever waited for it would wait in vain.
    let huge = Answer {
        status: 200,
        head: format!("content-length: {}", 1_u64 << 30),
        body: b"{".to_vec(),
    };
    let store = answered(huge.clone()).await;
    let error = store
        .search(&index(), &Search::new(Query::All))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("too many to read"), "{error}");
    nothing_is_taken_for_written(huge.clone()).await;
    nothing_is_read(huge).await;
}

#[tokio::test]
async fn an_answer_of_unknown_size_is_not_read() {
    let mut bomb = flate2_bomb();
    let packed = Answer {
        status: 200,
        head: format!("content-encoding: gzip\r\ncontent-length: {}", bomb.len()),
        body: std::mem::take(&mut bomb),
    };
    let reason = nothing_is_taken_for_written(packed.clone()).await;
    assert!(reason.contains("does not tell its size"), "{reason}");
    nothing_is_read(packed).await;
    let endless = Answer {
        status: 200,
        head: "transfer-encoding: chunked".to_owned(),
        body: b"1\r\n{\r\n".to_vec(),
    };
    nothing_is_taken_for_written(endless.clone()).await;
    nothing_is_read(endless).await;
}

/// 64 MiB of blanks in stored form would be no bomb: here they are 64 KiB.
fn flate2_bomb() -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        packed.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    packed.finish().unwrap()
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_unknown() {
    let body = format!(r#"{{"items":[{DONE},{DONE}]}}"#);
    let broken = Answer {
        status: 200,
        head: format!("connection: close\r\ncontent-length: {}", body.len() + 10),
        body: body.into_bytes(),
    };
    let reason = nothing_is_taken_for_written(broken.clone()).await;
    assert!(reason.contains("cannot reach"), "{reason}");
    nothing_is_read(broken).await;
}

/// Of several requests one stays without answer: the others keep their outcomes.
#[tokio::test]
async fn a_lost_answer_concerns_its_own_request_only() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let bulks = Arc::new(Mutex::new(0));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut bulks = bulks.lock().unwrap();
            *bulks += 1;
            // The first link is used for the question about aliases and one request.
            let body = format!(r#"{{"items":[{DONE}]}}"#);
            let answer = match *bulks {
                1 => Answer::json(200, &body),
                _ => Answer {
                    status: 200,
                    head: "connection: close".to_owned(),
                    body: Vec::new(),
                },
            };
            tokio::spawn(serve(stream, answer));
        }
    });
    let options = OpenSearchOptions {
        bulk_actions: 1,
        ..OpenSearchOptions::default()
    };
    let store = OpenSearchStore::connect(&url.parse().unwrap(), options).unwrap();
    let outcomes = store.write(creates(2)).await.unwrap();
    let done = outcomes.iter().filter(|outcome| outcome.is_done()).count();
    let lost = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, WriteOutcome::Unknown { .. }))
        .count();
    assert_eq!((done, lost), (1, 1), "{outcomes:?}");
}
